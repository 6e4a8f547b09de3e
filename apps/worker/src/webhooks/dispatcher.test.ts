/**
 * From an event that commits to receivers of webhooks: what they get, how often, and who waits for whom. The cases share worker and
 * receivers, so it is one file.
 */
import {
  appendEvent,
  createKeyRing,
  createSecretSealer,
  ensureOrganization,
  eventCursors,
  findOperation,
  generateSealingKeyPair,
  inTenantTransaction,
  newId,
  openPool,
  positionSince,
  resealWebhookKeys,
  rotateWebhookKey,
  startOperation,
  systemAuthor,
  verifyAuditChain,
  type Pool,
  type SealingKeyPair,
  type NewEvent,
} from '@culvert/db'
import { verifyWebhook } from '@culvert/sdk/webhooks'
import { createDatabase, waitFor } from '@culvert/testkit'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { runWorker, type RunningWorker } from '../index.ts'
import {
  loopbackEgress,
  newTestEndpoint,
  newTestKey,
  openReceiver,
  type Receiver,
  type ReceivedWebhook,
} from '../testing/webhook-receiver.ts'
import type { WebhookSending } from '../run-worker.ts'

let databaseUrl = ''
let pool: Pool
let sealing: SealingKeyPair
let acme = ''
let umbrella = ''
const workers: RunningWorker[] = []
const receivers: Receiver[] = []

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  sealing = await generateSealingKeyPair()
  return async () => pool.end()
})
beforeEach(async () => {
  acme = (await ensureOrganization(pool, { name: 'Acme', slug: newId('org').replace('_', '-') })).id
  umbrella = (await ensureOrganization(pool, { name: 'Umbrella', slug: newId('org').replace('_', '-') })).id
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()))
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()))
  await pool.query('DELETE FROM webhook_deliveries')
})

const by = { by: systemAuthor('test') }

function start(options: Partial<WebhookSending> = {}): RunningWorker {
  const sending = { keys: createKeyRing([sealing.privateKey]), egress: loopbackEgress(), pollMs: 50, ...options }
  const worker = runWorker({ databaseUrl, sweepIntervalMs: 100, webhooks: sending })
  workers.push(worker)
  return worker
}
async function receive(answer?: Parameters<typeof openReceiver>[0]): Promise<Receiver> {
  const receiver = await openReceiver(answer)
  receivers.push(receiver)
  return receiver
}
const endpointAt = (url: string, wanted: object = {}) =>
  newTestEndpoint(pool, sealing, { organizationId: acme, url, eventTypes: ['network.*', 'tunnel.*'], ...wanted })

/** @returns the id */
function happen(organizationId: string, resourceId = newId('net'), type = 'network.created'): Promise<string> {
  return inTenantTransaction(pool, organizationId, (tx) =>
    appendEvent(tx, { organizationId, type, resourceId, data: { name: 'Öl ✓' } } as NewEvent),
  )
}
const rowsOf = async (endpointId: string) =>
  (
    await pool.query<{ state: string; attempts: number; step: number; event_id: string; waits: boolean }>(
      `SELECT state, attempts, step, event_id, next_attempt_at > now() AS waits FROM webhook_deliveries WHERE endpoint_id = $1 ORDER BY created_at, id`,
      [endpointId],
    )
  ).rows
const untilDone = (endpointId: string, state: string) =>
  waitFor(async () => {
    const rows = await rowsOf(endpointId)
    return rows.length > 0 && rows.every((row) => row.state === state) ? rows : null
  })
const attemptsOf = async (endpointId: string) =>
  (
    await pool.query(
      'SELECT a.* FROM webhook_attempts a JOIN webhook_deliveries d ON d.id = a.delivery_id WHERE d.endpoint_id = $1 ORDER BY a.number',
      [endpointId],
    )
  ).rows
/** What the schedule would do after hours. */
const makeDue = (endpointId: string) =>
  pool.query(
    `UPDATE webhook_deliveries SET next_attempt_at = now() - interval '1 ms' WHERE endpoint_id = $1 AND state = 'pending'`,
    [endpointId],
  )
const accepted = (webhook: ReceivedWebhook, key: string): unknown =>
  new Webhook(key).verify(webhook.body, webhook.headers as Record<string, string>)
const headersOf = ({ headers }: ReceivedWebhook) => headers as Record<string, string>

describe('a delivery', () => {
  it('is accepted by the verifier of the standard, each once, in order of sequence, with the id of its event', async () => {
    const receiver = await receive()
    const endpoint = await endpointAt(`${receiver.url}/in`)
    start()
    const network = newId('net')
    const ids = [await happen(acme, network)]
    for (let i = 0; i < 9; i++) ids.push(await happen(acme, network, 'network.updated'))
    await untilDone(endpoint.id, 'delivered')
    await waitFor(() => receiver.received.length >= 10)
    const events = receiver.received.map(
      (webhook) => accepted(webhook, endpoint.key) as { id: string; sequence: number },
    )
    expect(receiver.received.map(({ id }) => id)).toEqual(events.map(({ id }) => id))
    expect(new Set(events.map(({ id }) => id))).toEqual(new Set(ids))
    expect(events.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(receiver.received).toHaveLength(10)
  })

  it('is accepted with the old and the new key while keys change, and with a public key', async () => {
    const receiver = await receive()
    const endpoint = await endpointAt(`${receiver.url}/in`)
    const fresh = await newTestKey(sealing, { organizationId: acme, endpointId: endpoint.id, signing: 'hmac' })
    const of = { organizationId: acme, id: endpoint.id, ifVersion: null }
    await rotateWebhookKey(pool, of, { fresh: fresh.key, overlapSec: 86_400 }, by)
    const pair = await endpointAt(`${receiver.url}/pair`, { signing: 'ed25519' })
    start()
    const id = await happen(acme)
    const [hmac] = await waitFor(() => (receiver.on('/in').length > 0 ? receiver.on('/in') : null))
    if (!hmac) throw new Error('nothing came')
    for (const key of [endpoint.key, fresh.verifiesWith]) expect(accepted(hmac, key)).toMatchObject({ id })
    const [signed] = await waitFor(() => (receiver.on('/pair').length > 0 ? receiver.on('/pair') : null))
    if (!signed) throw new Error('nothing came')
    expect(verifyWebhook({ body: signed.body, headers: headersOf(signed) }, { keys: pair.key })).toMatchObject({ id })
    await pool.query(
      `UPDATE webhook_keys SET expires_at = now() - interval '1 ms' WHERE endpoint_id = $1 AND expires_at IS NOT NULL`,
      [endpoint.id],
    )
    await happen(acme)
    const after = await waitFor(() => receiver.on('/in')[1])
    expect(() => accepted(after, endpoint.key)).toThrow(/signature/i)
    expect(accepted(after, fresh.verifiesWith)).toMatchObject({ type: 'network.created' })
  })

  it('A02 is refused when a bit of it is another', async () => {
    const receiver = await receive()
    const endpoint = await endpointAt(`${receiver.url}/in`)
    start()
    await happen(acme)
    const webhook = await waitFor(() => receiver.received[0])
    const flipped = Buffer.from(webhook.body)
    flipped[9] = (flipped[9] ?? 0) ^ 1
    expect(() => accepted({ ...webhook, body: flipped.toString() }, endpoint.key)).toThrow(/signature/i)
  })

  it('goes to endpoints whose filters fit, of the own organization alone', async () => {
    const receiver = await receive()
    const network = newId('net')
    const wanted = {
      all: await endpointAt(`${receiver.url}/all`, { eventTypes: [] }),
      kind: await endpointAt(`${receiver.url}/kind`, { eventTypes: ['network.*'] }),
      network: await endpointAt(`${receiver.url}/network`, { networkIds: [network] }),
      other: await endpointAt(`${receiver.url}/other`, { eventTypes: ['tunnel.*'] }),
      tagged: await endpointAt(`${receiver.url}/tagged`, { deviceTags: ['env=prod'] }),
      foreign: await endpointAt(`${receiver.url}/foreign`, { organizationId: umbrella }),
    }
    start()
    const id = await happen(acme, network)
    const mark = await happen(umbrella)
    await waitFor(() => receiver.on('/foreign').some((webhook) => webhook.id === mark))
    await Promise.all([untilDone(wanted.kind.id, 'delivered'), untilDone(wanted.network.id, 'delivered')])
    const got = Object.keys(wanted).filter((name) => receiver.on(`/${name}`).some((webhook) => webhook.id === id))
    expect(got).toEqual(['all', 'kind', 'network'])
  })
})

describe('what an answer does', () => {
  it('a failure is tried again by the schedule, with the same id, and each attempt is in the log without a secret', async () => {
    let fail = true
    const receiver = await receive((_, response) => {
      if (fail)
        response.writeHead(500, { 'content-type': 'text/plain', 'set-cookie': 'a=b' }).end('down\0' + 'x'.repeat(9_000))
      else response.writeHead(204).end()
    })
    const endpoint = await endpointAt(`${receiver.url}/in`)
    start()
    const id = await happen(acme)
    const row = await waitFor(async () => (await rowsOf(endpoint.id)).find(({ attempts }) => attempts === 1))
    expect(row).toMatchObject({ state: 'pending', step: 1, waits: true })
    fail = false
    await waitFor(async () => (await makeDue(endpoint.id)).rowCount === 0 || receiver.received.length > 1)
    await untilDone(endpoint.id, 'delivered')
    expect(receiver.received.map((webhook) => webhook.id)).toEqual([id, id])
    const [first, second] = await attemptsOf(endpoint.id)
    expect(first).toMatchObject({ number: 1, status: 500, response_truncated: true, error: null })
    expect(first.response_body).toMatch(/^down\uFFFDx+$/)
    expect(first.response_headers).toMatchObject({ 'content-type': 'text/plain' })
    expect(first.response_headers).not.toHaveProperty('set-cookie')
    expect(first.request_headers).toMatchObject({ 'webhook-id': id, 'content-type': 'application/json' })
    expect(second).toMatchObject({ number: 2, status: 204 })
    expect(JSON.stringify([first, second])).not.toContain(endpoint.key.slice(6))
  })

  it('without any attempt left it has failed', async () => {
    const receiver = await receive((_, response) => response.writeHead(302, { location: '/elsewhere' }).end())
    const endpoint = await endpointAt(`${receiver.url}/in`)
    start()
    await happen(acme)
    await waitFor(async () => (await rowsOf(endpoint.id))[0]?.attempts === 1)
    await pool.query(
      `UPDATE webhook_deliveries SET step = 9, next_attempt_at = now() - interval '1 ms' WHERE endpoint_id = $1`,
      [endpoint.id],
    )
    await untilDone(endpoint.id, 'failed')
    expect(receiver.received.map(({ path }) => path)).toEqual(['/in', '/in'])
  })

  it('410 disables the endpoint and says so; abort-message ends the delivery alone', async () => {
    const receiver = await receive((webhook, response) => {
      if (webhook.path === '/gone') response.writeHead(410).end()
      else response.writeHead(400, { 'webhook-delivery': 'abort-message' }).end()
    })
    const gone = await endpointAt(`${receiver.url}/gone`)
    const stop = await endpointAt(`${receiver.url}/stop`)
    start()
    await happen(acme)
    await untilDone(stop.id, 'aborted')
    await untilDone(gone.id, 'failed')
    const event = await waitFor(async () => {
      const { rows } = await pool.query(
        `SELECT data FROM events WHERE resource_id = $1 AND type = 'webhook.disabled'`,
        [gone.id],
      )
      return rows[0]
    })
    expect(event.data).toEqual({ reason: 'gone' })
    const { rows } = await pool.query(
      'SELECT id, state, disabled_reason AS reason FROM webhook_endpoints WHERE id = ANY ($1) ORDER BY state',
      [[gone.id, stop.id]],
    )
    expect(rows).toEqual([
      { id: gone.id, state: 'disabled', reason: 'gone' },
      { id: stop.id, state: 'enabled', reason: null },
    ])
  })

  it('429 lets the endpoint rest for as long as it asks for, and what else is due with it', async () => {
    const receiver = await receive((_, response) => response.writeHead(429, { 'retry-after': '600' }).end())
    const endpoint = await endpointAt(`${receiver.url}/in`)
    start()
    await happen(acme)
    const rows = await waitFor(async () => {
      const found = await pool.query(
        `SELECT extract(epoch FROM c.paused_until - now()) AS pause, extract(epoch FROM d.next_attempt_at - now()) AS next, c.failing_since
         FROM webhook_courses c JOIN webhook_deliveries d USING (endpoint_id) WHERE c.endpoint_id = $1`,
        [endpoint.id],
      )
      return found.rows[0]?.pause ? found.rows : null
    })
    expect(Number(rows[0].pause)).toBeGreaterThan(590)
    expect(Number(rows[0].next)).toBeGreaterThan(590)
    expect(rows[0].failing_since).toBeNull()
    await happen(acme)
    const other = await endpointAt(`${receiver.url}/mark`)
    await happen(acme)
    await waitFor(async () => (await rowsOf(other.id))[0]?.attempts === 1)
    expect(receiver.on('/in')).toHaveLength(1)
  })

  it('A01 an address that is not on the public Internet is not reached, and the log says no more than the person wrote', async () => {
    const receiver = await receive()
    const endpoint = await endpointAt(receiver.url.replace('127.0.0.1', '[::ffff:127.0.0.1]'))
    const { openEgress } = await import('@culvert/egress')
    start({ egress: openEgress({ allowHttp: true, ports: [{ from: 1, to: 65_535 }] }) })
    await happen(acme)
    await waitFor(async () => (await rowsOf(endpoint.id))[0]?.attempts === 1)
    expect((await attemptsOf(endpoint.id))[0]).toMatchObject({ status: null, error: 'address_refused' })
    expect(receiver.received).toEqual([])
  })
})

describe('an endpoint that only fails', () => {
  const failingFor = (id: string, days: number, warnedDays: number | null) =>
    pool.query(
      `UPDATE webhook_courses SET failing_since = now() - $2 * interval '1 day', warned_at = now() - $3::float8 * interval '1 day' WHERE endpoint_id = $1`,
      [id, days, warnedDays],
    )
  const typesOf = async (id: string) =>
    (
      await pool.query<{ type: string }>(`SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence`, [id])
    ).rows.map(({ type }) => type)

  it('is warned about after a day, disabled after five, and keeps what waits', async () => {
    const receiver = await receive((_, response) => response.writeHead(500).end())
    const [young, old] = [await endpointAt(`${receiver.url}/young`), await endpointAt(`${receiver.url}/old`)]
    await failingFor(young.id, 1.1, null)
    await failingFor(old.id, 6, 4)
    start()
    await happen(acme)
    await waitFor(async () => (await typesOf(young.id)).includes('webhook.failing'))
    await waitFor(async () => (await typesOf(old.id)).includes('webhook.disabled'))
    const { rows } = await pool.query('SELECT state, disabled_reason FROM webhook_endpoints WHERE id = $1', [old.id])
    expect(rows).toEqual([{ state: 'disabled', disabled_reason: 'failing' }])
    expect(await typesOf(young.id)).toEqual(['webhook.created', 'webhook.failing'])
    expect(await rowsOf(old.id)).toMatchObject([{ state: 'pending' }])
  })

  it('is well again after one success', async () => {
    const receiver = await receive()
    const endpoint = await endpointAt(`${receiver.url}/in`)
    await failingFor(endpoint.id, 4, 3)
    start()
    await happen(acme)
    const course = await waitFor(async () => {
      const { rows } = await pool.query(
        'SELECT failing_since, warned_at, last_success_at FROM webhook_courses WHERE endpoint_id = $1',
        [endpoint.id],
      )
      return rows[0].last_success_at === null ? null : rows[0]
    })
    expect(course).toMatchObject({ failing_since: null, warned_at: null })
  })
})

describe('nobody waits for another one', () => {
  it('endpoints that hang hold no slot of those that answer', async () => {
    const receiver = await receive((webhook, response) => {
      if (webhook.path !== '/hangs') response.writeHead(204).end()
    })
    const hanging = []
    for (let i = 0; i < 6; i++) hanging.push(await endpointAt(`${receiver.url}/hangs`))
    start({ slots: { fast: 16, slow: 128 }, slowMs: 50, timeoutMs: 10_000 })
    for (let i = 0; i < 5; i++) await happen(acme)
    await waitFor(() => receiver.on('/hangs').length >= 2)
    const well = await endpointAt(`${receiver.url}/well`, { organizationId: umbrella })
    const sibling = await endpointAt(`${receiver.url}/sibling`)
    for (let i = 0; i < 5; i++) await happen(umbrella)
    for (let i = 0; i < 5; i++) await happen(acme)
    await waitFor(async () => (await rowsOf(well.id)).length === 5)
    await untilDone(well.id, 'delivered')
    await untilDone(sibling.id, 'delivered')
    expect((await rowsOf(hanging[0]?.id ?? '')).every(({ state }) => state === 'pending')).toBe(true)
  })
})

describe('a worker that dies', () => {
  it('leaves its endpoints to another one when its lease is over, and not before', async () => {
    const receiver = await receive()
    const endpoint = await endpointAt(`${receiver.url}/in`)
    const other = await endpointAt(`${receiver.url}/other`)
    await pool.query(
      `UPDATE webhook_courses SET runner = 'dead', lease_until = now() + interval '1 hour' WHERE endpoint_id = $1`,
      [endpoint.id],
    )
    start()
    await happen(acme)
    await untilDone(other.id, 'delivered')
    expect(receiver.on('/in')).toEqual([])
    await pool.query(`UPDATE webhook_courses SET lease_until = now() - interval '1 second' WHERE endpoint_id = $1`, [
      endpoint.id,
    ])
    await untilDone(endpoint.id, 'delivered')
    expect(receiver.on('/in')).toHaveLength(1)
  })

  it('several at once deliver each event once', async () => {
    const receiver = await receive()
    const endpoints = [await endpointAt(`${receiver.url}/a`), await endpointAt(`${receiver.url}/b`)]
    start()
    start()
    for (let i = 0; i < 20; i++) await happen(acme)
    for (const { id } of endpoints) {
      await waitFor(async () => (await rowsOf(id)).length === 20)
      await untilDone(id, 'delivered')
    }
    expect(receiver.received).toHaveLength(40)
    expect(new Set(receiver.on('/a').map(({ id }) => id)).size).toBe(20)
  })
})

describe('a replay', () => {
  it('brings a new endpoint the events of a day, and what was delivered again when that is wanted', async () => {
    const ids = [await happen(acme), await happen(acme), await happen(acme, newId('net'), 'network.deleted')]
    start()
    await waitFor(async () => {
      const { rows } = await pool.query('SELECT count(position)::int AS placed FROM events WHERE id = ANY ($1)', [ids])
      return rows[0].placed === 3
    })
    const receiver = await receive()
    const endpoint = await endpointAt(`${receiver.url}/in`, { eventTypes: ['network.created'] })
    const since = new Date(Date.now() - 86_400_000).toISOString()
    const replay = (deliveries: string) => replayed({ endpointId: endpoint.id, since, deliveries })
    expect(await replay('failed')).toMatchObject({ deliveries: 2 })
    await untilDone(endpoint.id, 'delivered')
    expect(new Set(receiver.received.map(({ id }) => id))).toEqual(new Set(ids.slice(0, 2)))
    expect(await replay('failed')).toMatchObject({ deliveries: 0 })
    expect(await replay('all')).toMatchObject({ deliveries: 2 })
    await waitFor(() => receiver.received.length === 4)
  })

  it('brings what comes after a cursor of the feed, up to its end and no further', async () => {
    const placed = async (...ids: string[]): Promise<void> => {
      await waitFor(async () => {
        const { rows } = await pool.query('SELECT count(position)::int AS placed FROM events WHERE id = ANY ($1)', [
          ids,
        ])
        return rows[0].placed === ids.length
      })
    }
    start()
    const before = await happen(acme)
    await placed(before)
    const cursors = await eventCursors(pool)(acme)
    const after = cursors.write(await positionSince(pool, acme, null))
    const ids = [await happen(acme), await happen(umbrella), await happen(acme)]
    await placed(...ids)
    const receiver = await receive()
    const endpoint = await endpointAt(`${receiver.url}/in`, { eventTypes: ['network.created'] })
    expect(await replayed({ endpointId: endpoint.id, after, deliveries: 'all' })).toMatchObject({ deliveries: 2 })
    await untilDone(endpoint.id, 'delivered')
    expect(receiver.received.map(({ id }) => id).toSorted()).toEqual([ids[0]!, ids[2]!].toSorted())
    // Nothing of it is shown to who may read the audit log: positions count the events of all.
    const { rows } = await pool.query('SELECT request FROM operations WHERE organization_id = $1', [acme])
    expect(rows[0].request.after).toBe(after)
  })

  /** @returns the result */
  async function replayed(wanted: object) {
    const request = { until: new Date().toISOString(), ...wanted }
    const begun = await startOperation(pool, acme, { kind: 'webhook_replay', request, validateOnly: false }, by)
    if (typeof begun === 'string') throw new Error(begun)
    const operation = await waitFor(async () => {
      const row = await findOperation(pool, acme, begun.id)
      return row?.finishedAt ? row : null
    })
    return operation.result
  }
})

describe('the key that signing keys are sealed to', () => {
  it('is replaced while deliveries go on, and receivers notice nothing', async () => {
    const next = await generateSealingKeyPair()
    const receiver = await receive()
    const endpoint = await endpointAt(`${receiver.url}/in`)
    const ed25519 = await endpointAt(`${receiver.url}/pair`, { signing: 'ed25519' })
    // A worker that has the new key alone comes too early, and sends nothing that is not signed.
    start({ keys: createKeyRing([next.privateKey]) })
    await happen(acme)
    await waitFor(async () => (await rowsOf(endpoint.id))[0]?.attempts === 1)
    expect((await attemptsOf(endpoint.id))[0]).toMatchObject({ status: null, error: 'key_unreadable' })
    expect(receiver.received).toEqual([])

    const ring = createKeyRing([sealing.privateKey, next.privateKey])
    const reseal = { ring, seal: createSecretSealer(next.publicKey), keyId: next.keyId, batch: 1 }
    const workers = openPool(databaseUrl, { max: 1, role: 'culvert_worker' })
    const api = openPool(databaseUrl, { max: 1, role: 'culvert_api' })
    try {
      await expect(resealWebhookKeys(api, reseal)).rejects.toThrow('permission denied')
      const done = await resealWebhookKeys(workers, reseal)
      expect(done.unreadable).toBe(0)
      expect(done.resealed).toBeGreaterThanOrEqual(2)
      expect(await resealWebhookKeys(workers, reseal)).toEqual({ resealed: 0, unreadable: 0 })
      expect(await verifyAuditChain(pool, acme)).toMatchObject({ fault: null })
    } finally {
      await Promise.all([workers.end(), api.end()])
    }
    for (const { id } of [endpoint, ed25519])
      await waitFor(async () => {
        await makeDue(id)
        return (await rowsOf(id))[0]?.state === 'delivered'
      })
    const [hmac] = receiver.on('/in')
    const [signed] = receiver.on('/pair')
    if (!hmac || !signed) throw new Error('nothing came')
    expect(accepted(hmac, endpoint.key)).toMatchObject({ type: 'network.created' })
    verifyWebhook({ body: signed.body, headers: headersOf(signed) }, { keys: ed25519.key })
  })
})
