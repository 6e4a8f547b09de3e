/**
 * What routes do not say themselves: examples of bodies, answers and problems, and the headers of answers. Works on the finished
 * document, so that it holds for every route however it was described. What has no example stays without one here; the test of
 * the document names it.
 */
import { DomainError, errorRegistry, exampleOf, NoExample, type ErrorCode, type JsonSchema } from '@culvert/contracts'
import { problemContentType, toProblem } from '../problem.ts'

export interface Media {
  schema: JsonSchema
  example?: unknown
  examples?: Record<string, { summary?: string; value: unknown }>
}
export interface Answer {
  description?: string
  headers?: Record<string, object>
  content?: Record<string, Media>
}
export interface Operation {
  operationId: string
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Answer>
}
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  webhooks?: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, JsonSchema>; headers?: Record<string, object> }
}

/** Changes the document in place. */
export function complete(document: OpenApi): OpenApi {
  const { schemas } = document.components
  for (const { media } of mediaOf(document)) addExample(media, schemas)
  for (const schema of Object.values(schemas)) {
    const example = tryExample(schema, schemas)
    if (example !== undefined) Object.assign(schema, { examples: [example] })
  }
  for (const [path, item] of Object.entries(document.paths))
    for (const operation of Object.values(item)) addProblems(operation, path.startsWith('/v1'))
  withoutSketches(document)
  return document
}

/** Every body and answer of the document, with where it stands. */
export function mediaOf({ paths, webhooks = {} }: OpenApi): { where: string; type: string; media: Media }[] {
  return Object.entries({ ...paths, ...webhooks }).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { requestBody, responses }]) => {
      const parts = [['body', requestBody ?? {}] as const, ...Object.entries(responses)]
      return parts.flatMap(([part, { content = {} }]: readonly [string, Answer]) =>
        Object.entries(content).map(([type, media]) => ({
          where: `${method.toUpperCase()} ${path} ${part} ${type}`,
          type,
          media,
        })),
      )
    }),
  )
}

function addExample(media: Media, schemas: Record<string, JsonSchema>): void {
  if (media.example !== undefined || media.examples !== undefined) return
  const example = tryExample(media.schema, schemas)
  if (example !== undefined) media.example = example
}

function tryExample(schema: JsonSchema, schemas: Record<string, JsonSchema>): unknown {
  try {
    return exampleOf(schema, (ref) => schemas[ref.slice(ref.lastIndexOf('/') + 1)] ?? {})
  } catch (error) {
    if (error instanceof NoExample) return undefined
    throw error
  }
}

const exampleRequestId = 'req_20658994-cdbc-4e42-860e-69271ece5062'

/** One example for each code that the description of an answer names. */
function addProblems({ responses }: Operation, isApi: boolean): void {
  for (const [status, answer] of Object.entries(responses)) {
    const media = answer.content?.[problemContentType]
    if (media) {
      delete media.example
      media.examples = Object.fromEntries(codesOf(answer).map((code) => [code, problemExample(code)]))
    }
    if (isApi) answer.headers = { ...headersOf(status), ...answer.headers }
  }
}

/** Codes that an answer may carry, as its description names them. */
export function codesOf({ description = '' }: Answer): ErrorCode[] {
  const named = [...description.matchAll(/`([a-z_]+)`: /g)].map(([, code]) => code ?? '')
  return named.filter((code): code is ErrorCode => Object.hasOwn(errorRegistry, code))
}

function problemExample(code: ErrorCode): { summary: string; value: unknown } {
  const errors =
    code === 'validation_failed' ? [{ in: 'body', pointer: '/ttl', message: 'is not known here' } as const] : []
  const { problem } = toProblem(new DomainError(code, { errors }), exampleRequestId)
  return { summary: problem.title, value: problem }
}

const header = (name: string): object => ({ $ref: `#/components/headers/${name}` })

function headersOf(status: string): Record<string, object> {
  return {
    'X-Request-Id': header('RequestId'),
    ...(status === '201' ? { Location: header('Location') } : {}),
    ...(status === '429' || status === '503' ? { 'Retry-After': header('RetryAfter') } : {}),
  }
}

export const headers = {
  RequestId: {
    description: 'Names the request in our logs; the one that the caller sent, when it was harmless.',
    schema: { type: 'string' },
    example: exampleRequestId,
  },
  Location: {
    description: 'Where the new resource is.',
    schema: { type: 'string', format: 'uri-reference' },
    example: '/v1/devices/dev_ajaic76ztpqad76h2tn2',
  },
  RetryAfter: {
    description: 'Seconds after which the same request may succeed.',
    schema: { type: 'integer' },
    example: 2,
  },
}

/** `x-example` has done its work: readers have the examples made of it. */
function withoutSketches(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  delete (value as Record<string, unknown>)['x-example']
  for (const part of Object.values(value)) withoutSketches(part)
}
