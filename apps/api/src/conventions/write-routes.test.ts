/** Every operation that writes, as the OpenAPI document names it: whoever adds one is held to this too. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { OpenApi } from '../openapi/complete.ts'
import { resolveParameters } from '../openapi/share.ts'
import { newConcentrator, newDevice, openHarness, type Answer, type Harness } from '../testing/harness.ts'

interface Schema {
  readonly type?: string
  readonly properties?: Record<string, Schema>
  readonly anyOf?: readonly Schema[]
  readonly $ref?: string
}
interface Operation {
  readonly operationId: string
  readonly security?: object[]
  readonly 'x-permission'?: string | string[]
  readonly parameters?: { readonly name: string; readonly in: string; readonly description?: string }[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema; readonly example?: unknown }> }
}
interface Write {
  readonly method: string
  readonly url: string
  readonly operation: Operation
}

let harness: Harness
let writes: Write[] = []

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  const deviceId = await newDevice(harness.call)
  const { body } = await harness.call<OpenApi>('GET', '/openapi.json')
  const ids: Record<string, string> = { deviceId, ...sampleIds }
  writes = Object.entries(body.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ['post', 'patch', 'put', 'delete'].includes(method))
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        url: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? `${name.slice(0, 3)}_${'a'.repeat(20)}`),
        operation: { ...operation, parameters: resolveParameters(body, operation) } as unknown as Operation,
      })),
  )
})
afterAll(() => harness.close())

const sampleIds = {
  apiKeyId: `key_${'a'.repeat(16)}`,
  memberId: `mem_${'a'.repeat(20)}`,
  operationId: `opn_${'a'.repeat(20)}`,
  credentialId: `crd_${'a'.repeat(20)}`,
  tunnelId: `tun_${'a'.repeat(20)}`,
  networkId: `net_${'a'.repeat(20)}`,
  thresholdId: `uth_${'a'.repeat(20)}`,
  endpointId: `whe_${'a'.repeat(20)}`,
  deliveryId: `whd_${'a'.repeat(20)}`,
}
/** Of who runs the installation where nobody else may call. */
const keyFor = ({ operation }: Write): string =>
  String(operation['x-permission']).startsWith('installation:') ? harness.operatorKey : harness.organization.key
const withJson = (): Write[] => writes.filter(({ operation }) => operation.requestBody?.content['application/json'])
const describeFault = ({ method, url }: Write, what: string, { status }: Answer<unknown>): string =>
  `${method} ${url} ${what}: ${status}`

/** What belongs to organizations, as one text; what a call leaves behind anyway is not in it. */
async function state(): Promise<string> {
  const tables = [
    'organizations',
    'networks',
    'devices',
    'credentials',
    'tunnels',
    'events',
    'api_keys',
    'operations',
    'webhook_endpoints',
    'webhook_keys',
    'webhook_deliveries',
    'idempotency_keys',
  ]
  const sums = tables.map(async (table) => {
    const { rows } = await harness.pool.query(
      `SELECT md5(coalesce(string_agg((to_jsonb(t) - 'last_used_at' - 'last_used_address')::text, '|' ORDER BY t::text), '')) AS sum FROM ${table} t`,
    )
    return `${table} ${rows[0].sum}`
  })
  return (await Promise.all(sums)).join('\n')
}

it('has operations to look at', () => {
  expect(withJson().length).toBeGreaterThan(8)
})

/** A body that no schema takes: were the check passed by, the answer would be another than these. */
const unknownField = '{"xNoSuchField":1}'
const contentTypes = [
  'application/json ;',
  'application/json;',
  ' application/json',
  '\tapplication/json',
  'application/json\t;charset=utf-8',
  'APPLICATION/JSON',
  'application/json;charset=utf-8;charset=utf-16',
  'application/json, application/json',
  'application/jsonx',
  'application/vnd.api+json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json/json',
  '*/*',
  'json',
  '',
]

describe('A05 on every route that writes', () => {
  it.each(contentTypes)('the schema holds whatever the content type is called: %j', async (type) => {
    const before = await state()
    const faults: string[] = []
    for (const write of withJson()) {
      const answer = await harness.call(write.method, write.url, {
        key: keyFor(write),
        raw: unknownField,
        headers: { 'content-type': type },
      })
      if (![400, 415].includes(answer.status)) faults.push(describeFault(write, type, answer))
    }
    expect(faults).toEqual([])
    expect(await state()).toBe(before)
  })

  it.each([
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"name":{"__proto__":{"polluted":1}}}',
    '{"tags":[{"__proto__":{"polluted":1}}]}',
    '{"\\u005f\\u005fproto\\u005f\\u005f":{"polluted":1}}',
  ])('a prototype is no field: %s', async (raw) => {
    const before = await state()
    const faults: string[] = []
    for (const write of withJson()) {
      const answer = await harness.call(write.method, write.url, { key: keyFor(write), raw })
      if (answer.status !== 400) faults.push(describeFault(write, raw, answer))
    }
    expect(faults).toEqual([])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(await state()).toBe(before)
  })

  it.each(['__proto__=1', '__proto__[polluted]=1', 'constructor.prototype.polluted=1', 'xNoSuchField=1'])(
    'nor is it a parameter: ?%s',
    async (query) => {
      const faults: string[] = []
      expect(writes.filter(canBeTried).length).toBeGreaterThan(8)
      for (const write of writes.filter(canBeTried)) {
        const body = write.operation.requestBody?.content['application/json']?.example
        const answer = await harness.call(write.method, `${write.url}?${query}`, {
          key: keyFor(write),
          ...(body === undefined ? {} : { body }),
        })
        if (answer.status !== 400) faults.push(describeFault(write, query, answer))
      }
      expect(faults).toEqual([])
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    },
  )

  it('spoofed X-Forwarded headers change no answer', async () => {
    const headers = {
      'x-forwarded-for': '198.51.100.7',
      'x-forwarded-host': 'evil.test',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-prefix': '/evil',
      forwarded: 'for=198.51.100.7;host=evil.test',
      'x-original-url': '/v1/devices',
      'x-http-method-override': 'DELETE',
    }
    const faults: string[] = []
    for (const write of writes.filter(canBeTried)) {
      const url = `${write.url}?validateOnly=true`
      const body = write.operation.requestBody?.content['application/json']?.example
      const answer = await harness.call(write.method, url, {
        key: keyFor(write),
        ...(body === undefined ? {} : { body }),
        headers,
      })
      if (JSON.stringify([answer.headers, answer.text]).includes('evil'))
        faults.push(describeFault(write, 'says it', answer))
      if (answer.status >= 500 && answer.status !== 503) faults.push(describeFault(write, 'breaks', answer))
    }
    expect(faults).toEqual([])
  })
})

/** Operations that run for long try in a way of their own. */
const canBeTried = ({ operation }: Write): boolean =>
  operation.parameters?.some(
    ({ name, description }) => name === 'validateOnly' && description?.startsWith('Only try'),
  ) ?? false

describe('A12 on every route that writes', () => {
  const deep = (depth: number): string => `{"name":${'['.repeat(depth)}${']'.repeat(depth)}}`
  const prefixes = JSON.stringify(
    Array.from(
      { length: 1_000_000 },
      (_, index) => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}/32`,
    ),
  )

  it.each([
    ['JSON 30 000 deep', deep(30_000)],
    ['a text of 60 000 characters in every field', null],
    ['a list of 8 000 in every field', 'lists'],
    ['10^6 prefixes', `{"allowFrom":${prefixes},"lanPrefixes":${prefixes}}`],
    ['a field of 60 000 characters', `{"${'x'.repeat(60_000)}":1}`],
    ['20 000 fields', `{${Array.from({ length: 9_000 }, (_, index) => `"${index}":1`).join(',')}}`],
  ])(
    'is refused in time: %s',
    async (_what, raw) => {
      const before = await state()
      const faults: string[] = []
      for (const write of withJson()) {
        const fields = Object.keys(write.operation.requestBody?.content['application/json']?.example ?? { name: '' })
        const bodies =
          raw === null
            ? fields.flatMap((name) =>
                ['a', '1', '-', '.', ':', ' ', '/'].map((one) => JSON.stringify({ [name]: `${one.repeat(60_000)}!` })),
              )
            : raw === 'lists'
              ? fields.map((name) => JSON.stringify({ [name]: Array.from({ length: 8_000 }, () => 'a') }))
              : [raw]
        for (const body of bodies) {
          const answer = await harness.call(write.method, write.url, { key: keyFor(write), raw: body })
          if (![400, 413].includes(answer.status)) faults.push(describeFault(write, body.slice(0, 40), answer))
        }
      }
      expect(faults).toEqual([])
      expect(await state()).toBe(before)
    },
    60_000,
  )

  it('a storm of creations and deletions has each thing deleted once', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => newDevice(harness.call)))
    const gone = await Promise.all(
      ids.flatMap((id) => [harness.call('DELETE', `/v1/devices/${id}`), harness.call('DELETE', `/v1/devices/${id}`)]),
    )
    expect(gone.filter(({ status }) => status === 204)).toHaveLength(ids.length)
    expect(gone.filter(({ status }) => status === 404)).toHaveLength(ids.length)
  })
})

describe('validateOnly', () => {
  it('is taken by every POST and PATCH that needs a key, and what is only tried changes nothing', async () => {
    const before = await state()
    const tried: string[] = []
    for (const write of writes.filter(canBeTried)) {
      const body = write.operation.requestBody?.content['application/json']?.example
      const answer = await harness.call(write.method, `${write.url}?validateOnly=true`, {
        key: keyFor(write),
        ...(body === undefined ? {} : { body }),
      })
      tried.push(`${write.operation.operationId} ${answer.status}`)
      expect([write.operation.operationId, answer.status < 500 || answer.status === 503]).toEqual([
        write.operation.operationId,
        true,
      ])
      if (answer.status < 300) expect(answer.headers['validate-only']).toBe('true')
    }
    expect(await state()).toBe(before)
    expect(tried).toContain('createDevice 201')
    expect(tried).toContain('updateDevice 200')
    expect(tried).toContain('issueCredential 201')
    const expected = writes.filter(({ method, operation }) => method !== 'DELETE' && operation.security === undefined)
    const cannot = expected
      .filter(({ operation }) => !operation.parameters?.some(({ name }) => name === 'validateOnly'))
      .map(({ operation }) => operation.operationId)
    expect(cannot).toEqual([])
  })

  it('answers as it would be, refusals too, and the ids of what was tried are nobody’s', async () => {
    const tried = await harness.call<{ id: string; iccid: string }>('POST', '/v1/devices?validateOnly=true', {
      body: { iccid: '89490000000000000015' },
    })
    expect(tried).toMatchObject({ status: 201, body: { iccid: '89490000000000000015' } })
    expect((await harness.call('GET', `/v1/devices/${tried.body.id}`)).status).toBe(404)
    expect((await harness.call('POST', '/v1/devices', { body: { iccid: '89490000000000000015' } })).status).toBe(201)
    const refused = await harness.call('POST', '/v1/devices?validateOnly=true', {
      body: { iccid: '89490000000000000015' },
    })
    expect(refused).toMatchObject({ status: 409, body: { code: 'duplicate_iccid' } })
  })
})

describe('If-Match', () => {
  it('with another version is refused by every PATCH', async () => {
    const before = await state()
    const answers: [string, number][] = []
    for (const write of writes.filter(({ method }) => method === 'PATCH')) {
      const body = write.operation.requestBody?.content['application/json']?.example
      const answer = await harness.call(write.method, write.url, {
        key: keyFor(write),
        body,
        headers: { 'if-match': '"999"' },
      })
      answers.push([write.operation.operationId, answer.status])
    }
    expect(answers.filter(([, status]) => status !== 412 && status !== 404)).toEqual([])
    expect(answers).toContainEqual(['updateDevice', 412])
    expect(answers).toContainEqual(['updateOrganization', 412])
    expect(await state()).toBe(before)
  })
})
