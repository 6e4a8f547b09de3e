/** Every answer that a test of the API gets is one that the document names: its status, its code, its headers, its body. */
import { errorRegistry, registerFormats, type ErrorCode, type JsonSchema } from '@culvert/contracts'
import { Compile } from 'typebox/compile'
import { codesOf, type OpenApi } from '../openapi/complete.ts'
import { resolveAnswers } from '../openapi/share.ts'
import { problemContentType } from '../problem.ts'

interface Given {
  readonly method: string
  readonly url: string
}
interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/** Of requests that no operation saw. */
const before = new Set(['not_found', 'method_not_allowed', 'malformed_request', 'uri_too_long', 'headers_too_large'])

/** @returns a function that throws when an answer is not as the document says */
export function documentCheck(document: OpenApi): (given: Given, seen: Seen) => void {
  registerFormats()
  const components = local(document.components.schemas)
  const compiled = new WeakMap<object, ReturnType<typeof Compile>>()
  const validatorOf = (schema: JsonSchema): ReturnType<typeof Compile> => {
    const known = compiled.get(schema) ?? Compile(components as never, local(schema) as never)
    compiled.set(schema, known)
    return known
  }
  const paths = Object.entries(document.paths)
    .map(([path, item]) => ({
      item,
      names: [...path.matchAll(/\{\w+\}/g)].length,
      pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    }))
    .toSorted((one, other) => one.names - other.names)
  return ({ method, url }, { status, headers, body }) => {
    const path = url.split('?')[0] ?? ''
    const operation = paths.find(({ pattern }) => pattern.test(path))?.item[method.toLowerCase()]
    if (!operation) return
    const code = (body as { code?: string } | null)?.code ?? ''
    const said = `${method} ${path} answered ${status} ${code}`
    const contentType = headers['content-type']
    const type = typeof contentType === 'string' ? (contentType.split(';')[0] ?? '') : ''
    const answer = resolveAnswers(document, operation)[String(status)]
    if (type === problemContentType) {
      if (before.has(code)) return
      if (!answer || !codesOf(answer).includes(code as ErrorCode))
        throw new Error(`${said}, which its route does not name`)
      if (errorRegistry[code as ErrorCode].status !== status)
        throw new Error(`${said}, which is not the status of the code`)
    }
    if (!answer) throw new Error(`${said}, which its route does not name`)
    for (const name of Object.keys(answer.headers ?? {}))
      if (headers[name.toLowerCase()] === undefined) throw new Error(`${said} without the header ${name}`)
    const schema = answer.content?.[type]?.schema
    if (answer.content && !schema) throw new Error(`${said} as ${type}, which its route does not name`)
    if (!schema || !/[/+]json$/.test(type)) return
    const validator = validatorOf(schema)
    if (validator.Check(body)) return
    const [fault] = validator.Errors(body)
    throw new Error(`${said}: ${fault?.instancePath} ${fault?.message} in ${JSON.stringify(body)}`)
  }
}

const local = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('#/components/schemas/', '')) as T
