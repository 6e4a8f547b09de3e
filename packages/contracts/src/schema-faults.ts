/** What is wrong with a value that a schema refuses, for people: a JSON pointer and a sentence that never repeats the value. */
import { Value } from 'typebox/value'
import { formatFaults } from './formats.ts'

export interface SchemaFault {
  /** RFC 6901. */
  readonly pointer: string
  readonly message: string
}

/** @param errors of TypeBox @param value that they are about @returns at most {@link maxFaults}, one for each place */
export function schemaFaults(errors: readonly object[], value: unknown): SchemaFault[] {
  const byPointer = new Map<string, string[]>()
  for (const error of withoutOtherBranches(errors as readonly SchemaError[])) {
    for (const [pointer, message] of faultOf(error, value)) {
      const messages = byPointer.get(pointer) ?? []
      if (!messages.includes(message)) byPointer.set(pointer, [...messages, message])
    }
  }
  return [...byPointer].map(([pointer, messages]) => ({ pointer, message: mostTelling(messages) })).slice(0, maxFaults)
}

interface SchemaError {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly message: string
  readonly params: Readonly<Record<string, unknown>>
}

const maxFaults = 20

type Fault = readonly [pointer: string, message: string]
const anyOf = 'is none of the allowed forms'

function faultOf({ keyword, instancePath, params, message }: SchemaError, value: unknown): Fault[] {
  const child = (name: string): string => `${instancePath}/${escapePointer(name)}`
  switch (keyword) {
    case 'required':
      return names(params['requiredProperties']).map((name) => [child(name), 'is required'])
    case 'additionalProperties':
      return names(params['additionalProperties']).map((name) => [child(name), 'is not known here'])
    case 'boolean': // an unknown field once more, as the schema `false`
      return []
    case 'anyOf':
      return [[instancePath, anyOf]]
    case 'enum':
      return [[instancePath, `must be one of ${names(params['allowedValues']).join(', ')}`]]
    case 'const':
      return [[instancePath, `must be ${String(params['allowedValue'])}`]]
    case 'minProperties':
      return [[instancePath, 'must have at least one field']]
    case 'format': {
      const text = Value.Pointer.Get(value, instancePath)
      const said = typeof text === 'string' ? formatFaults[String(params['format'])]?.(text) : null
      return [[instancePath, said ?? message]]
    }
    default:
      return [[instancePath, message]]
  }
}

/**
 * Where the branches of a union are told apart by a constant, such as the `kind` of an action, what the branches that were not meant
 * say is left out. When none was meant, the constants alone remain.
 */
function withoutOtherBranches(errors: readonly SchemaError[]): SchemaError[] {
  const constants = errors.filter(({ keyword, schemaPath }) => keyword === 'const' && branchOfConstant.test(schemaPath))
  const unions = new Map<string, { union: string; at: string; others: Set<string>; constants: SchemaError[] }>()
  for (const error of constants) {
    const [, branch = '', union = ''] = branchOfConstant.exec(error.schemaPath) ?? []
    const at = error.instancePath.slice(0, error.instancePath.lastIndexOf('/'))
    const known = unions.get(`${union} ${at}`) ?? { union, at, others: new Set<string>(), constants: [] }
    known.others.add(branch)
    known.constants.push(error)
    unions.set(`${union} ${at}`, known)
  }
  const leftOut = new Set<SchemaError>()
  const added: SchemaError[] = []
  for (const { union, at, others, constants: told } of unions.values()) {
    if (others.size < 2) continue
    const inside = errors.filter(
      ({ instancePath, schemaPath }) => isBelow(instancePath, at) && isBelow(schemaPath, `${union}/anyOf`),
    )
    const meant = inside.filter(
      ({ keyword, instancePath, schemaPath }) =>
        ![...others].some((branch) => isBelow(schemaPath, branch)) && !(keyword === 'type' && instancePath === at),
    )
    for (const error of inside) if (!meant.includes(error)) leftOut.add(error)
    for (const error of errors)
      if (error.keyword === 'anyOf' && error.schemaPath === union && error.instancePath === at) leftOut.add(error)
    const [first] = told
    if (meant.length === 0 && first)
      added.push({
        ...first,
        keyword: 'enum',
        params: { allowedValues: told.map(({ params }) => params['allowedValue']) },
      })
  }
  return [...errors.filter((error) => !leftOut.has(error)), ...added]
}

const branchOfConstant = /^((.*)\/anyOf\/\d+)\/properties\/[^/]+$/

function isBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`)
}

/** Of the branches of a union, the one that says more than "must be null". */
function mostTelling(messages: readonly string[]): string {
  return messages.find((message) => message !== anyOf && message !== 'must be null') ?? messages[0] ?? anyOf
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String).slice(0, maxFaults) : []
}

/** RFC 6901 3; cut, because the name came from the caller. */
export function escapePointer(name: string): string {
  return name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')
}
