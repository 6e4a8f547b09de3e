import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { exampleOf, NoExample, type JsonSchema } from './example.ts'

const Thing = Type.Object({ name: Type.String({ examples: ['a name'] }), size: Type.Integer({ minimum: 3 }) })
const find = (ref: string): JsonSchema => {
  expect(ref).toBe('Thing')
  return Thing as JsonSchema
}
const of = (schema: object): unknown => exampleOf(schema as JsonSchema, find)

describe('an example of a schema', () => {
  it('is put together from its parts', () => {
    expect(of(Type.Array(Type.Ref('Thing')))).toEqual([{ name: 'a name', size: 3 }])
    expect(of(Type.Object({ at: Type.String({ format: 'date-time' }), no: Type.Literal(false) }))).toEqual({
      at: '2026-11-21T20:10:50.179Z',
      no: false,
    })
    expect(of(Type.String({ pattern: '^dev_[a-z2-7]{20}$' }))).toMatch(/^dev_[a-z2-7]{20}$/)
    expect(of(Type.Enum(['one', 'two']))).toBe('one')
  })

  it('has null for what may be null and no optional field, unless it is told', () => {
    const fields = { size: Type.Union([Type.Integer(), Type.Null()]), note: Type.Optional(Type.String()) }
    expect(of(Type.Object(fields))).toEqual({ size: null })
    expect(of(Type.Object(fields, { 'x-example': { size: 4, note: 'well' } }))).toEqual({ size: 4, note: 'well' })
  })

  it('is missing where nothing says what a text could be, and the place is named', () => {
    const deep = Type.Object({ list: Type.Array(Type.Object({ text: Type.String() })) })
    expect(() => of(deep)).toThrow(NoExample)
    expect(() => of(deep)).toThrow('no example for /list/0/text: in packages/contracts/src/resources give the field')
  })
})
