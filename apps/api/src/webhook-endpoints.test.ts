/** Webhook endpoints over REST: making, filters, rotation, disabling and recovery, the log, and what another organization sees. */
import type {
  IssuedWebhookEndpoint,
  Operation,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhookEndpoint,
} from '@culvert/contracts'
import { createKeyRing, maxWebhookEndpoints, webhookKeyBinding } from '@culvert/db'
import { readWebhookKey } from '@culvert/webhooks'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newDevice, openHarness, type Harness } from './testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
})
afterAll(() => harness.close())

const url = 'https://hooks.example.com/culvert'
const problem = (code: string) => expect.objectContaining({ code })

async function newEndpoint(body: object = {}): Promise<IssuedWebhookEndpoint> {
  const answer = await harness.call<IssuedWebhookEndpoint>('POST', '/v1/webhook-endpoints', {
    body: { name: 'test', url, ...body },
  })
  expect(answer.status, answer.text).toBe(201)
  return answer.body
}
const at = ({ id }: { id: string }, rest = ''): string => `/v1/webhook-endpoints/${id}${rest}`

/** What a worker can open of the keys of an endpoint. */
async function keysOf(endpointId: string): Promise<string[]> {
  const { rows } = await harness.pool.query<{ id: string; sealed_key: Buffer; sealing_key_id: string }>(
    'SELECT id, sealed_key, sealing_key_id FROM webhook_keys WHERE endpoint_id = $1 ORDER BY expires_at DESC NULLS FIRST',
    [endpointId],
  )
  const ring = createKeyRing([harness.sealing.privateKey])
  return rows.map((row) => {
    const binding = webhookKeyBinding(harness.organization.id, endpointId, row.id)
    return new TextDecoder().decode(ring.open(row.sealed_key, binding, row.sealing_key_id) ?? new Uint8Array())
  })
}

describe('a webhook endpoint', () => {
  it('enters the audit log without the path of its URL, which may be a secret', async () => {
    const made = await newEndpoint({ url: `${url}?token=first-secret` })
    const body = { url: 'https://hooks.example.com/other/second-secret' }
    expect((await harness.call('PATCH', at(made), { body })).status).toBe(200)
    expect((await harness.call('DELETE', at(made))).status).toBe(204)
    const { text, body: log } = await harness.call<{ data: object[] }>('GET', `/v1/audit-log?targetId=${made.id}`)
    const shown = 'https://hooks.example.com/…'
    expect(log.data).toMatchObject([
      { action: 'webhook.deleted', before: { url: shown } },
      { action: 'webhook.updated', before: { url: shown }, after: { url: shown } },
      { action: 'webhook.created', after: { url: shown } },
    ])
    expect(text).not.toContain('-secret')
    const { rows } = await harness.pool.query<{ data: object }>(
      `SELECT data FROM events WHERE resource_id = $1 AND type = 'webhook.updated'`,
      [made.id],
    )
    expect(rows).toEqual([{ data: { changed: ['url'] } }])
  })

  it('is made with a secret that is shown once, and that the workers can open', async () => {
    const made = await newEndpoint({ eventTypes: ['device.online', 'tunnel.*'], deviceTags: ['env=prod'] })
    expect(made).toMatchObject({
      url,
      state: 'enabled',
      eventTypes: ['device.online', 'tunnel.*'],
      keys: [{ signing: 'hmac', publicKey: null, expiresAt: null }],
    })
    expect(await keysOf(made.id)).toEqual([made.secret])
    const read = await harness.call<WebhookEndpoint>('GET', at(made))
    expect(read.body).not.toHaveProperty('secret')
    expect(read.headers.etag).toMatch(/^"1/)
    const listed = await harness.call<{ data: WebhookEndpoint[] }>('GET', '/v1/webhook-endpoints')
    expect(listed.body.data.map(({ id }) => id)).toContain(made.id)
    expect(listed.text).not.toContain('whsec_')
  })

  it('may have an Ed25519 key, of which the public half alone is shown', async () => {
    const made = await newEndpoint({ signing: 'ed25519' })
    expect(made.secret).toBeNull()
    expect(made.keys[0]?.publicKey).toMatch(/^whpk_/)
    const [text = ''] = await keysOf(made.id)
    const key = readWebhookKey(text)
    const publicText = `whpk_${Buffer.from(key?.scheme === 'v1a' ? key.publicKey : '').toString('base64')}`
    expect(publicText).toBe(made.keys[0]?.publicKey)
  })

  it('A10 the API cannot read back the key that it sealed', async () => {
    const { rows } = await harness.pool.query(
      `SELECT has_column_privilege('culvert_api', 'webhook_keys', 'sealed_key', 'SELECT') AS api,
         has_column_privilege('culvert_worker', 'webhook_keys', 'sealed_key', 'SELECT') AS worker`,
    )
    expect(rows).toEqual([{ api: false, worker: true }])
  })

  it.each([
    ['http://hooks.example.com/', 'url_refused'],
    ['https://127.0.0.1/', 'url_refused'],
    ['https://[::ffff:10.0.0.1]/', 'url_refused'],
    ['https://0x7f.1/', 'url_refused'],
    ['https://169.254.169.254/latest', 'url_refused'],
    ['https://user:pass@hooks.example.com/', 'url_refused'],
    ['https://localhost/', 'url_refused'],
    ['https://hooks.example.com:22/', 'url_refused'],
  ])('A01 is not made for %s', async (refused, code) => {
    const answer = await harness.call('POST', '/v1/webhook-endpoints', { body: { name: 'x', url: refused } })
    expect([answer.status, answer.body]).toEqual([422, problem(code)])
    const made = await newEndpoint()
    expect((await harness.call('PATCH', at(made), { body: { url: refused } })).status).toBe(422)
  })

  it('is not made for types that there are not', async () => {
    const body = { name: 'x', url, eventTypes: ['tunnel.opened', 'tunnel.melted', 'nothing.*'] }
    const answer = await harness.call<{ errors: { pointer: string }[] }>('POST', '/v1/webhook-endpoints', { body })
    expect(answer.body).toEqual(problem('validation_failed'))
    expect(answer.body.errors.map(({ pointer }) => pointer)).toEqual(['/eventTypes/1', '/eventTypes/2'])
  })

  it('is changed where it was not changed by others, and tells what', async () => {
    const made = await newEndpoint()
    const changed = await harness.call<WebhookEndpoint>('PATCH', at(made), {
      body: { name: 'other', maxPerSec: 5 },
      headers: { 'if-match': '"1"' },
    })
    expect(changed.body).toMatchObject({ name: 'other', maxPerSec: 5, version: 2 })
    const stale = await harness.call('PATCH', at(made), { body: { name: 'x' }, headers: { 'if-match': '"1"' } })
    expect(stale.body).toEqual(problem('precondition_failed'))
    const { rows } = await harness.pool.query(
      'SELECT type, data FROM events WHERE resource_id = $1 ORDER BY sequence',
      [made.id],
    )
    expect(rows).toEqual([
      { type: 'webhook.created', data: {} },
      { type: 'webhook.updated', data: { changed: ['name', 'maxPerSec'] } },
    ])
  })

  it('gets a new key beside the one so far, for as long as is said', async () => {
    const made = await newEndpoint()
    const rotated = await harness.call<IssuedWebhookEndpoint>('POST', at(made, '/rotate-secret'), { body: {} })
    expect(rotated.body.secret).not.toBe(made.secret)
    expect(rotated.body.keys).toHaveLength(2)
    const [fresh, old] = rotated.body.keys
    expect(fresh?.expiresAt).toBeNull()
    expect(Date.parse(old?.expiresAt ?? '') - Date.now()).toBeGreaterThan(86_000_000)
    expect(await keysOf(made.id)).toEqual([rotated.body.secret, made.secret])
    const again = await harness.call('POST', at(made, '/rotate-secret'), { body: {} })
    expect(again.body).toEqual(problem('webhook_rotating'))
    const atOnce = await harness.call<IssuedWebhookEndpoint>('POST', at(made, '/rotate-secret'), {
      body: { overlapSec: 0, signing: 'ed25519' },
    })
    expect(atOnce.body.keys.map(({ signing }) => signing)).toEqual(['ed25519'])
  })

  it('that is deleted is gone, with its keys', async () => {
    const made = await newEndpoint()
    expect((await harness.call('DELETE', at(made))).status).toBe(204)
    for (const [method, rest] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/test'],
      ['GET', '/deliveries'],
    ] as const)
      expect((await harness.call(method, at(made, rest))).status).toBe(404)
    expect(await keysOf(made.id)).toEqual([])
  })

  it('has no more siblings than an organization may have', async () => {
    const key = harness.other.key
    const { rows } = await harness.pool.query<{ id: string }>(
      `INSERT INTO webhook_endpoints (id, organization_id, name, url)
       SELECT 'whe_' || lpad(i::text, 20, 'a'), $1, 'x', 'https://x.example/' FROM generate_series(1, $2::int) i RETURNING id`,
      [harness.other.id, maxWebhookEndpoints],
    )
    const body = { name: 'x', url }
    const answer = await harness.call('POST', '/v1/webhook-endpoints', { body, key })
    expect(answer.body).toEqual(problem('webhook_endpoint_limit'))
    await harness.pool.query('DELETE FROM webhook_endpoints WHERE id = ANY ($1)', [rows.map(({ id }) => id)])
  })
})

/** A delivery with two attempts, as a worker writes them. */
async function newDelivery(endpoint: { id: string }, state = 'failed'): Promise<string> {
  const deviceId = await newDevice(harness.call)
  const { rows } = await harness.pool.query<{ id: string }>(
    `WITH d AS (
       INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, resource_id, state, attempts, step, next_attempt_at, finished_at)
       SELECT 'whd_' || substr(e.id, 5), e.organization_id, $1, e.id, e.type, e.resource_id, $3, 2, 2,
         CASE WHEN $3 = 'pending' THEN now() END, CASE WHEN $3 <> 'pending' THEN now() END
       FROM events e WHERE e.resource_id = $2 RETURNING id, organization_id
     ), a AS (
       INSERT INTO webhook_attempts (delivery_id, number, organization_id, at, duration_ms, request_headers, status, response_headers, response_body, error, error_detail)
       SELECT d.id, n, d.organization_id, now(), 12, '{"webhook-id":"evt"}', CASE WHEN n = 1 THEN 503 END,
         CASE WHEN n = 1 THEN '{"retry-after":"5"}'::jsonb END, CASE WHEN n = 1 THEN 'later' END,
         CASE WHEN n = 2 THEN 'timeout' END, CASE WHEN n = 2 THEN 'No answer.' END FROM d, generate_series(1, 2) n
     ) SELECT id FROM d`,
    [endpoint.id, deviceId, state],
  )
  return rows[0]?.id ?? ''
}

describe('the log of deliveries', () => {
  it('has each delivery with its attempts, to the letter', async () => {
    const endpoint = await newEndpoint()
    const id = await newDelivery(endpoint)
    await newDelivery(endpoint, 'delivered')
    const all = await harness.call<{ data: WebhookDelivery[] }>('GET', at(endpoint, '/deliveries'))
    expect(all.body.data).toHaveLength(2)
    const failed = await harness.call<{ data: WebhookDelivery[] }>(
      'GET',
      at(endpoint, '/deliveries?state=failed&eventType=device.created'),
    )
    expect(failed.body.data).toMatchObject([{ id, attempts: 2, lastAttempt: { status: null, error: 'timeout' } }])
    const none = await harness.call<{ data: [] }>('GET', at(endpoint, '/deliveries?eventType=tunnel.opened'))
    expect(none.body.data).toEqual([])
    const { body } = await harness.call<WebhookDeliveryDetail>('GET', at(endpoint, `/deliveries/${id}`))
    expect(JSON.parse(body.request?.body ?? '')).toMatchObject({
      id: body.eventId,
      type: 'device.created',
      sequence: 1,
    })
    expect(body.log).toMatchObject([
      { number: 2, response: null, error: { code: 'timeout', detail: 'No answer.' } },
      { number: 1, response: { status: 503, body: 'later', headers: { 'retry-after': '5' } }, error: null },
    ])
  })

  it('lets one be made again, whatever became of it', async () => {
    const endpoint = await newEndpoint()
    const id = await newDelivery(endpoint)
    const replayed = await harness.call<WebhookDelivery>('POST', at(endpoint, `/deliveries/${id}/replay?wait=0`))
    expect([replayed.status, replayed.body]).toMatchObject([202, { id, state: 'pending', finishedAt: null }])
    await harness.call('PATCH', at(endpoint), { body: { state: 'disabled' } })
    const refused = await harness.call('POST', at(endpoint, `/deliveries/${id}/replay?wait=0`))
    expect(refused.body).toEqual(problem('webhook_disabled'))
  })

  it("A03 is nobody else's", async () => {
    const endpoint = await newEndpoint()
    const id = await newDelivery(endpoint)
    const { key } = harness.other
    const calls = [
      ['GET', ''],
      ['PATCH', '', { name: 'x' }],
      ['DELETE', ''],
      ['POST', '/rotate-secret', {}],
      ['POST', '/test?wait=0'],
      ['POST', '/enable', {}],
      ['POST', '/replay', { since: '2026-01-01T00:00:00Z' }],
      ['GET', '/deliveries'],
      ['GET', `/deliveries/${id}`],
      ['POST', `/deliveries/${id}/replay?wait=0`],
    ] as const
    for (const [method, rest, body] of calls)
      expect([rest, (await harness.call(method, at(endpoint, rest), { key, body })).status]).toEqual([rest, 404])
  })
})

describe('recovery', () => {
  it('enables an endpoint and begins to deliver what it missed, in one call', async () => {
    const endpoint = await newEndpoint()
    const failingSince = new Date(Date.now() - 3_600_000)
    await harness.pool.query('UPDATE webhook_courses SET failing_since = $2 WHERE endpoint_id = $1', [
      endpoint.id,
      failingSince,
    ])
    const disabled = await harness.call<WebhookEndpoint>('PATCH', at(endpoint), { body: { state: 'disabled' } })
    expect(disabled.body).toMatchObject({ state: 'disabled', disabledReason: 'requested' })
    expect((await harness.call('POST', at(endpoint, '/test?wait=0'))).body).toEqual(problem('webhook_disabled'))
    const enabled = await harness.call<{ endpoint: WebhookEndpoint; operation: Operation }>(
      'POST',
      at(endpoint, '/enable'),
      { body: {} },
    )
    expect(enabled.body).toMatchObject({
      endpoint: { state: 'enabled', disabledReason: null, health: { failingSince: null } },
      operation: { kind: 'webhook_replay' },
    })
    const { rows } = await harness.pool.query('SELECT request FROM operations WHERE id = $1', [
      enabled.body.operation.id,
    ])
    expect(rows[0].request).toMatchObject({ since: failingSince.toISOString(), deliveries: 'failed' })
    const again = await harness.call<{ operation: null }>('POST', at(endpoint, '/enable'), { body: {} })
    expect(again.body.operation).toBeNull()
  })

  it('makes a test event with its delivery, for this endpoint alone', async () => {
    const endpoint = await newEndpoint({ eventTypes: ['tunnel.opened'] })
    const tested = await harness.call<WebhookDelivery>('POST', at(endpoint, '/test?wait=0'))
    expect([tested.status, tested.body]).toMatchObject([202, { eventType: 'webhook.test', state: 'pending' }])
  })

  it('replays a span of time as an operation', async () => {
    const endpoint = await newEndpoint()
    const empty = await harness.call('POST', at(endpoint, '/replay'), {
      body: { since: '2026-01-02T00:00:00Z', until: '2026-01-02T00:00:00Z' },
    })
    expect(empty.body).toEqual(problem('validation_failed'))
    const begun = await harness.call<Operation>('POST', at(endpoint, '/replay'), {
      body: { since: '2026-01-02T00:00:00Z', deliveries: 'failed' },
    })
    expect([begun.status, begun.body.kind]).toEqual([202, 'webhook_replay'])
    const body = { since: '2026-01-02T00:00:00Z' }
    const second = await harness.call('POST', at(endpoint, '/replay'), { body })
    expect(second.body).toEqual(problem('operation_limit'))
    expect((await harness.call('POST', at(await newEndpoint(), '/replay'), { body })).status).toBe(202)
  })

  it('replays what comes after a cursor of the feed, which is one of this organization, and from one place alone', async () => {
    const cursorOf = async (key?: string) =>
      (await harness.call<{ nextCursor: string }>('GET', '/v1/events?since=now', key ? { key } : {})).body.nextCursor
    const endpoint = await newEndpoint()
    const replay = (body: object) => harness.call<Operation>('POST', at(endpoint, '/replay'), { body })
    expect((await replay({})).body).toEqual(problem('validation_failed'))
    const after = await cursorOf()
    expect((await replay({ after, since: '2026-01-02T00:00:00Z' })).body).toEqual(problem('validation_failed'))
    expect((await replay({ after: 'A'.repeat(22) })).body).toEqual(problem('invalid_cursor'))
    expect((await replay({ after: await cursorOf(harness.other.key) })).body).toEqual(problem('invalid_cursor'))
    const begun = await replay({ after })
    expect([begun.status, begun.body.kind]).toEqual([202, 'webhook_replay'])
    const { rows } = await harness.pool.query('SELECT request FROM operations WHERE id = $1', [begun.body.id])
    expect(rows[0].request).toMatchObject({ after, deliveries: 'all' })
    expect(rows[0].request).not.toHaveProperty('since')
  })
})

it('are refused where there are none', async () => {
  const without = await openHarness(inject('databaseUrl'), { webhooks: undefined })
  try {
    const answer = await without.call('POST', '/v1/webhook-endpoints', { body: { name: 'x', url } })
    expect([answer.status, answer.body]).toEqual([404, problem('webhooks_off')])
  } finally {
    await without.close()
  }
})
