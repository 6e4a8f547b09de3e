/**
 * Checks requests against their TypeBox schemas. Bodies are taken as they are; only what arrives as text anyway (query, path,
 * headers) is converted. Each fault names its field by a JSON pointer and never repeats its value.
 */
import { escapePointer, registerFormats, schemaFaults, type FieldError } from '@culvert/contracts'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'

registerFormats()

/** What the validator gives to Fastify, which throws it. */
export class RequestFault extends Error {
  readonly fields: readonly FieldError[]

  constructor(fields: readonly FieldError[]) {
    super('the request has wrong fields')
    this.name = 'RequestFault'
    this.fields = fields
  }
}

/** Fastify may wrap the error of a validator; the fields stay on it. */
export function isRequestFault(error: unknown): error is RequestFault {
  return error instanceof Error && Array.isArray((error as Partial<RequestFault>).fields)
}

type Part = FieldError['in']
const parts: Readonly<Record<string, Part>> = { body: 'body', querystring: 'query', params: 'path', headers: 'header' }

export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // They are described for the reader; who acts on one reads it, and says what is wrong with it.
  if (httpPart === 'headers') return (value: unknown) => ({ value })
  const validator = Compile(schema)
  const part = parts[httpPart ?? 'body'] ?? 'body'
  return (value: unknown) => {
    const tooLong = longLists(schema, value, part)
    if (tooLong.length > 0) return { error: new RequestFault(tooLong) }
    const filled = Value.Default(schema, part === 'body' ? value : convertTexts(schema, value))
    if (validator.Check(filled)) return { value: filled }
    return {
      error: new RequestFault(schemaFaults(validator.Errors(filled), filled).map((fault) => ({ in: part, ...fault }))),
    }
  }
}

/** Judged first and alone: comparing thousands of items with one another would take seconds. */
function longLists(schema: TSchema, value: unknown, part: Part): FieldError[] {
  const { properties } = schema as { properties?: Record<string, unknown> }
  if (typeof value !== 'object' || value === null || !properties) return []
  return Object.entries(value).flatMap(([name, list]) => {
    const limit = Object.hasOwn(properties, name) ? longestList(properties[name]) : null
    if (limit === null || !Array.isArray(list) || list.length <= limit) return []
    return [{ in: part, pointer: `/${escapePointer(name)}`, message: `must not have more than ${limit} items` }]
  })
}

/** `maxItems` of a list or of a list among the branches of a union. */
function longestList(property: unknown): number | null {
  const { maxItems, anyOf: branches } = property as { maxItems?: number; anyOf?: readonly unknown[] }
  if (maxItems !== undefined) return maxItems
  return branches?.map(longestList).find((limit) => limit !== null) ?? null
}

/** Integers and booleans out of plain decimal digits, `true` and `false`; anything else stays text and is refused. */
function convertTexts(schema: TSchema, value: unknown): unknown {
  const { properties } = schema as { properties?: Record<string, { type?: string }> }
  if (typeof value !== 'object' || value === null || !properties) return value
  const entries = Object.entries(value).map(([name, text]) => {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined
    if (type === 'integer' && typeof text === 'string' && /^(0|-?[1-9]\d{0,9})$/.test(text)) return [name, Number(text)]
    if (type === 'boolean' && (text === 'true' || text === 'false')) return [name, text === 'true']
    return [name, text]
  })
  return Object.fromEntries(entries)
}
