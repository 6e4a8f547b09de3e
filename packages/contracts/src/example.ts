/**
 * An example of a value that a schema describes, for the documentation. It is put together from the parts of the schema, so that
 * a new field needs a word only where nothing tells what it could be:
 *
 * - `x-example` of an object: fields that shall look like this, the optional ones that shall be there among them;
 * - `examples` of anything: the first one;
 * - else what the schema says itself: a constant, the first of an enumeration, a format, the pattern of an id, a minimum.
 *
 * What may be null is null, and optional fields are left out, unless `x-example` names them.
 */

export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly format?: string
  readonly pattern?: string
  readonly minimum?: number
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly 'x-example'?: Readonly<Record<string, unknown>>
  /** A body that may be left out. */
  readonly 'x-optional'?: boolean
}

/** A place in a schema that nothing can be said about. */
export class NoExample extends Error {
  /** JSON pointer from the schema that was asked for. */
  readonly pointer: string

  constructor(pointer: string) {
    super(
      `no example for ${pointer === '' ? 'the whole' : pointer}: in packages/contracts/src/resources give the field \`examples: [...]\`, or its object \`'x-example': { ... }\``,
    )
    this.name = 'NoExample'
    this.pointer = pointer
  }
}

/**
 * @param find the schema that a `$ref` names
 * @throws NoExample
 */
export function exampleOf(schema: JsonSchema, find: (ref: string) => JsonSchema, pointer = ''): unknown {
  if (schema.examples !== undefined && schema.examples.length > 0) return schema.examples[0]
  if (schema.$ref !== undefined) return exampleOf(find(schema.$ref), find, pointer)
  if ('const' in schema) return schema.const
  if (schema.enum?.[0] !== undefined) return schema.enum[0]
  if (schema.anyOf) return ofUnion(schema.anyOf, find, pointer)
  switch (String(schema.type)) {
    case 'null':
      return null
    case 'boolean':
      return schema.default ?? false
    case 'integer':
    case 'number':
      return schema.default ?? schema.minimum ?? 0
    case 'array':
      return schema.items ? [exampleOf(schema.items, find, `${pointer}/0`)] : []
    case 'object':
      return ofObject(schema, find, pointer)
    default:
      return ofText(schema, pointer)
  }
}

function ofUnion(branches: readonly JsonSchema[], find: (ref: string) => JsonSchema, pointer: string): unknown {
  const isNullable = branches.some(({ type }) => type === 'null')
  const [first] = branches
  if (isNullable || first === undefined) return null
  return exampleOf(first, find, pointer)
}

function ofObject(schema: JsonSchema, find: (ref: string) => JsonSchema, pointer: string): unknown {
  const { properties = {}, required = [], 'x-example': given = {} } = schema
  const names = Object.keys(properties).filter((name) => Object.hasOwn(given, name) || required.includes(name))
  const value = names.map((name) => [
    name,
    Object.hasOwn(given, name) ? given[name] : exampleOf(properties[name] ?? {}, find, `${pointer}/${name}`),
  ])
  return Object.fromEntries(value)
}

const formats: Readonly<Record<string, string>> = {
  'date-time': '2026-11-21T20:10:50.179Z',
  iccid: '89490000000000000015',
  address: '192.0.2.53',
  ipv4: '10.128.0.3',
  ipv6: 'fd43:756c:7665:8000::3',
  cidr: '203.0.113.0/24',
  domain: 'corp.example',
}

function ofText({ type, format, pattern }: JsonSchema, pointer: string): string {
  const [, prefix, length] = /^\^([a-z]+)_\[[^\]]+\]\{(\d+)\}\$$/.exec(pattern ?? '') ?? []
  const text =
    prefix === undefined ? formats[format ?? ''] : `${prefix}_${'ajaic76ztpqad76h2tn2'.slice(0, Number(length))}`
  if (type !== 'string' || text === undefined) throw new NoExample(pointer)
  return text
}
