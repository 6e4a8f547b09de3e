/**
 * Reads the environment into a typed, checked object. A configuration error is one sentence that names the variable and
 * never repeats its value, because the value may be a secret.
 */
import { type Static, type TObject, type TProperties, type TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** A setting is missing or wrong; `variable` is its name in the environment. */
export class ConfigError extends Error {
  readonly variable: string

  constructor(variable: string, sentence: string) {
    super(sentence)
    this.name = 'ConfigError'
    this.variable = variable
  }
}

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * @param schema an object whose keys are environment variables; numbers and booleans are converted, defaults filled in
 * @param env usually `process.env`; an empty value counts as unset
 * @returns the values, frozen, under the names of the variables
 * @throws ConfigError for the first variable that is missing or wrong
 */
export function loadConfig<P extends TProperties>(schema: TObject<P>, env: Environment): Static<TObject<P>> {
  const raw: Record<string, unknown> = {}
  for (const [name, property] of Object.entries<TSchema>(schema.properties)) {
    const text = env[name]?.trim()
    if (text !== undefined && text !== '') raw[name] = convert(property, text)
  }
  const values = Value.Default(schema, raw)
  const [error] = Value.Errors(schema, values)
  if (error) throw explain(schema, error)
  return Object.freeze(values) as Static<TObject<P>>
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

/** What `explain` reads of the schema of one variable. */
interface Property {
  readonly type?: string
  readonly description?: string
  readonly examples?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly { readonly const?: unknown }[]
}

function explain(schema: TObject, error: SchemaError): ConfigError {
  const missing = 'requiredProperties' in error.params ? (error.params.requiredProperties as string[])[0] : undefined
  const variable = missing ?? error.instancePath.split('/')[1] ?? ''
  const property = (schema.properties[variable] ?? {}) as Property
  if (!missing) return new ConfigError(variable, `The environment variable ${variable} ${faultOf(property, error)}.`)
  const { description, examples: [example] = [] } = property
  const meaning = [description, example && `such as ${example}`].filter(Boolean).join(', ')
  return new ConfigError(variable, `The environment variable ${variable}${meaning && ` (${meaning})`} is not set.`)
}

/** What the value must be: one of the literals of a union, a number within bounds, a text like the example or the description. */
function faultOf(property: Property, { keyword, message }: SchemaError): string {
  const { type, description, examples: [example] = [], minimum, maximum, anyOf = [] } = property
  if (anyOf.length > 0 && anyOf.every((member) => member.const !== undefined)) {
    return `must be one of ${anyOf.map((member) => String(member.const)).join(', ')}`
  }
  if (type === 'integer') {
    const bounds = [minimum !== undefined && `from ${minimum}`, maximum !== undefined && `to ${maximum}`].filter(
      Boolean,
    )
    return ['must be a whole number', ...bounds].join(' ')
  }
  if (type === 'boolean') return 'must be true or false'
  if (keyword === 'pattern' && example) return `must look like ${example}`
  if (keyword === 'pattern' && description) return `must be ${description}`
  return `${description ? `(${description}) ` : ''}${message}`
}

function convert(property: TSchema, text: string): unknown {
  const { type } = property as { type?: string }
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === '1')) return true
  if (type === 'boolean' && (text === 'false' || text === '0')) return false
  return text
}
