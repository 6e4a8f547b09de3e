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
  parameters?: object[]
  requestBody?: { content: Record<string, Media>; required?: boolean }
  responses: Record<string, Answer>
}
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  webhooks?: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, JsonSchema>
    headers?: Record<string, object>
    responses?: Record<string, Answer>
    parameters?: Record<string, object>
  }
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
    for (const [method, operation] of Object.entries(item)) {
      addProblems(operation)
      if (mayBeLeftOut(operation)) Object.assign(operation.requestBody ?? {}, { required: false })
      if (path.startsWith('/v1')) addHeaders(operation, isReadable(path, document))
      addVersions(operation, method === 'get', schemas)
    }
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

/** As its schema says ({@link optionalBody}). */
function mayBeLeftOut({ requestBody }: Operation): boolean {
  return Object.values(requestBody?.content ?? {}).some(({ schema }) => Object.hasOwn(schema, 'x-optional'))
}

/** One example for each code that the description of an answer names. */
function addProblems({ responses }: Operation): void {
  for (const answer of Object.values(responses)) {
    const media = answer.content?.[problemContentType]
    if (media) {
      delete media.example
      media.examples = Object.fromEntries(codesOf(answer).map((code) => [code, problemExample(code)]))
    }
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

/**
 * What has a version has it as `ETag` too: who reads it again may say so with `If-None-Match` (304), and what may fail for it (412)
 * is asked for it with `If-Match`.
 */
function addVersions(operation: Operation, isRead: boolean, schemas: Record<string, JsonSchema>): void {
  const { responses, parameters = [] } = operation
  const versioned = ['200', '201'].flatMap((status) => {
    const answer = responses[status]
    const { $ref = '' } = answer?.content?.['application/json']?.schema ?? {}
    const schema = schemas[$ref.slice($ref.lastIndexOf('/') + 1)]
    return answer && schema?.properties?.['version'] ? [answer] : []
  })
  for (const answer of versioned) answer.headers = { ...answer.headers, ETag: header('ETag') }
  const isKept = isRead && versioned.length > 0
  if (isKept) responses['304'] = { description: 'As it was when it was read.', headers: { ...versioned[0]?.headers } }
  const asked = [...(isKept ? [ifNoneMatch] : []), ...(responses['412'] ? [ifMatch] : [])]
  if (asked.length > 0) operation.parameters = [...parameters, ...asked]
}

const ifNoneMatch = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'The `ETag` of what was read before: while it is still the same the answer is 304, without a body.',
  schema: { type: 'string' },
  example: '"2.q2x0vHh1kYwE3nRs"',
}

const ifMatch = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description: 'The `ETag` of what was read: the change is only made when nobody has changed it since (412).',
  schema: { type: 'string' },
  example: '"2.q2x0vHh1kYwE3nRs"',
}

const header = (name: string): object => ({ $ref: `#/components/headers/${name}` })

function addHeaders({ responses }: Operation, isRead: boolean): void {
  for (const [status, answer] of Object.entries(responses))
    answer.headers = {
      'X-Request-Id': header('RequestId'),
      ...(status === '201' && isRead ? { Location: header('Location') } : {}),
      ...(status === '429' || status === '503' ? { 'Retry-After': header('RetryAfter') } : {}),
      ...answer.headers,
    }
}

/** What is made in this list can be read by its id. */
function isReadable(list: string, { paths }: OpenApi): boolean {
  return Object.entries(paths).some(
    ([path, item]) =>
      path.startsWith(`${list}/{`) && !path.slice(list.length + 1).includes('/') && item['get'] !== undefined,
  )
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
  ETag: {
    description: 'The version of the resource and a hash of the answer, for `If-Match` and `If-None-Match`.',
    schema: { type: 'string' },
    example: '"2.q2x0vHh1kYwE3nRs"',
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
  delete (value as Record<string, unknown>)['x-optional']
  for (const part of Object.values(value)) withoutSketches(part)
}
