/** The document as a reader and as tools see it. No database: the routes are only looked at. */
import {
  errorCodes,
  errorRegistry,
  eventTypes,
  operationErrorCodes,
  registerFormats,
  type ErrorCode,
  type JsonSchema,
} from '@culvert/contracts'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Value } from 'typebox/value'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildApi } from '../build-api.ts'
import { documentCheck } from '../testing/document-check.ts'
import { codesOf, mediaOf, type OpenApi, type Operation } from './complete.ts'
import { resolveAnswers } from './share.ts'
import { tags } from './tags.ts'

registerFormats()

/** That there is no operation is the answer of none; what operations end with stands in their `error`. */
const elsewhere = new Set<ErrorCode>(['method_not_allowed', ...operationErrorCodes])

const whereExamplesAre =
  "give its field `examples: [...]`, or its object `'x-example': { ... }`, beside the schema in packages/contracts/src/resources"

let document: OpenApi & { security: object[]; tags: { name: string }[] }
let operations: (Operation & { tags?: string[]; description?: string })[] = []

beforeAll(async () => {
  const api = await buildApi({
    databaseUrl: 'postgresql://nobody@127.0.0.1:1/nothing',
    sealingPublicKey: Buffer.alloc(32, 9).toString('base64url'),
  })
  document = JSON.parse(JSON.stringify(api.swagger())) as typeof document
  await api.close()
  operations = Object.values(document.paths).flatMap((item) => Object.values(item))
  operations = operations.map((operation) => ({ ...operation, responses: resolveAnswers(document, operation) }))
})

describe('the OpenAPI document', () => {
  it('has no fault that a linter finds', async () => {
    const config = await createConfig({ extends: ['recommended-strict'], rules })
    const found = await lintFromString({ source: JSON.stringify(document), config })
    expect(found.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([])
  })

  it('has an example for every body and answer, and each is what its schema says', () => {
    const without = mediaOf(document)
      .filter(({ type, media }) => type !== 'application/pkix-crl' && exampleValues(media).length === 0)
      .map(({ where }) => where)
    expect(without, whereExamplesAre).toEqual([])
    const components = local(document.components.schemas)
    const wrong = mediaOf(document).flatMap(({ where, media }) =>
      exampleValues(media).flatMap((value) =>
        faultsOf(components, media.schema, value).map((fault) => `${where} ${fault}`),
      ),
    )
    expect(wrong, whereExamplesAre).toEqual([])
  })

  it('has an example for every component', () => {
    const without = Object.entries(document.components.schemas).filter(([, { examples }]) => examples === undefined)
    expect(
      without.map(([name]) => name),
      whereExamplesAre,
    ).toEqual([])
  })

  it('shows the problem of every code that an operation names, under its status', () => {
    for (const { operationId, responses } of operations)
      for (const [status, answer] of Object.entries(responses)) {
        const media = answer.content?.['application/problem+json']
        if (!media) continue
        expect([operationId, Object.keys(media.examples ?? {})]).toEqual([operationId, codesOf(answer)])
        expect(codesOf(answer).length).toBeGreaterThan(0)
        for (const code of codesOf(answer)) expect(errorRegistry[code].status).toBe(Number(status))
      }
  })

  it('names every code of the registry somewhere, but those of requests that no route saw', () => {
    const named = new Set(operations.flatMap(({ responses }) => Object.values(responses).flatMap(codesOf)))
    expect(
      errorCodes.filter((code) => !named.has(code) && !elsewhere.has(code)),
      'name the code in `problems(...)` of its routes, or remove it from the registry',
    ).toEqual([])
  })

  it('groups operations by tags that are described, each of which has some', () => {
    const used = new Set(operations.flatMap((operation) => operation.tags ?? []))
    const described = tags.map(({ name }) => name)
    expect([...used].toSorted(), 'describe tags in apps/api/src/openapi/tags.ts').toEqual(described.toSorted())
  })

  it('has a webhook for every type of event, with the headers of Standard Webhooks', () => {
    expect(Object.keys(document.webhooks ?? {})).toEqual(eventTypes)
    for (const { post } of Object.values(document.webhooks ?? {})) {
      const names = (post as unknown as { parameters: { name: string; in: string }[] }).parameters
      expect(names.map((parameter) => parameter.name)).toEqual(['webhook-id', 'webhook-timestamp', 'webhook-signature'])
    }
  })

  it('tells nothing of how examples are written', () => {
    expect(JSON.stringify(document)).not.toContain('x-example')
  })
})

describe('an answer in a test of the API', () => {
  const deviceId = `dev_${'a'.repeat(20)}`
  const headers = { 'x-request-id': 'r', etag: '"1.x"', 'content-type': 'application/json; charset=utf-8' }
  const problem = { ...headers, 'content-type': 'application/problem+json' }
  const given = { method: 'GET', url: `/v1/devices/${deviceId}?x=1` }
  const { etag: _, ...untagged } = headers

  it.each([
    ['has another status', { status: 202, headers, body: {} }, '202 , which its route does not name'],
    ['has another code', { status: 404, headers: problem, body: { code: 'no_gateway' } }, 'does not name'],
    ['lacks a header', { status: 200, headers: untagged, body: {} }, 'without the header ETag'],
    [
      'is of another type',
      { status: 200, headers: { ...headers, 'content-type': 'text/csv' }, body: null },
      'as text/csv',
    ],
    ['has another body', { status: 200, headers, body: { id: deviceId } }, 'in {"id"'],
  ])('that %s than the document says fails it', (_what, seen, message) => {
    const check = documentCheck(document)
    expect(() => check(given, seen)).toThrow(message)
  })
})

/** Beyond what the linter recommends, and the few things where we differ. */
const rules = {
  'info-license': 'off', // it is not public
  'operation-4xx-response': 'off', // health and lists without input
  'operation-2xx-response': 'off', // a browser is sent on (302); openapi.test.ts wants 2xx or 3xx of all
  'no-empty-servers': 'error',
  'no-invalid-media-type-examples': { severity: 'error', allowAdditionalProperties: true },
  'no-invalid-schema-examples': { severity: 'error', allowAdditionalProperties: true },
  'no-invalid-parameter-examples': 'error',
  'operation-description': 'off',
  'tag-description': 'error',
  'operation-tag-defined': 'error',
  'operation-operationId': 'error',
  'operation-operationId-url-safe': 'error',
  'no-server-trailing-slash': 'off', // the only server is the one that the document comes from
  'spec-strict-refs': 'error',
} as const

function exampleValues(media: { example?: unknown; examples?: Record<string, { value: unknown }> }): unknown[] {
  const named = Object.values(media.examples ?? {}).map(({ value }) => value)
  return 'example' in media ? [media.example, ...named] : named
}

const local = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('#/components/schemas/', '')) as T

function faultsOf(components: object, schema: JsonSchema, value: unknown): string[] {
  return Value.Errors(components as never, local(schema) as never, value).map(
    ({ instancePath, message }) => `${instancePath} ${message}`,
  )
}
