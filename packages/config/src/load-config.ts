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

function explain(schema: TObject, error: SchemaError): ConfigError {
  const missing = 'requiredProperties' in error.params ? (error.params.requiredProperties as string[])[0] : undefined
  const variable = missing ?? error.instancePath.split('/')[1] ?? ''
  const description = (schema.properties[variable] as { description?: string } | undefined)?.description
  const meaning = description ? ` (${description})` : ''
  const fault = missing ? 'is not set' : error.message
  return new ConfigError(variable, `The environment variable ${variable}${meaning} ${fault}.`)
}

function convert(property: TSchema, text: string): unknown {
  const { type } = property as { type?: string }
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === '1')) return true
  if (type === 'boolean' && (text === 'false' || text === '0')) return false
  return text
}
