/**
 * Refusals and parameters that many operations have stand once, as components, and operations refer to them. Works on the
 * finished document, like `complete`.
 */
import type { Answer, OpenApi, Operation } from './complete.ts'
import { codesOf } from './complete.ts'
import { problemContentType } from '../problem.ts'

interface Reference {
  readonly $ref: string
}

/** Fewer uses are easier to read where they are. */
const leastUses = 2
const leastParameterUses = 5

/** Changes the document in place. */
export function share(document: OpenApi): void {
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item))
  const responses = shareEach(operations, 'responses', answersOf)
  const parameters = shareEach(operations, 'parameters', parametersOf)
  Object.assign(document.components, { responses, parameters })
}

/** @returns the answer itself, wherever it stands */
export function resolveAnswer({ components }: OpenApi, answer: Answer | Reference): Answer {
  if (!('$ref' in answer)) return answer
  const found = components.responses?.[answer.$ref.slice('#/components/responses/'.length)]
  if (!found) throw new Error(`${answer.$ref} is not there`)
  return found
}

/** The answers of an operation, themselves. */
export function resolveAnswers(document: OpenApi, operation: Operation): Record<string, Answer> {
  return Object.fromEntries(
    Object.entries(operation.responses).map(([status, answer]) => [status, resolveAnswer(document, answer)]),
  )
}

/** The parameters of an operation, themselves. */
export function resolveParameters({ components }: OpenApi, { parameters = [] }: Operation): object[] {
  return parameters.map((parameter) => {
    if (!('$ref' in parameter)) return parameter
    const found = components.parameters?.[(parameter as Reference).$ref.slice('#/components/parameters/'.length)]
    if (!found) throw new Error(`${(parameter as Reference).$ref} is not there`)
    return found
  })
}

/** Something that may stand elsewhere: what it is, its name there, and how to put a reference into its place. */
interface Place {
  readonly value: object
  readonly name: string
  readonly least: number
  readonly put: (reference: Reference) => void
}

function answersOf({ responses }: Operation): Place[] {
  return Object.entries(responses).flatMap(([status, answer]) => {
    const types = Object.keys(answer.content ?? {})
    if (types.length !== 1 || types[0] !== problemContentType) return []
    const name = codesOf(answer).map(pascal).join('Or')
    return [
      { value: answer, name, least: leastUses, put: (ref) => (responses[status] = ref as Answer) } satisfies Place,
    ]
  })
}

function parametersOf({ parameters = [] }: Operation): Place[] {
  return parameters.flatMap((parameter, index) => {
    const { name, in: where } = parameter as { name: string; in: string }
    if (where === 'path') return []
    const put = (reference: Reference): void => void parameters.splice(index, 1, reference)
    return [{ value: parameter, name: pascal(name), least: leastParameterUses, put }]
  })
}

/** @returns the components; two that differ and would have one name stay where they are, but for the first */
function shareEach(
  operations: readonly Operation[],
  kind: 'responses' | 'parameters',
  placesOf: (operation: Operation) => Place[],
): Record<string, object> {
  const places = operations.flatMap(placesOf)
  const uses = Map.groupBy(places, ({ value }) => JSON.stringify(value))
  const shared: Record<string, object> = {}
  for (const same of uses.values()) {
    const [first] = same
    if (!first || same.length < first.least || Object.hasOwn(shared, first.name)) continue
    shared[first.name] = first.value
    for (const { put } of same) put({ $ref: `#/components/${kind}/${first.name}` })
  }
  return Object.fromEntries(Object.entries(shared).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** `not_found`, `Idempotency-Key`: NotFound, IdempotencyKey. */
function pascal(name: string): string {
  return name.replaceAll(/(?:^|[_-])([A-Za-z])/g, (_, letter: string) => letter.toUpperCase())
}
