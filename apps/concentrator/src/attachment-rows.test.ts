import {
  createDeviceLookup,
  ensureOrganization,
  markOffline,
  markPolicyApplied,
  newId,
  openPool,
  readHeldDevices,
  readPolicyWork,
  readRedirect,
  redirectConcentrator,
  registerConcentrator,
  readHeartbeats,
  tellPresence,
  tellTallies,
  writeAttachments,
  writeChildCounters,
  type AttachmentSnapshot,
  type Pool,
} from '@culvert/db'
import { createDatabase } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

let pool: Pool
let organizationId: string

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  const organization = await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })
  organizationId = organization.id
  await pool.query(
    `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_a', $1, 'default', '10.128.0.0/20')`,
    [organizationId],
  )
  for (const [id, slot] of [
    ['con-1', 1],
    ['con-2', 2],
  ] as const) {
    await registerConcentrator(pool, node(id, slot))
  }
})
afterAll(() => pool.end())

function node(id: string, slot: number): Parameters<typeof registerConcentrator>[1] {
  return { id, slot, addresses: ['192.0.2.1'], ikeIdentity: 'c', tunNamespace: 't', dialAddress: '10.127.0.1' }
}

let devices = 0
async function addDevice(): Promise<string> {
  const id = newId('dev')
  devices++
  await pool.query(
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4) VALUES ($1, $2, 'net_a', $1, $3, $4, $5)`,
    [id, organizationId, `89000000000000000${devices}`, `${id}.acme.example`, `10.128.0.${9 + devices}`],
  )
  return id
}

it('a node that was cut off takes a device back only when the device came back to it', async () => {
  const deviceId = await addDevice()
  const ownerOf = async (): Promise<unknown> =>
    (await pool.query('SELECT concentrator_id FROM attachments WHERE device_id = $1', [deviceId])).rows
  await writeAttachments(pool, 'con-1', [snapshot(deviceId)])
  await writeAttachments(pool, 'con-2', [snapshot(deviceId, { ikeSas: [ikeSa('0a', [200])] })])
  // A rekey that happened while con-1 was away from the database: news of a presence that is over.
  await writeAttachments(pool, 'con-1', [snapshot(deviceId, { changed: false, ikeSas: [ikeSa('0b', [300])] })])
  expect(await ownerOf()).toEqual([{ concentrator_id: 'con-2' }])
  const { rows } = await pool.query('SELECT spi_in FROM child_sas WHERE device_id = $1', [deviceId])
  expect(rows).toEqual([{ spi_in: '200' }])
  await writeAttachments(pool, 'con-1', [snapshot(deviceId, { attachedAt: new Date() })])
  expect(await ownerOf()).toEqual([{ concentrator_id: 'con-1' }])
})

function snapshot(deviceId: string, changes: Partial<AttachmentSnapshot> = {}): AttachmentSnapshot {
  return {
    deviceId,
    organizationId,
    state: 'attached',
    address4: '10.128.0.10',
    address6: null,
    credentialId: null,
    remoteAddress: '192.0.2.10',
    remotePort: 4500,
    behindNat: false,
    attachedAt: new Date('2026-01-01T00:00:00Z'),
    detachedAt: null,
    detachReason: null,
    lastSeenAt: new Date('2026-01-01T00:00:00Z'),
    changed: true,
    ikeSas: [ikeSa('01', [100])],
    ...changes,
  }
}

function ikeSa(spi: string, children: number[]): AttachmentSnapshot['ikeSas'][number] {
  return {
    spiI: spi.padStart(16, '0'),
    spiR: `${spi}ff`.padStart(16, '0'),
    initiator: false,
    encryption: 'AES-GCM-16-256',
    integrity: null,
    prf: 'PRF-HMAC-SHA2-256',
    keyExchange: 'CURVE25519',
    additionalKeyExchanges: [],
    tier: null,
    establishedAt: new Date('2026-01-01T00:00:00Z'),
    childSas: children.map((spiIn) => ({
      spiIn,
      spiOut: 4_000_000_000 + spiIn,
      encryption: 'AES-GCM-16-256',
      integrity: null,
      esn: false,
      selectorsLocal: ['10.127.0.0-10.127.0.255'],
      selectorsRemote: ['10.128.0.10'],
      installedAt: new Date('2026-01-01T00:00:00Z'),
    })),
  }
}

const rowOf = async (deviceId: string): Promise<Record<string, unknown> | undefined> =>
  (await pool.query(`SELECT * FROM attachments WHERE device_id = $1`, [deviceId])).rows[0]
const childrenOf = async (deviceId: string): Promise<number[]> =>
  (
    await pool.query<{ spi_in: string }>(`SELECT spi_in FROM child_sas WHERE device_id = $1 ORDER BY spi_in`, [
      deviceId,
    ])
  ).rows.map((row) => Number(row.spi_in))

describe('registration', () => {
  it('draws a greater incarnation each time', async () => {
    const first = await registerConcentrator(pool, node('con-9', 9))
    expect(await registerConcentrator(pool, node('con-9', 9))).toBe(first + 1)
  })

  it('ends the attachments a former life left behind; that is told unless they come back at once', async () => {
    await registerConcentrator(pool, node('con-8', 8))
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-8', [snapshot(deviceId)])
    await registerConcentrator(pool, node('con-8', 8))
    expect(await rowOf(deviceId)).toMatchObject({ state: 'detached', detach_reason: 'node_restarted' })
    expect(await childrenOf(deviceId)).toEqual([])
    await tellPresence(pool, 60_000)
    const read = `SELECT type, sequence FROM events WHERE resource_id = $1 ORDER BY sequence`
    expect((await pool.query(read, [deviceId])).rows).toHaveLength(1)
    await tellPresence(pool, 0)
    const { rows } = await pool.query(read, [deviceId])
    expect(rows).toEqual([
      { type: 'device.online', sequence: 1 },
      { type: 'device.offline', sequence: 2 },
    ])
  })
})

it('sends the devices of a node to another gateway until they stay again, but not to itself', async () => {
  expect(await readRedirect(pool, 'con-1')).toBeNull()
  expect(await redirectConcentrator(pool, 'con-1', '192.0.2.2')).toBe(true)
  expect([await readRedirect(pool, 'con-1'), await readRedirect(pool, 'con-2')]).toEqual(['192.0.2.2', null])
  expect(await redirectConcentrator(pool, 'con-1', '192.0.2.1')).toBe(false)
  expect(await redirectConcentrator(pool, 'con-nobody', '192.0.2.2')).toBe(false)
  expect(await readRedirect(pool, 'con-1')).toBe('192.0.2.2')
  await registerConcentrator(pool, node('con-1', 1)) // a restart does not change what the operator wants
  expect(await readRedirect(pool, 'con-1')).toBe('192.0.2.2')
  expect(await redirectConcentrator(pool, 'con-1', null)).toBe(true)
  expect(await readRedirect(pool, 'con-1')).toBeNull()
})

describe('attachment rows', () => {
  it('replaces the SAs of a device, and a Child SA that stays keeps its counters', async () => {
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-1', [snapshot(deviceId, { ikeSas: [ikeSa('0a', [100, 101])] })])
    const counted = { deviceId, packetsIn: 1, bytesIn: 2, packetsOut: 3, bytesOut: 4 }
    const found = await writeChildCounters(pool, [
      { ...counted, spiIn: 101 },
      { ...counted, spiIn: 999 },
    ])
    expect([...found]).toEqual([101])
    await writeAttachments(pool, 'con-1', [snapshot(deviceId, { changed: false, ikeSas: [ikeSa('0a', [101, 102])] })])
    expect(await childrenOf(deviceId)).toEqual([101, 102])
    const { rows } = await pool.query(`SELECT bytes_out FROM child_sas WHERE device_id = $1 AND spi_in = 101`, [
      deviceId,
    ])
    expect(rows).toEqual([{ bytes_out: '4' }])
    expect(await rowOf(deviceId)).toMatchObject({ epoch: 1 })
  })

  it('keeps the rows of other devices of the batch apart', async () => {
    const [a, b] = [await addDevice(), await addDevice()]
    await writeAttachments(pool, 'con-1', [
      snapshot(a, { ikeSas: [ikeSa('0b', [110])] }),
      snapshot(b, { ikeSas: [ikeSa('0c', [110, 111])] }),
    ])
    expect(await childrenOf(a)).toEqual([110])
    expect(await childrenOf(b)).toEqual([110, 111])
  })

  it('lets the newer node win and never lets the older one write over it', async () => {
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-1', [snapshot(deviceId, { ikeSas: [ikeSa('0d', [120])] })])
    const later = { attachedAt: new Date('2026-01-02T00:00:00Z'), ikeSas: [ikeSa('0e', [121])] }
    await writeAttachments(pool, 'con-2', [snapshot(deviceId, later)])
    await writeAttachments(pool, 'con-1', [
      snapshot(deviceId, { state: 'detached', detachReason: 'superseded', detachedAt: new Date(), ikeSas: [] }),
    ])
    expect(await rowOf(deviceId)).toMatchObject({ concentrator_id: 'con-2', state: 'attached', epoch: 2 })
    expect(await childrenOf(deviceId)).toEqual([121])
    expect(await readHeldDevices(pool, 'con-1', [deviceId])).toMatchObject([{ heldElsewhere: true }])
  })

  it('drops a snapshot of a device that does not exist or belongs to another organization', async () => {
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-1', [snapshot('dev_nobody'), snapshot(deviceId, { organizationId: 'org_other' })])
    expect(await rowOf('dev_nobody')).toBeUndefined()
    expect(await rowOf(deviceId)).toBeUndefined()
  })
})

describe('policy work', () => {
  it('finds a detach request and a deletion once, until they are marked as applied', async () => {
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-1', [snapshot(deviceId)])
    await markPolicyApplied(pool, 'con-1', await readPolicyWork(pool, 'con-1'))
    await pool.query(`UPDATE attachments SET detach_desired = detach_desired + 1 WHERE device_id = $1`, [deviceId])
    const work = await readPolicyWork(pool, 'con-1')
    expect(work).toMatchObject([{ deviceId, detachRequested: true, deleted: false }])
    await markPolicyApplied(pool, 'con-2', work)
    expect(await readPolicyWork(pool, 'con-1')).toHaveLength(1)
    await markPolicyApplied(pool, 'con-1', work)
    expect(await readPolicyWork(pool, 'con-1')).toEqual([])
    await pool.query(`UPDATE devices SET deleted_at = now() WHERE id = $1`, [deviceId])
    expect(await readPolicyWork(pool, 'con-1')).toMatchObject([{ deviceId, deleted: true }])
  })
})

describe('device lookup', () => {
  it('returns valid credentials only, and nothing for a deleted device', async () => {
    const deviceId = await addDevice()
    const identity = `${deviceId}.acme.example`
    const add = (id: string, extra: string): Promise<unknown> =>
      pool.query(
        `INSERT INTO credentials (id, organization_id, device_id, kind, sealed_secret, sealing_key_id, revoked_at, expires_at)
         VALUES ($1, $2, $3, 'psk', '\\x01', 'k', ${extra})`,
        [id, organizationId, deviceId],
      )
    await add('crd_good', 'NULL, NULL')
    await add('crd_revoked', 'now(), NULL')
    await add('crd_expired', "NULL, now() - interval '1 second'")
    const lookup = createDeviceLookup(pool)
    expect(await lookup.find(identity)).toMatchObject({ deviceId, credentials: [{ id: 'crd_good' }] })
    await pool.query(`UPDATE devices SET deleted_at = now() WHERE id = $1`, [deviceId])
    expect(await lookup.find(identity)).toBeNull()
    expect(await lookup.find("'; DROP TABLE devices; --")).toBeNull()
  })

  it('gives all devices of a network the same settings, until something of them changes', async () => {
    const [first, second] = [await addDevice(), await addDevice()]
    const nameOf = (deviceId: string): string => `${deviceId}.acme.example`
    const lookup = createDeviceLookup(pool)
    const [a, b] = await Promise.all([lookup.find(nameOf(first)), lookup.find(nameOf(second))])
    expect(a).toMatchObject({
      organizationId,
      lanPrefixes: [],
      dnsServers: [],
      pools: ['10.128.0.0/20'],
      limits: {
        networkId: 'net_a',
        deviceToDevice: false,
        rateLimit: null,
        quota: null,
        usage: { day: 0, month: 0, total: 0 },
      },
    })
    expect(b?.pools).toBe(a?.pools)
    await pool.query(
      `UPDATE networks SET dns_servers = '{10.0.0.53}', rate_limit = '{"upBytesPerSec": 5, "downBytesPerSec": null}'`,
    )
    await pool.query(
      `UPDATE devices SET lan_prefixes = '{192.168.1.0/24}', quota = '{"bytes": 9, "period": "day"}' WHERE id = $1`,
      [first],
    )
    await pool.query(
      `INSERT INTO device_usage (device_id, organization_id, day, day_bytes, month, month_bytes, total_bytes)
       VALUES ($1, $2, '2020-01-01', 3, date_trunc('month', now() AT TIME ZONE 'utc'), 4, 5)`,
      [first, organizationId],
    )
    expect(await lookup.find(nameOf(first))).toMatchObject({
      lanPrefixes: ['192.168.1.0/24'],
      dnsServers: ['10.0.0.53'],
      limits: {
        rateLimit: { upBytesPerSec: 5, downBytesPerSec: null },
        quota: { bytes: 9, period: 'day' },
        usage: { day: 0, month: 4, total: 5 },
      },
    })
    await pool.query(`UPDATE networks SET dns_servers = '{}', rate_limit = NULL`)
  })

  it('reads a secret as it was sealed', async () => {
    const deviceId = await addDevice()
    const sealed = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet))
    await pool.query(
      `INSERT INTO credentials (id, organization_id, device_id, kind, sealed_secret, sealing_key_id) VALUES ('crd_octets', $1, $2, 'psk', $3, 'k')`,
      [organizationId, deviceId, sealed],
    )
    const device = await createDeviceLookup(pool).find(`${deviceId}.acme.example`)
    expect(device?.credentials).toEqual([{ kind: 'psk', id: 'crd_octets', sealedSecret: sealed, sealingKeyId: 'k' }])
  })

  it('asks once for all that come at the same time, and answers each of them, newest credential first', async () => {
    const deviceIds = [await addDevice(), await addDevice(), await addDevice()]
    const add = (id: string, deviceId: string | undefined, age: string): Promise<unknown> =>
      pool.query(
        `INSERT INTO credentials (id, organization_id, device_id, kind, sealed_secret, sealing_key_id, created_at)
         VALUES ($1, $2, $3, 'psk', '\\x01', 'k', now() - interval '${age}')`,
        [id, organizationId, deviceId],
      )
    await add('crd_old', deviceIds[0], '2 hours')
    await add('crd_new', deviceIds[0], '1 hour')
    await add('crd_other', deviceIds[1], '3 hours')
    let statements = 0
    const counting = {
      query: (...query: Parameters<Pool['query']>) => {
        statements++
        return pool.query(...query)
      },
    } as unknown as Pool
    const lookup = createDeviceLookup(counting)
    const identities = [...deviceIds.map((deviceId) => `${deviceId}.acme.example`), 'nobody.acme.example']
    const found = await Promise.all(identities.map((identity) => lookup.find(identity)))
    expect(statements).toBe(1)
    const behind = identities.map(async (identity) => {
      await new Promise((done) => setImmediate(done))
      return lookup.find(identity)
    })
    expect((await Promise.all(behind)).map((device) => device?.deviceId)).toEqual([...deviceIds, undefined])
    expect(statements).toBe(2)
    expect(found.map((device) => device?.deviceId)).toEqual([...deviceIds, undefined])
    expect(found.map((device) => device?.credentials.map(({ id }) => id))).toEqual([
      ['crd_new', 'crd_old'],
      ['crd_other'],
      [],
      undefined,
    ])
  })
})

describe('what is told about a device', () => {
  const told = async (deviceId: string): Promise<unknown[]> => {
    const { rows } = await pool.query<{ type: string; sequence: number; data: Record<string, unknown> }>(
      'SELECT type, sequence, data FROM events WHERE resource_id = $1 ORDER BY sequence',
      [deviceId],
    )
    expect(rows.map(({ sequence }) => Number(sequence))).toEqual(rows.map((_, index) => index + 1))
    return rows.map(({ type, data }) => [type, data['cause'] ?? data['remoteAddress'] ?? data['count']])
  }
  const detached = (deviceId: string, detachReason: string): AttachmentSnapshot =>
    snapshot(deviceId, { state: 'detached', detachedAt: new Date(), detachReason, ikeSas: [] })
  const later = (remoteAddress: string): Partial<AttachmentSnapshot> => ({ attachedAt: new Date(), remoteAddress })
  /** As if so much time had passed. */
  const pass = (deviceId: string, seconds: number): Promise<unknown> =>
    pool.query(
      `UPDATE attachments SET tell_since = tell_since - $2 * interval '1 second', told_at = told_at - $2 * interval '1 second' WHERE device_id = $1`,
      [deviceId, seconds],
    )
  const tell = (): Promise<boolean> => tellPresence(pool, 5_000)

  it('that it went, with the cause, once it stayed away; coming and going meanwhile is nothing', async () => {
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-1', [snapshot(deviceId)])
    await writeAttachments(pool, 'con-1', [detached(deviceId, 'deletedByPeer')])
    await pass(deviceId, 4)
    await tell()
    await writeAttachments(pool, 'con-1', [snapshot(deviceId, { attachedAt: new Date() })])
    await pass(deviceId, 60)
    await tell()
    expect(await told(deviceId)).toEqual([['device.online', '192.0.2.10']])
    await writeAttachments(pool, 'con-1', [detached(deviceId, 'peerSilent')])
    await pass(deviceId, 6)
    await Promise.all([tell(), tell()])
    expect((await told(deviceId)).slice(1)).toEqual([['device.offline', 'liveness']])
    await tell()
    await writeAttachments(pool, 'con-2', [snapshot(deviceId, { attachedAt: new Date() })])
    expect((await told(deviceId)).slice(2)).toEqual([['device.online', '192.0.2.10']])
  })

  it('why it went, of its newest attachment: one that was replaced elsewhere goes without a word', async () => {
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-1', [snapshot(deviceId)])
    await writeAttachments(pool, 'con-2', [snapshot(deviceId, later('192.0.2.31'))])
    await writeAttachments(pool, 'con-1', [detached(deviceId, 'superseded')])
    await pass(deviceId, 6)
    await tell()
    expect((await told(deviceId)).slice(1)).toEqual([['device.moved', '192.0.2.31']])
    await writeAttachments(pool, 'con-2', [detached(deviceId, 'peerSilent')])
    await writeAttachments(pool, 'con-1', [detached(deviceId, 'superseded')])
    await pass(deviceId, 6)
    await tell()
    expect((await told(deviceId)).slice(2)).toEqual([['device.offline', 'liveness']])
  })

  it('that it moved to another address or concentrator, the last of several in a while alone', async () => {
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-1', [snapshot(deviceId)])
    for (const address of ['192.0.2.20', '192.0.2.21'])
      await writeAttachments(pool, 'con-1', [snapshot(deviceId, { remoteAddress: address })])
    await tell()
    expect(await told(deviceId)).toHaveLength(1)
    await pass(deviceId, 6)
    await tell()
    expect((await told(deviceId)).slice(1)).toEqual([['device.moved', '192.0.2.21']])
    await writeAttachments(pool, 'con-2', [snapshot(deviceId, later('192.0.2.21'))])
    await writeAttachments(pool, 'con-1', [snapshot(deviceId, later('192.0.2.21'))])
    await pass(deviceId, 6)
    await tell()
    expect(await told(deviceId)).toHaveLength(2)
    await writeAttachments(pool, 'con-1', [snapshot(deviceId, { ...later('192.0.2.21'), remotePort: 4501 })])
    await pass(deviceId, 6)
    await tell()
    expect(await told(deviceId)).toHaveLength(2)
  })

  it('that its node is lost, at once, and not again when the node says that it had gone', async () => {
    await registerConcentrator(pool, node('con-7', 7))
    const deviceId = await addDevice()
    await writeAttachments(pool, 'con-7', [snapshot(deviceId)])
    const heartbeat = (await readHeartbeats(pool)).find(({ id }) => id === 'con-7')!
    expect(await markOffline(pool, heartbeat)).toBe(true)
    await tell()
    expect((await told(deviceId)).slice(1)).toEqual([['device.offline', 'node_lost']])
    await writeAttachments(pool, 'con-7', [detached(deviceId, 'shutdown')])
    await pass(deviceId, 6)
    await tell()
    expect(await told(deviceId)).toHaveLength(2)
  })

  it('its rekeys, the first at once and the others of a minute as one, none left out', async () => {
    const deviceId = await addDevice()
    const rekeyed = (child: number): Promise<unknown> =>
      writeAttachments(pool, 'con-1', [snapshot(deviceId, { changed: false, rekeyed: { ike: 0, child } })])
    const windowEnds = (): Promise<unknown> =>
      pool.query(`UPDATE event_tallies SET window_ends_at = now() - interval '1 ms' WHERE resource_id = $1`, [deviceId])
    await writeAttachments(pool, 'con-1', [snapshot(deviceId)])
    for (const count of [1, 2, 3]) await rekeyed(count)
    await tellTallies(pool)
    expect((await told(deviceId)).slice(1)).toEqual([['sa.rekeyed', 1]])
    await windowEnds()
    await Promise.all([tellTallies(pool), tellTallies(pool)])
    expect((await told(deviceId)).slice(2)).toEqual([['sa.rekeyed', 5]])
    for (let round = 0; round < 2; round++) {
      await windowEnds()
      await tellTallies(pool)
    }
    await rekeyed(1)
    expect((await told(deviceId)).slice(3)).toEqual([['sa.rekeyed', 1]])
  })

  it('its rekeys, however many there are in all of time', async () => {
    const deviceId = await addDevice()
    const counts = [2_000_000_000, 1, 2_000_000_000, 2_000_000_000]
    await writeAttachments(pool, 'con-1', [snapshot(deviceId)])
    for (const [index, child] of counts.entries()) {
      await writeAttachments(pool, 'con-1', [snapshot(deviceId, { changed: false, rekeyed: { ike: 0, child } })])
      if (index === 0) continue // told at once
      await pool.query(`UPDATE event_tallies SET window_ends_at = now() - interval '1 second' WHERE resource_id = $1`, [
        deviceId,
      ])
      await tellTallies(pool)
    }
    expect((await told(deviceId)).slice(1)).toEqual(counts.map((count) => ['sa.rekeyed', count]))
  })
})
