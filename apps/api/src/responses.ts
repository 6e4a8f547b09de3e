/** Pieces of route schemas: what a route may answer, in the form that @fastify/swagger turns into OpenAPI. */
import { errorRegistry, type ErrorCode } from '@culvert/contracts'
import { Type, type TSchema } from 'typebox'

/** Codes that any route can answer with. */
const anywhere: readonly ErrorCode[] = ['validation_failed', 'internal_error', 'database_unavailable']

/** @returns a response entry per status, naming the codes it may carry */
export function problems(...codes: readonly ErrorCode[]): Record<number, TSchema> {
  return problemsWithoutKey(...codes, 'unauthenticated', 'forbidden')
}

/** The same for a route that asks for no key. */
export function problemsWithoutKey(...codes: readonly ErrorCode[]): Record<number, TSchema> {
  const byStatus = Map.groupBy(new Set<ErrorCode>([...codes, ...anywhere]), (code) => errorRegistry[code].status)
  const entries = [...byStatus].map(([status, list]) => [status, problemResponse(list)] as const)
  return Object.fromEntries(entries)
}

/** The codes of each entry that `problems` made. */
const codesOf = new WeakMap<object, readonly ErrorCode[]>()

/** @returns the responses of a route, which may answer with `codes` as well */
export function withProblems(responses: unknown, codes: readonly ErrorCode[]): Record<string, unknown> {
  const all: Record<string, unknown> = { ...(responses as Record<string, unknown> | undefined) }
  for (const [status, list] of Map.groupBy(codes, (code) => errorRegistry[code].status)) {
    const there = all[status]
    const before = typeof there === 'object' && there !== null ? codesOf.get(there) : undefined
    if (there !== undefined && !before) continue // the route says by itself what this status is
    all[status] = problemResponse([...new Set([...(before ?? []), ...list])])
  }
  return all
}

function problemResponse(codes: readonly ErrorCode[]): TSchema {
  const description = codes.map((code) => `\`${code}\`: ${errorRegistry[code].title}`).join('; ')
  const response = { description, content: { 'application/problem+json': { schema: Type.Ref('Problem') } } }
  codesOf.set(response, codes)
  return response as unknown as TSchema
}

export function json(schema: TSchema, description: string): TSchema {
  return { description, content: { 'application/json': { schema } } } as unknown as TSchema
}

/** @param example shown in the documentation, shortened */
export function text(description: string, example: string, type = 'text/plain'): TSchema {
  return { description, content: { [type]: { schema: Type.String(), example } } } as unknown as TSchema
}

/** One answer in the media type of one or another of these. */
export function inOneOf(description: string, ...answers: readonly TSchema[]): TSchema {
  const contents = answers.map((answer) => (answer as unknown as { content: object }).content)
  return { description, content: Object.assign({}, ...contents) as object } as unknown as TSchema
}

export function binary(description: string, type: string): TSchema {
  return { description, content: { [type]: { schema: { type: 'string', format: 'binary' } } } } as unknown as TSchema
}

export function empty(description: string): TSchema {
  return Type.Null({ description })
}
