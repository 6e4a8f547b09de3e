/** Connections as events: who asks for them, and who gets them then. The API, a worker, and what a gateway writes. */
import type { Tunnel } from '@culvert/contracts'
import { newId, writeConnections } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { runWorker, type RunningWorker } from '@culvert/worker'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  newConcentrator,
  newDevice,
  newGateway,
  openHarness,
  setAttached,
  type FakeGateway,
  type Harness,
} from '../../apps/api/src/testing/harness.ts'

let harness: Harness
let worker: RunningWorker
let gateway: FakeGateway
let tunnelId = ''
let networkId = ''
/** Takes all types. */
let all = ''

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'))
  await newConcentrator(harness.pool, 'con-1', 1)
  gateway = await newGateway(harness, 'gw-1')
  worker = runWorker({ databaseUrl: harness.databaseUrl, sweepIntervalMs: 50 })
  const deviceId = await newDevice(harness.call)
  await setAttached(harness.pool, 'con-1', deviceId, 'attached')
  tunnelId = (await harness.call<Tunnel>('POST', '/v1/tunnels', { body: { deviceId, port: 22 } })).body.id
  networkId = (await harness.call<{ networkId: string }>('GET', `/v1/devices/${deviceId}`)).body.networkId
  all = await newEndpoint([])
})
afterAll(async () => {
  await worker.close()
  await gateway.close()
  await harness.close()
})

describe('connections are told', () => {
  it('to nobody where nobody asks for them', async () => {
    expect(await told(await connect())).toEqual([])
  })

  it('to an endpoint that names them, of tunnels that are open already too, and for that to no other', async () => {
    const exact = await newEndpoint(['connection.opened'])
    const kind = await newEndpoint(['device.*', 'connection.*'])
    const other = await newEndpoint(['connection.denied', 'tunnel.*'])
    const connection = await connect()
    expect(await told(connection)).toEqual(['connection.opened', 'connection.closed'])
    expect(await deliveredTo(exact, connection)).toEqual(['connection.opened'])
    expect(await deliveredTo(kind, connection)).toEqual(['connection.opened', 'connection.closed'])
    for (const endpoint of [other, all]) expect(await deliveredTo(endpoint, connection)).toEqual([])

    for (const id of [exact, other]) await change(`/v1/webhook-endpoints/${id}`, 'DELETE')
    await change(`/v1/webhook-endpoints/${kind}`, 'PATCH', { state: 'disabled' })
    expect(await told(await connect())).toHaveLength(2)
    await change(`/v1/webhook-endpoints/${kind}`, 'PATCH', { eventTypes: ['device.*'] })
    expect(await told(await connect())).toEqual([])
  })

  it('to all where the organization asks for them, and nowhere where the network does not want it', async () => {
    const named = await newEndpoint(['connection.*'])
    await change('/v1/organization', 'PATCH', { connectionEvents: true })
    const connection = await connect()
    for (const endpoint of [named, all])
      expect(await deliveredTo(endpoint, connection)).toEqual(['connection.opened', 'connection.closed'])
    await change(`/v1/networks/${networkId}`, 'PATCH', { connectionEvents: false })
    expect(await told(await connect())).toEqual([])
    await change(`/v1/networks/${networkId}`, 'PATCH', { connectionEvents: null })
    await change('/v1/organization', 'PATCH', { connectionEvents: false })
    await change(`/v1/webhook-endpoints/${named}`, 'DELETE')
    expect(await told(await connect())).toEqual([])
  })

  it('to a rule that waits for them', async () => {
    const rule = await harness.call<{ id: string }>('POST', '/v1/automation-rules', {
      body: { name: 'r', on: { eventTypes: ['connection.opened'] }, actions: [{ kind: 'tag_device', tags: ['seen'] }] },
    })
    const connection = await connect()
    expect(await told(connection)).toHaveLength(2)
    expect(await deliveredTo(all, connection)).toEqual([])
    await waitFor(
      async () => {
        const runs = `/v1/automation-rules/${rule.body.id}/runs`
        const { body } = await harness.call<{ data: { state: string }[] }>('GET', runs)
        return body.data.length === 1 && body.data[0]?.state === 'succeeded'
      },
      { message: 'the run' },
    )
    await change(`/v1/automation-rules/${rule.body.id}`, 'DELETE')
    expect(await told(await connect())).toEqual([])
  })
})

async function change(url: string, method: string, body?: object): Promise<void> {
  const { status, text } = await harness.call(method, url, body ? { body } : {})
  if (status >= 300) throw new Error(`${method} ${url} answered ${status}: ${text}`)
}

async function newEndpoint(eventTypes: string[]): Promise<string> {
  const body = { name: 'endpoint', url: 'https://hooks.example.com/', eventTypes }
  return (await harness.call<{ id: string }>('POST', '/v1/webhook-endpoints', { body })).body.id
}

/** One that is opened and closed, as the gateway writes it. @returns its id */
async function connect(): Promise<string> {
  const { rows } = await harness.pool.query<{ id: string }>('SELECT id FROM tunnel_ports WHERE tunnel_id = $1', [
    tunnelId,
  ])
  const row = {
    id: newId('con'),
    organizationId: harness.organization.id,
    tunnelId,
    tunnelPortId: rows[0]?.id ?? '',
    clientAddress: '203.0.113.7',
    clientPort: 50_000,
    openedAt: new Date(),
    bytesUp: 1,
    bytesDown: 2,
  }
  await writeConnections(harness.pool, [{ ...row, state: 'open', reason: null, closedAt: null }])
  const closed = { ...row, state: 'closed', reason: 'client_closed', closedAt: new Date() } as const
  await writeConnections(harness.pool, [closed])
  return row.id
}

async function told(connection: string): Promise<string[]> {
  const { rows } = await harness.pool.query<{ type: string }>(
    'SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence',
    [connection],
  )
  return rows.map(({ type }) => type)
}

/** Once the relay has seen all. */
async function deliveredTo(endpoint: string, connection: string): Promise<string[]> {
  await waitFor(async () => {
    const { rowCount } = await harness.pool.query('SELECT 1 FROM events WHERE position IS NULL LIMIT 1')
    return rowCount === 0
  })
  const { rows } = await harness.pool.query<{ type: string }>(
    `SELECT d.event_type AS type FROM webhook_deliveries d JOIN events e ON e.id = d.event_id
     WHERE d.endpoint_id = $1 AND d.resource_id = $2 ORDER BY e.sequence`,
    [endpoint, connection],
  )
  return rows.map(({ type }) => type)
}
