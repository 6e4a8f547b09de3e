import { createAttachmentRegistry, createCredentialCache, type AttachmentRecord } from '@culvert/concentrator-core'
import {
  addDeviceUsage,
  tellQuotaExhausted,
  deviceChangedChannel,
  ensureOrganization,
  listen,
  markOffline,
  newId,
  openPool,
  type PolicyWork,
  type Pool,
  readHeartbeats,
  registerConcentrator,
  writeAttachments,
} from '@culvert/db'
import type { AttachmentKey, CloseReason, IkeSaSummary } from '@culvert/ikev2'
import { createLogger } from '@culvert/observability'
import { createDatabase, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createPolicyEnforcer, type PolicyEnforcer } from './policy-enforcer.ts'
import { createStateWriter, type StateWriter } from './state-writer.ts'

const log = createLogger('test', 'silent')
let databaseUrl: string
let pool: Pool
let organizationId: string

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  await pool.query(
    `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_a', $1, 'default', '10.128.0.0/20')`,
    [organizationId],
  )
  for (const [id, slot] of [
    ['con-1', 1],
    ['con-2', 2],
  ] as const) {
    const rest = { addresses: ['192.0.2.1'], ikeIdentity: 'c', tunNamespace: 't', dialAddress: '10.127.0.1' }
    await registerConcentrator(pool, { id, slot, ...rest })
  }
})
afterAll(() => pool.end())

it('writes a living device as attached again after its node was taken for dead', async () => {
  const node = openNode('con-1')
  const record = await attachDevice(node)
  const heard: string[] = []
  const listener = listen(databaseUrl, [deviceChangedChannel], (notice) => {
    if (notice !== 'reconnected') heard.push(notice.payload)
  })
  await listener.ready
  const dead = (await readHeartbeats(pool)).find(({ id }) => id === 'con-1')
  expect(await markOffline(pool, dead ?? { kind: 'concentrator', id: '', heartbeat: '' })).toBe(true)
  expect(await rowOf(record.deviceId)).toMatchObject({ state: 'detached', detach_reason: 'node_lost' })

  await node.enforcer.checkHeld()
  await node.writer.drain(5_000)
  expect(await rowOf(record.deviceId)).toMatchObject({ state: 'attached', detach_reason: null, epoch: 1 })
  expect(await eventsOf(record.deviceId)).toEqual(['device.online', 'device.offline', 'device.online'])
  await waitFor(() => heard.filter((id) => id === record.deviceId).length === 2, { message: 'both notices' })
  expect(node.closed).toEqual([])

  await node.enforcer.checkHeld()
  await node.writer.drain(5_000)
  expect(await eventsOf(record.deviceId)).toHaveLength(3)
  await listener.close()
})

it('leaves a device alone that another node holds, and ends what it has of it', async () => {
  const [older, newer] = [openNode('con-1'), openNode('con-2')]
  const record = await attachDevice(older)
  await attachDevice(newer, record.deviceId)
  await older.enforcer.checkHeld()
  await older.writer.drain(5_000)
  expect(older.closed).toEqual([[record.key, 'superseded']])
  expect(await rowOf(record.deviceId)).toMatchObject({ state: 'attached', concentrator_id: 'con-2' })
})

it('C63 ends an attachment that was granted a LAN which is not the device’s any more, and not for one that came', async () => {
  const node = openNode('con-1')
  const taken = await attachDevice(node)
  const given = await attachDevice(node)
  const offered = await attachDevice(node)
  Object.assign(taken, { lanPrefixes: ['192.168.1.0/24', '192.168.2.0/24'] })
  Object.assign(offered, { offered: { lanPrefixes: ['192.168.1.0/24'], neighbours: [], atMs: 0 } })
  const change = `UPDATE devices SET lan_prefixes = $2, policy_version = policy_version + 1 WHERE id = $1`
  await pool.query(change, [taken.deviceId, ['192.168.2.0/24']])
  await pool.query(change, [given.deviceId, ['192.168.1.0/24']])
  await pool.query(change, [offered.deviceId, []])
  await node.enforcer.reconcile()
  // What was offered may be taken at any time.
  expect(node.closed.toSorted(([a], [b]) => a - b)).toEqual([
    [taken.key, 'revoked'],
    [offered.key, 'revoked'],
  ])
})

it('ends an attachment whose credential has expired, and no other', async () => {
  const node = openNode('con-1')
  const lasting = await attachDevice(node)
  const expiring = await attachDevice(node)
  await node.enforcer.checkHeld()
  expect(node.closed).toEqual([])
  await pool.query(`UPDATE credentials SET expires_at = now() - interval '1 second' WHERE device_id = $1`, [
    expiring.deviceId,
  ])
  await node.enforcer.checkHeld()
  expect(node.closed).toEqual([[expiring.key, 'revoked']])
  expect(node.closed).not.toContainEqual([lasting.key, 'revoked'])
})

it('tells what holds for the traffic of a device that stays, with what Postgres knows of its usage', async () => {
  const node = openNode('con-1')
  const { deviceId } = await attachDevice(node)
  await node.enforcer.reconcile()
  node.updated.length = 0
  await pool.query(
    `UPDATE devices SET quota = '{"bytes": 9, "period": "month"}', policy_version = policy_version + 1 WHERE id = $1`,
    [deviceId],
  )
  const used = [{ deviceId, bytes: 5 }]
  await addDeviceUsage(pool, used)
  expect(await addDeviceUsage(pool, [...used, { deviceId: 'dev_gone', bytes: 1 }])).toEqual(
    new Map([[deviceId, { day: 10, month: 10, total: 10 }]]),
  )
  await pool.query(`UPDATE device_usage SET day = day - 1, month = month - 31 WHERE device_id = $1`, [deviceId])
  await node.enforcer.reconcile()
  const limits = {
    networkId: 'net_a',
    deviceToDevice: false,
    rateLimit: null,
    quota: { bytes: 9, period: 'month' },
    usage: { day: 0, month: 0, total: 10 },
  }
  expect(node.updated).toMatchObject([{ deviceId, limits }])
  expect(node.closed).toEqual([])
  expect(await addDeviceUsage(pool, used)).toEqual(new Map([[deviceId, { day: 5, month: 5, total: 15 }]]))
})

it('tells once that the quota of a device is used up, in its period and for the quota it has', async () => {
  const { deviceId } = await attachDevice(openNode('con-1'))
  const setQuota = (quota: string): Promise<unknown> =>
    pool.query(`UPDATE devices SET quota = $2, policy_version = policy_version + 1 WHERE id = $1`, [deviceId, quota])
  const events = async (): Promise<unknown[]> => {
    const { rows } = await pool.query<{ data: unknown }>(
      `SELECT data FROM events WHERE resource_id = $1 AND type = 'device.quota_exhausted' ORDER BY sequence`,
      [deviceId],
    )
    return rows.map(({ data }) => data)
  }
  expect(await tellQuotaExhausted(pool, deviceId)).toBe(false) // it has none
  await setQuota('{"bytes": 5000000000, "period": "month"}')
  const both = await Promise.all([tellQuotaExhausted(pool, deviceId), tellQuotaExhausted(pool, deviceId)])
  expect(both.toSorted()).toEqual([false, true])
  await setQuota('{"bytes": 6000000000, "period": "month"}')
  expect(await tellQuotaExhausted(pool, deviceId)).toBe(true)
  await pool.query(`UPDATE device_usage SET quota_told = 'month 2020-01-01 6000000000' WHERE device_id = $1`, [
    deviceId,
  ])
  expect([await tellQuotaExhausted(pool, deviceId), await tellQuotaExhausted(pool, 'dev_gone')]).toEqual([true, false])
  const told = (limitBytes: number): object => ({ period: 'month', limitBytes })
  expect(await events()).toEqual([told(5e9), told(6e9), told(6e9)])
})

it('says what a device that stays may have since: a LAN, and a pool of its network that no notice told of', async () => {
  const node = openNode('con-1')
  const { deviceId } = await attachDevice(node)
  const change = `UPDATE devices SET lan_prefixes = '{192.168.1.0/24}', policy_version = policy_version + 1 WHERE id = $1`
  await pool.query(change, [deviceId])
  await node.enforcer.reconcile()
  expect(node.renewed.at(-1)).toMatchObject({ deviceId, lanPrefixes: ['192.168.1.0/24'], pools: [] })
  await pool.query(`UPDATE networks SET device_to_device = true WHERE id = 'net_a'`)
  await node.enforcer.checkHeld()
  const found = node.renewed.findLast((work) => work.deviceId === deviceId)
  expect(found).toMatchObject({ limits: { deviceToDevice: true }, pools: ['10.128.0.0/20'] })
  await pool.query(`UPDATE networks SET device_to_device = false WHERE id = 'net_a'`)
})

interface Node {
  readonly registry: ReturnType<typeof createAttachmentRegistry>
  readonly writer: StateWriter
  readonly enforcer: PolicyEnforcer
  readonly closed: [AttachmentKey, CloseReason][]
  readonly updated: PolicyWork[]
  readonly renewed: PolicyWork[]
}

function openNode(nodeName: string): Node {
  const registry = createAttachmentRegistry()
  const writer = createStateWriter({ write: (batch) => writeAttachments(pool, nodeName, batch), registry, log })
  const closed: Node['closed'] = []
  const updated: PolicyWork[] = []
  const renewed: PolicyWork[] = []
  const enforcer = createPolicyEnforcer({
    pool,
    nodeName,
    registry,
    cache: createCredentialCache({ entries: 10, freshMs: 1, staleMs: 1, unknownMs: 1 }),
    close: (key, reason) => closed.push([key, reason]),
    update: (work) => updated.push(work),
    renew: (work) => renewed.push(work),
    rewrite: (deviceId) => writer.rewrite(deviceId),
    log,
  })
  return { registry, writer, enforcer, closed, updated, renewed }
}

let count = 0
/** As an IKE_AUTH does: into the registry, then written behind. */
async function attachDevice({ registry, writer }: Node, known?: string): Promise<AttachmentRecord> {
  count++
  const deviceId = known ?? newId('dev')
  if (!known) {
    await pool.query(
      `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4) VALUES ($1, $2, 'net_a', $1, $3, $4, $5)`,
      [deviceId, organizationId, `89000000000000000${count}`, `${deviceId}.acme.example`, `10.128.0.${9 + count}`],
    )
    await pool.query(
      `INSERT INTO credentials (id, organization_id, device_id, kind, sealed_secret, sealing_key_id) VALUES ($1, $2, $3, 'psk', '', 'k')`,
      [`crd_${deviceId}`, organizationId, deviceId],
    )
  }
  const transform = { type: 1, id: 20, keyBits: 256 }
  const remote = { address: '192.0.2.10', port: 4500 }
  const spi = String(count).padStart(16, '0')
  const record: AttachmentRecord = {
    key: count as AttachmentKey,
    deviceId,
    organizationId,
    address4: `10.128.0.${9 + count}`,
    address6: null,
    lanPrefixes: [],
    neighbours: [],
    offered: null,
    credentialId: `crd_${deviceId}`,
    attachedAtMs: performance.now(),
    state: 'attached',
    ike: {
      spiI: spi,
      spiR: spi,
      encr: transform,
      prf: transform,
      integ: null,
      ke: transform,
      additionalKe: [],
      tier: null,
      peerBehindNat: false,
    } as unknown as IkeSaSummary,
    ikeEstablishedAtMs: performance.now(),
    initiatedIke: false,
    children: [],
    remote,
    ikeRekeys: 0,
    childRekeys: 0,
    lastSeenAtMs: performance.now(),
    detachedAtMs: null,
    detachReason: null,
  }
  registry.attach(record)
  writer.touch(deviceId, true)
  await writer.drain(5_000)
  return record
}

async function rowOf(deviceId: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await pool.query<Record<string, unknown>>('SELECT * FROM attachments WHERE device_id = $1', [
    deviceId,
  ])
  return rows[0]
}

async function eventsOf(deviceId: string): Promise<string[]> {
  const { rows } = await pool.query<{ type: string }>(
    'SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence',
    [deviceId],
  )
  return rows.map((row) => row.type)
}
