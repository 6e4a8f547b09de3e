import { luhnCheckDigit } from '@culvert/lifecycle'
import { createDatabase } from '@culvert/testkit'
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  addThreshold,
  changeThreshold,
  countPresences,
  createDevice,
  ensureOrganization,
  openPool,
  readUsage,
  registerConcentrator,
  registerGateway,
  rollUpUsage,
  systemAuthor,
  tellThresholds,
  writeAttachments,
  writeChildCounters,
  writeConnections,
  type AttachmentSnapshot,
  type Pool,
  type UsageFilter,
  type UsagePage,
  type UsagePosition,
  type UsageRecord,
} from './index.ts'

const by = systemAuthor('test')
const hourMs = 3_600_000

let pool: Pool
let organizationId = ''
let deviceId = ''
let address4 = ''
let hour = new Date(0)

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  for (const slot of [1, 2]) {
    await registerConcentrator(pool, {
      id: `con-${slot}`,
      slot,
      addresses: [`192.0.2.${slot}`],
      ikeIdentity: 'c.test',
      tunNamespace: 'tun',
      dialAddress: '10.127.0.1',
    })
  }
  await registerGateway(pool, {
    id: 'gw-1',
    bindAddress: '0.0.0.0',
    publicHost: 'gw',
    portFrom: 20_000,
    portTo: 20_009,
  })
})
afterAll(() => pool.end())
beforeEach(async () => {
  const device = await newDevice()
  deviceId = device.id
  address4 = device.address4
  const { rows } = await pool.query<{ hour: Date }>(`SELECT date_trunc('hour', now(), 'UTC') AS hour`)
  hour = rows[0]?.hour ?? hour
})

describe('usage of a device', () => {
  it('is what its Child SAs carried, whatever was rekeyed, resumed or taken over meanwhile', async () => {
    const attachedAt = new Date()
    await attach({ attachedAt, spis: [1] })
    await count(1, 100, 10)
    await count(1, 250, 20)
    await attach({ attachedAt, spis: [1, 2] })
    await count(2, 7, 1)
    await attach({ attachedAt, spis: [2] })
    // The process that resumed the SA counts from nothing.
    await count(2, 3, 1)
    await attach({ attachedAt: new Date(), spis: [3], concentrator: 'con-2' })
    await count(3, 1_000, 5)
    expect(await used()).toMatchObject({ bytesIn: 1_260, bytesOut: 2_520, packetsIn: 27, packetsOut: 27 })
  })

  it('is added up once, however often and by however many', async () => {
    await attach({ attachedAt: new Date(), spis: [4] })
    await count(4, 500, 5)
    const passes = await Promise.all([rollUpUsage(pool), rollUpUsage(pool), rollUpUsage(pool)])
    expect(Math.max(...passes)).toBeGreaterThan(0)
    await count(4, 500, 5)
    expect(await used()).toMatchObject({ bytesIn: 500, packetsIn: 5 })
  })

  it('is not lost by a roll-up that dies before it commits', async () => {
    await attach({ attachedAt: new Date(), spis: [5] })
    await count(5, 500, 5)
    await pool.query(`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'killed'; END $$;
      CREATE TRIGGER dying BEFORE INSERT ON usage_hourly EXECUTE FUNCTION die()`)
    await expect(rollUpUsage(pool)).rejects.toThrow('killed')
    await pool.query('DROP TRIGGER dying ON usage_hourly; DROP FUNCTION die')
    expect(await used()).toMatchObject({ bytesIn: 500 })
  })

  it('has the seconds attached in the hours they were in, also of a presence that lasts', async () => {
    const attachedAt = new Date(hour.getTime() - 1.5 * hourMs)
    await attach({ attachedAt, spis: [6] })
    expect(await countPresences(pool)).toBeGreaterThan(0)
    expect(await countPresences(pool)).toBe(0)
    await attach({ attachedAt, spis: [], detachedAt: new Date(hour.getTime() + 1) })
    const rows = await hours()
    const { data: attached } = { data: rows.map(({ from, attachedMs }) => [from.getTime(), attachedMs]) }
    expect(attached).toEqual([
      [hour.getTime() - 2 * hourMs, hourMs / 2],
      [hour.getTime() - hourMs, hourMs],
      [hour.getTime(), 1],
    ])
  })

  it('is corrected when a device turns out to have gone earlier than was counted', async () => {
    const attachedAt = new Date(hour.getTime() - hourMs)
    await attach({ attachedAt, spis: [7] })
    await countPresences(pool, -1)
    await attach({ attachedAt, spis: [], detachedAt: new Date(hour.getTime() - hourMs / 2) })
    await attach({ attachedAt: new Date(hour.getTime() - hourMs / 4), spis: [8] })
    await attach({
      attachedAt: new Date(hour.getTime() - hourMs / 4),
      spis: [],
      detachedAt: new Date(hour.getTime() - hourMs / 8),
    })
    expect((await hours()).reduce((sum, { attachedMs }) => sum + attachedMs, 0)).toBe((hourMs * 5) / 8)
  })
})

describe('usage of a tunnel', () => {
  it('counts connections, denials and octets once, however often their rows are written', async () => {
    const tunnelId = await newTunnel()
    const row = (state: 'open' | 'closed' | 'refused', bytesUp: number, bytesDown: number) => ({
      id: `c-${state === 'refused' ? 2 : 1}-${tunnelId}`,
      organizationId,
      tunnelId,
      tunnelPortId: `prt-${tunnelId}`,
      clientAddress: '198.51.100.1',
      clientPort: 1,
      state,
      reason: null,
      openedAt: new Date(hour.getTime() - hourMs),
      closedAt: state === 'open' ? null : hour,
      bytesUp,
      bytesDown,
    })
    await writeConnections(pool, [row('open', 0, 0)])
    await writeConnections(pool, [row('open', 10, 100)])
    await writeConnections(pool, [row('open', 10, 100), row('refused', 0, 0)])
    await writeConnections(pool, [row('closed', 30, 300)])
    await writeConnections(pool, [row('closed', 30, 300)])
    await pool.query(`UPDATE tunnels SET opened_at = now() WHERE id = $1`, [tunnelId])
    await pool.query(`UPDATE tunnels SET opened_at = now() WHERE id = $1`, [tunnelId])
    await rollUp()
    const of = (groupBy: 'tunnel' | 'device'): Promise<readonly UsageRecord[]> =>
      read({ groupBy, interval: 'day', deviceId })
    const total = { tunnelsOpened: 1, connections: 1, denied: 1 }
    expect(sum(await of('tunnel'))).toMatchObject({ ...total, bytesIn: 300, bytesOut: 30 })
    expect(sum(await of('device'))).toMatchObject({ ...total, bytesIn: 0, bytesOut: 0 })
  })
})

describe('usage of the organization', () => {
  it('is that of its devices', async () => {
    const before = sum(await read({ groupBy: 'organization' }))
    await attach({ attachedAt: new Date(), spis: [9] })
    await count(9, 11, 1)
    expect(sum(await read({ groupBy: 'organization' })).bytesIn - before.bytesIn).toBe(11)
  })

  it('is read page by page without gap or repetition', async () => {
    const all = await read({ groupBy: 'device' })
    const seen: UsageRecord[] = []
    for (let after: UsagePosition | null = null; ;) {
      const { rows, next } = await readPage({ groupBy: 'device' }, { after, limit: 2 })
      seen.push(...rows)
      if (next === null) break
      after = next
    }
    expect(seen).toEqual(all)
    expect(all.length).toBeGreaterThan(4)
  })
})

describe('a threshold', () => {
  it('is told at each percent, once in a period, and anew when it is changed', async () => {
    const wanted = { name: 'x', deviceId, tag: null, bytes: 3_000, period: 'day' as const, percents: [50, 80, 100] }
    const made = await addThreshold(pool, organizationId, wanted, { by })
    if (typeof made === 'string') throw new Error(made)
    await attach({ attachedAt: new Date(), spis: [10] })
    await count(10, 600, 1)
    expect(await told(made.id)).toEqual([50])
    expect(await told(made.id)).toEqual([50])
    await count(10, 1_000, 1)
    expect(await told(made.id)).toEqual([50, 80, 100])
    await changeThreshold(
      pool,
      { organizationId, id: made.id, ifVersion: null },
      { bytes: 6_000, percents: [50, 60] },
      { by },
    )
    expect(await told(made.id)).toEqual([50, 80, 100, 50])
    await pool.query(`UPDATE usage_thresholds SET told_period = told_period - interval '1 day' WHERE id = $1`, [
      made.id,
    ])
    expect(await told(made.id)).toEqual([50, 80, 100, 50, 50])
  })

  it('of a tag counts all its devices together', async () => {
    await pool.query(`UPDATE devices SET tags = '{pump}' WHERE id = $1`, [deviceId])
    const wanted = { name: 'x', deviceId: null, tag: 'pump', bytes: 100, period: 'month' as const, percents: [100] }
    const made = await addThreshold(pool, organizationId, wanted, { by })
    if (typeof made === 'string') throw new Error(made)
    await attach({ attachedAt: new Date(), spis: [11] })
    await count(11, 20, 1)
    expect(await told(made.id)).toEqual([])
    const first = deviceId
    ;({ id: deviceId, address4 } = await newDevice())
    await pool.query(`UPDATE devices SET tags = '{pump}' WHERE id = $1`, [deviceId])
    await attach({ attachedAt: new Date(), spis: [12] })
    await count(12, 20, 1)
    expect(first).not.toBe(deviceId)
    expect(await told(made.id)).toEqual([100])
  })

  it('that takes long keeps nobody waiting: organizations take turns, and it is looked at less often', async () => {
    const heavy = { name: 'x', deviceId: null, tag: 'pump', bytes: 1, period: 'month' as const, percents: [100] }
    const heavyIds: string[] = []
    for (let made = 0; made < 2; made++) {
      const threshold = await addThreshold(pool, organizationId, heavy, { by })
      heavyIds.push(typeof threshold === 'string' ? '' : threshold.id)
    }
    const { id: other } = await ensureOrganization(pool, { name: 'Other', slug: 'other' })
    const light = await addThreshold(pool, other, { ...heavy, tag: null }, { by })
    await rollUp()
    // The two wait for this, as they would for many devices.
    const holder = await pool.connect()
    await holder.query('BEGIN; LOCK TABLE usage_daily IN ACCESS EXCLUSIVE MODE')
    const tooLong: string[] = []
    const onTooLong = (id: string): number => tooLong.push(id)
    await pool.query('DELETE FROM usage_thresholds WHERE id <> ALL($1)', [
      [...heavyIds, typeof light === 'string' ? '' : light.id],
    ])
    await pool.query(`UPDATE usage_thresholds SET checked_at = now() - interval '1 hour'`)
    await tellThresholds(pool, { mostMs: 50, onTooLong })
    await holder.query('ROLLBACK')
    holder.release()
    expect(tooLong.toSorted()).toEqual(heavyIds.toSorted())
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM usage_thresholds ORDER BY checked_at')
    // The light one was looked at in the first turn, before the second of the heavy ones.
    expect(rows.at(-1)?.id).toBe(tooLong[1])
    await pool.query(`UPDATE usage_thresholds SET check_ms = 3_000, checked_at = now() - interval '2 minutes'`)
    expect(await tellThresholds(pool)).toBe(0)
    await pool.query(`UPDATE usage_thresholds SET checked_at = now() - interval '4 minutes'`)
    expect(await tellThresholds(pool)).toBe(3)
    for (const id of heavyIds) expect(await told(id)).toEqual([100])
  })
})

async function told(thresholdId: string): Promise<number[]> {
  await rollUp()
  await tellThresholds(pool, { everySec: 0 })
  const { rows } = await pool.query<{ percent: number }>(
    `SELECT (data ->> 'percent')::int AS percent FROM events WHERE resource_id = $1 AND type = 'usage.threshold' ORDER BY sequence`,
    [thresholdId],
  )
  return rows.map(({ percent }) => percent)
}

async function rollUp(): Promise<void> {
  while ((await rollUpUsage(pool)) > 0) continue
}

async function read(filter: Partial<UsageFilter>): Promise<readonly UsageRecord[]> {
  return (await readPage(filter, { after: null, limit: 1_000 })).rows
}

async function readPage(
  filter: Partial<UsageFilter>,
  page: { after: UsagePosition | null; limit: number },
): Promise<UsagePage> {
  await rollUp()
  const range = { from: new Date(hour.getTime() - 48 * hourMs), before: new Date(hour.getTime() + 48 * hourMs) }
  return readUsage(pool, organizationId, { groupBy: 'device', interval: 'hour', ...range, ...filter }, page)
}

const hours = (): Promise<readonly UsageRecord[]> => read({ deviceId })
const used = async (): Promise<UsageRecord> => sum(await hours())

function sum(rows: readonly UsageRecord[]): UsageRecord {
  const names = ['bytesIn', 'bytesOut', 'packetsIn', 'packetsOut', 'tunnelsOpened', 'connections', 'denied'] as const
  const total = (name: (typeof names)[number]): number => rows.reduce((whole, row) => whole + row[name], 0)
  return Object.fromEntries(names.map((name) => [name, total(name)])) as unknown as UsageRecord
}

async function count(spiIn: number, bytesIn: number, packets: number): Promise<void> {
  await writeChildCounters(pool, [
    { deviceId, spiIn, bytesIn, bytesOut: bytesIn * 2, packetsIn: packets, packetsOut: packets },
  ])
}

interface Presence {
  readonly attachedAt: Date
  readonly spis: readonly number[]
  readonly detachedAt?: Date
  readonly concentrator?: string
}

async function attach({ attachedAt, spis, detachedAt, concentrator = 'con-1' }: Presence): Promise<void> {
  const transforms = { encryption: 'AES_GCM_16-256', integrity: null }
  const childSas = spis.map((spiIn) => ({
    spiIn,
    spiOut: spiIn,
    ...transforms,
    esn: false,
    installedAt: attachedAt,
    selectorsLocal: [],
    selectorsRemote: [],
  }))
  const ikeSa = {
    spiI: deviceId.slice(-16),
    spiR: concentrator,
    initiator: false,
    ...transforms,
    prf: 'HMAC_SHA2_256',
    keyExchange: 'CURVE25519',
    additionalKeyExchanges: [],
    tier: 'modern' as const,
    establishedAt: attachedAt,
    childSas,
  }
  const snapshot: AttachmentSnapshot = {
    deviceId,
    organizationId,
    state: detachedAt ? 'detached' : 'attached',
    address4,
    address6: null,
    credentialId: null,
    changed: true,
    remoteAddress: '198.51.100.7',
    remotePort: 4500,
    behindNat: true,
    attachedAt,
    lastSeenAt: attachedAt,
    detachedAt: detachedAt ?? null,
    detachReason: detachedAt ? 'deletedByPeer' : null,
    ikeSas: detachedAt ? [] : [ikeSa],
  }
  await writeAttachments(pool, concentrator, [snapshot])
}

async function newDevice(): Promise<{ id: string; address4: string }> {
  const digits = `8944${Array.from({ length: 15 }, () => randomInt(10)).join('')}`
  const iccid = digits + luhnCheckDigit(digits)
  const rest = { imsi: null, imei: null, eid: null, name: null, tags: [], tunnelable: true, lanPrefixes: [] }
  const settings = { proposalTiers: null, rateLimit: null, quota: null }
  const made = await createDevice(pool, { organizationId, zone: 'test', iccid, ...rest, ...settings }, { by })
  if (typeof made === 'string') throw new Error(made)
  return made
}

async function newTunnel(): Promise<string> {
  const id = `tun-${deviceId}`
  await pool.query(
    `INSERT INTO tunnels (id, organization_id, device_id, state, allow_from, ttl_sec, expires_at)
     VALUES ($1, $2, $3, 'opening', '{0.0.0.0/0}', 600, now() + interval '1 day')`,
    [id, organizationId, deviceId],
  )
  await pool.query(
    `INSERT INTO tunnel_ports (id, organization_id, tunnel_id, gateway_id, protocol, device_port, desired)
     VALUES ($1, $2, $3, 'gw-1', 'tcp', 22, 'listen')`,
    [`prt-${id}`, organizationId, id],
  )
  return id
}
