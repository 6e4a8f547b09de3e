import { DomainError, errorCodes, errorRegistry, operationErrorCodes, Problem } from '@culvert/contracts'
import { createLogger } from '@culvert/observability'
import { waitFor } from '@culvert/testkit'
import Fastify from 'fastify'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newDevice, openHarness, type Harness } from '../testing/harness.ts'
import type { Api } from '../context.ts'
import { buildApi } from '../index.ts'
import type { OpenApi } from '../openapi/complete.ts'
import { resolveAnswers } from '../openapi/share.ts'
import { deprecation } from './deprecation.ts'
import { rateLimits } from './rate-limits.ts'

let harness: Harness
let deviceId = ''

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  deviceId = await newDevice(harness.call)
})
afterAll(() => harness.close())

describe('ETag and If-None-Match', () => {
  const read = (headers: Record<string, string> = {}): ReturnType<Harness['call']> =>
    harness.call('GET', `/v1/devices/${deviceId}`, { headers })

  it('a resource that is as it was read answers 304 without a body (RFC 9110 13.1.2)', async () => {
    const etag = String((await read()).headers['etag'])
    for (const header of [etag, `"x", W/${etag}`, '*']) {
      const again = await read({ 'if-none-match': header })
      expect([again.status, again.text, again.headers['etag'], again.headers['content-type']]).toEqual([
        304,
        '',
        etag,
        undefined,
      ])
    }
    expect((await read({ 'if-none-match': '"x", "1"' })).status).toBe(200)
  })

  it('the tag changes with what the version does not count, and If-Match holds all the same (RFC 9110 8.8.3)', async () => {
    const before = await read()
    await harness.pool.query(`UPDATE devices SET updated_at = updated_at + interval '1 hour' WHERE id = $1`, [deviceId])
    const after = await read({ 'if-none-match': String(before.headers['etag']) })
    expect([after.status, after.headers['etag'] === before.headers['etag']]).toEqual([200, false])
    const change = (etag: unknown): ReturnType<Harness['call']> =>
      harness.call('PATCH', `/v1/devices/${deviceId}`, { body: { name: 'x' }, headers: { 'if-match': String(etag) } })
    expect((await change(before.headers['etag'])).status).toBe(200)
    expect((await change(before.headers['etag'])).status).toBe(412)
  })
})

describe('a body without any field that must be there', () => {
  const at = '/v1/webhook-endpoints'
  const newEndpoint = async (): Promise<string> => {
    const body = { name: 'x', url: 'https://hooks.example.com/x' }
    return (await harness.call<{ id: string }>('POST', at, { body })).body.id
  }

  it('may be left out where the document says so, and is as if it were {}', async () => {
    const endpoint = await newEndpoint()
    const rotated = await harness.call<{ keys: object[] }>('POST', `${at}/${endpoint}/rotate-secret`)
    expect([rotated.status, rotated.body.keys.length]).toEqual([200, 2])
    const json = { headers: { 'content-type': 'application/json' }, raw: '' }
    expect((await harness.call('POST', `${at}/${endpoint}/enable`, json)).status).toBe(200)
    const { paths } = (await harness.call<OpenApi>('GET', '/openapi.json')).body
    const operations = Object.values(paths).flatMap((item) => Object.values(item))
    const free = operations.filter(({ requestBody }) => requestBody?.required === false)
    expect(free.map(({ operationId }) => operationId).toSorted()).toEqual([
      'enableWebhookEndpoint',
      'rotateApiKey',
      'rotateSigningKeys',
      'rotateWebhookSecret',
    ])
  })

  it('may be null nowhere, and is needed everywhere else', async () => {
    const endpoint = await newEndpoint()
    expect((await harness.call('POST', `${at}/${endpoint}/enable`, { raw: 'null' })).status).toBe(400)
    expect((await harness.call('POST', `${at}/${endpoint}/replay`)).status).toBe(400)
    expect((await harness.call('POST', `/v1/devices/${deviceId}/credentials`)).status).toBe(400)
  })
})

describe('trace context (W3C)', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'

  it('goes on with a span of our own, and stands in the log', async () => {
    const lines: string[] = []
    const logger = createLogger('api', 'debug', { write: (line: string) => void lines.push(line) })
    const traced = await openHarness(inject('databaseUrl'), { logger })
    const answer = await traced.call('GET', '/v1/nothing', {
      headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    })
    await traced.close()
    expect(answer.headers['traceparent']).toMatch(new RegExp(`^00-${trace}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`))
    expect(lines.filter((line) => line.includes(trace)).length).toBeGreaterThan(0)
  })

  it.each([
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `ff-${trace}-00f067aa0ba902b7-01`,
    `00-${trace}-00f067aa0ba902b7`,
    'nonsense',
  ])('that is none is left alone: %s', async (traceparent) => {
    const answer = await harness.call('GET', '/v1/nothing', { headers: { traceparent } })
    expect([answer.status, answer.headers['traceparent']]).toEqual([404, undefined])
  })
})

it('a deprecated route says so in its answer and its description (RFC 9745, RFC 8594)', async () => {
  const api = Fastify() as unknown as Api
  deprecation(api)
  let described: unknown
  api.addHook('onRoute', (route) => void (described = route.schema))
  const deprecated = { since: '2026-01-01T00:00:00Z', sunset: '2027-01-01T00:00:00Z', link: 'https://docs.test/new' }
  api.get('/old', { config: { deprecated }, schema: { description: 'Old.' } }, async () => ({}))
  const { headers } = await api.inject('/old')
  expect(headers).toMatchObject({
    deprecation: '@1767225600',
    sunset: 'Fri, 01 Jan 2027 00:00:00 GMT',
    link: '<https://docs.test/new>; rel="deprecation"; type="text/html"',
  })
  expect(described).toMatchObject({ deprecated: true, description: expect.stringContaining('stops working') })
})

describe('the registry of problems', () => {
  /** That there is no operation is the answer of none: this list only shrinks. */
  const ofNoOperation: readonly string[] = ['method_not_allowed']

  it('and the OpenAPI document name the same codes, in both directions', async () => {
    const { body } = await harness.call<OpenApi>('GET', '/openapi.json')
    const named = new Set<string>(operationErrorCodes)
    for (const item of Object.values(body.paths))
      for (const operation of Object.values(item))
        for (const [status, { description = '' }] of Object.entries(resolveAnswers(body, operation)))
          for (const [, code = ''] of description.matchAll(/`([a-z_]+)`: /g)) {
            named.add(code)
            expect([code, errorRegistry[code as keyof typeof errorRegistry]?.status]).toEqual([code, Number(status)])
          }
    expect(errorCodes.filter((code) => !named.has(code) && !ofNoOperation.includes(code))).toEqual([])
  })

  it('has no code that nothing can answer with', () => {
    const root = path.join(import.meta.dirname, '../../../..')
    const files = fs
      .globSync('{apps,packages}/*/src/**/*.ts', { cwd: root })
      .filter((file) => !/\.test\.ts$|contracts\/src\/errors\.ts$|\/sdk\//.test(file))
    const sources = files.map((file) => fs.readFileSync(path.join(root, file), 'utf8')).join('\n')
    // In quotes, and not only where a route says what it may answer.
    const thrown = sources.replaceAll(/problems\w*\([^)]*\)/gis, '')
    expect(errorCodes.filter((code) => !new RegExp(`['\`"]${code}['\`"]`).test(thrown))).toEqual([])
  })

  it.each(errorCodes)('has a page for people and one for programs about %s, where `type` leads', async (code) => {
    const type = new URL(`/errors/${code}`, 'http://x').pathname
    const page = await harness.call('GET', type, { key: null, headers: { accept: 'text/html,*/*;q=0.8' } })
    expect([page.status, page.headers['content-type'], page.text.includes(code)]).toEqual([
      200,
      'text/html; charset=utf-8',
      true,
    ])
    expect((await harness.call('GET', type, { key: null })).body).toMatchObject({ code, ...errorRegistry[code] })
  })
})

describe('rate limits', () => {
  const limited = (
    limits: Partial<{ organization: number; key: number; address: number }>,
    redisUrl?: string,
  ): Promise<Harness> =>
    openHarness(inject('databaseUrl'), {
      rateLimits: { organization: 0, key: 0, address: 0, ...limits },
      ...(redisUrl ? { redisUrl } : {}),
    })
  const statuses = async (calls: Promise<{ status: number }>[]): Promise<number[]> =>
    (await Promise.all(calls)).map(({ status }) => status)

  it('say what is left, and 429 with Retry-After when nothing is (draft-ietf-httpapi-ratelimit-headers-11)', async () => {
    const own = await limited({ organization: 5, key: 3 })
    const first = await own.call('GET', '/v1/devices')
    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"organization";q=5;w=60, "key";q=3;w=60',
      ratelimit: expect.stringMatching(/^"organization";r=4;t=\d+, "key";r=2;t=\d+$/),
    })
    expect(await statuses([own.call('GET', '/v1/devices'), own.call('GET', '/v1/devices')])).toEqual([200, 200])
    const over = await own.call<{ code: string }>('GET', '/v1/devices')
    expect(over).toMatchObject({
      status: 429,
      body: { code: 'rate_limited' },
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
    })
    expect((await own.call('GET', '/v1/devices', { key: own.other.key })).status).toBe(200)
    for (const url of ['/health/ready', '/docs', '/openapi.json'])
      expect(await statuses(Array.from({ length: 8 }, () => own.call('GET', url, { key: null })))).not.toContain(429)
    await own.close()
  })

  it('of failures stop an address before it is asked who calls, but not who has proven itself there', async () => {
    const own = await limited({ address: 4 })
    expect((await own.call('GET', '/v1/devices')).status).toBe(200)
    const wrong = { key: 'culvert_wrong' }
    const failures = await statuses(Array.from({ length: 5 }, () => own.call('GET', '/v1/devices', wrong)))
    expect(failures).toEqual([401, 401, 401, 401, 401])
    expect((await own.call('GET', '/v1/devices', wrong)).status).toBe(429)
    expect((await own.call('GET', '/v1/devices', { key: own.other.key })).status).toBe(429)
    expect((await own.call('GET', '/v1/devices')).status).toBe(200)
    await own.close()
  })

  it('hold in one process while Redis is away', async () => {
    const own = await limited({ key: 2 }, 'redis://127.0.0.1:1')
    expect(await statuses([own.call('GET', '/v1/devices'), own.call('GET', '/v1/devices')])).toEqual([200, 200])
    expect((await own.call('GET', '/v1/devices')).status).toBe(429)
    await own.close()
  })

  it('take an IPv6 address for its /64', async () => {
    const api = Fastify({ trustProxy: true }) as unknown as Api
    api.addSchema(Problem)
    const limits = rateLimits(api, { organization: 0, key: 0, address: 1 }, { logger: createLogger('api', 'silent') })
    api.addHook('onRequest', limits.beforeAuthentication)
    api.setErrorHandler((error, _request, reply) => reply.code(error instanceof DomainError ? 429 : 500).send({}))
    api.get('/x', { config: { permission: 'public' } }, async () => ({}))
    const from = async (address: string): Promise<number> =>
      (await api.inject({ url: '/x', headers: { 'x-forwarded-for': address } })).statusCode
    expect(await from('2001:db8:0:1::7')).toBe(200)
    expect(await from('2001:db8:0:1:ffff::8')).toBe(429)
    expect(await from('2001:db8:0:2::7')).toBe(200)
    expect(await from('::ffff:192.0.2.1')).toBe(200)
    expect(await from('192.0.2.1')).toBe(429)
  })

  const redisUrl = inject('redisUrl')
  it.runIf(redisUrl)('count the calls of all processes together through Redis', async () => {
    const one = await limited({ organization: 1_000 }, redisUrl ?? undefined)
    const two = await buildApi({
      databaseUrl: one.databaseUrl,
      sealingPublicKey: one.sealing.publicKey,
      redisUrl: redisUrl ?? undefined,
      rateLimits: { organization: 1_000, key: 0, address: 0 },
    })
    const headers = { authorization: `Bearer ${one.organization.key}` }
    const left = async (api: typeof two): Promise<number> =>
      Number(/r=(\d+)/.exec(String((await api.inject({ url: '/v1/devices', headers })).headers['ratelimit']))?.[1])
    // Until both have their connections each counts for itself.
    const isShared = await waitFor(async () => (await left(one.api)) - (await left(two)) === 1)
    expect(isShared).toBe(true)
    await Promise.all([one.close(), two.close()])
  })
})
