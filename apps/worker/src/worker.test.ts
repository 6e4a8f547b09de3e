import {
  createDevice,
  ensureOrganization,
  findTunnel,
  listen,
  openPool,
  openTunnel,
  readGatewayPorts,
  registerConcentrator,
  registerGateway,
  reportPorts,
  requestDetach,
  writeAttachments,
  type GatewayLease,
  type Pool,
  systemAuthor,
} from '@culvert/db'
import { luhnCheckDigit } from '@culvert/lifecycle'
import { createDatabase, waitFor } from '@culvert/testkit'
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { runWorker, type RunningWorker } from './index.ts'

const by = systemAuthor('test')

let databaseUrl = ''
let pool: Pool
let worker: RunningWorker
let organizationId = ''
let gateway: GatewayLease

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  await addConcentrator('con-1', 1)
  gateway = await addGateway('gw-1')
  worker = runWorker({ databaseUrl, sweepIntervalMs: 100, usageIntervalMs: 100 })
})
afterAll(async () => {
  await worker.close()
  await pool.end()
})

describe('the worker', () => {
  it('adds up what devices used', async () => {
    const deviceId = await addDevice('attached')
    await elapsePresence(deviceId)
    const attachedMs = async (): Promise<number> => {
      const { rows } = await pool.query<{ ms: number | null }>(
        `SELECT sum(attached_ms)::float8 AS ms FROM usage_hourly WHERE kind = 'device' AND subject_id = $1`,
        [deviceId],
      )
      return rows[0]?.ms ?? 0
    }
    // A pass may come between the attachment and the hour that it is given: it counts what was until then.
    await waitFor(async () => (await attachedMs()) >= 3_600_000, { message: 'usage' })
    expect(await attachedMs()).toBeGreaterThanOrEqual(3_600_000)
  })

  it('expires a tunnel whose time is up, and the gateway finishes it', async () => {
    const id = await addTunnel(await addDevice('attached'))
    await serve(gateway)
    await elapse(id)
    expect(await reached(id, { state: 'draining', reason: 'ttl_elapsed' })).toMatchObject({
      state: 'draining',
      reason: 'ttl_elapsed',
    })
    await serve(gateway)
    expect(await reached(id, { state: 'expired', reason: 'ttl_elapsed' })).toMatchObject({
      state: 'expired',
      reason: 'ttl_elapsed',
    })
    expect(await eventsOf(id)).toEqual([
      'tunnel.requested',
      'tunnel.opening',
      'tunnel.opened',
      'tunnel.draining',
      'tunnel.expired',
    ])
  })

  it('opens a tunnel that waited once its device is attached', async () => {
    const device = await addDevice('detached')
    const id = await addTunnel(device)
    expect(await findTunnel(pool, organizationId, id)).toMatchObject({
      state: 'waiting_for_device',
      reason: 'device_offline',
    })
    await attach(device, 'attached')
    expect(await reached(id, { state: 'opening', reason: null })).toMatchObject({ state: 'opening', reason: null })
    await serve(gateway)
    expect(await reached(id, { state: 'open' })).toMatchObject({ state: 'open' })
  })

  it('opens no tunnel to a device that has been closed to tunnels meanwhile', async () => {
    const device = await addDevice('detached')
    const id = await addTunnel(device)
    await pool.query('UPDATE devices SET tunnelable = false WHERE id = $1', [device])
    await attach(device, 'attached')
    await worker.sweep()
    expect(await findTunnel(pool, organizationId, id)).toMatchObject({ state: 'waiting_for_device' })
    await pool.query('UPDATE devices SET tunnelable = true WHERE id = $1', [device])
    await worker.sweep()
    expect(await reached(id, { state: 'opening' })).toMatchObject({ state: 'opening' })
  })

  it('fails a tunnel whose device did not come in time', async () => {
    const id = await addTunnel(await addDevice('detached'))
    await elapse(id)
    expect(await reached(id, { state: 'failed', reason: 'device_wait_timeout' })).toMatchObject({
      state: 'failed',
      reason: 'device_wait_timeout',
    })
  })

  it('puts a waiting tunnel on a gateway that is ready when its own is not any more', async () => {
    const gone = await addGateway('gw-gone')
    const device = await addDevice('detached')
    const id = await addTunnel(device)
    await pool.query(`UPDATE tunnel_ports SET gateway_id = $2 WHERE tunnel_id = $1`, [id, gone.id])
    await pool.query(`UPDATE gateways SET state = 'stopped' WHERE id = $1`, [gone.id])
    await attach(device, 'attached')
    expect(await reached(id, { state: 'opening', gatewayId: 'gw-1' })).toMatchObject({
      state: 'opening',
      gatewayId: 'gw-1',
    })
  })

  it('tells a gateway again that has not done for a while what it shall', async () => {
    const id = await addTunnel(await addDevice('attached'))
    let told = 0
    const ear = listen(databaseUrl, ['gateway_gw-1'], (notice) => void (notice === 'reconnected' || (told += 1)))
    try {
      await ear.ready
      await pool.query(`UPDATE tunnels SET updated_at = now() - interval '11 seconds' WHERE id = $1`, [id])
      await waitFor(() => told > 0)
    } finally {
      await ear.close()
    }
    await serve(gateway)
    expect(await reached(id, { state: 'open' })).toMatchObject({ state: 'open' })
  })

  it('tells a concentrator again that a detach is asked for', async () => {
    const device = await addDevice('attached')
    let told = 0
    await requestDetach(pool, { organizationId, deviceId: device }, { by })
    const ear = listen(databaseUrl, ['concentrator_con-1'], (notice) => void (notice === 'reconnected' || (told += 1)))
    try {
      await ear.ready
      await waitFor(() => told > 0)
    } finally {
      await ear.close()
    }
    expect(told).toBeGreaterThan(0)
    await attach(device, 'detached')
  })

  it('goes on with everything else when one tunnel cannot be brought further', async () => {
    const poisoned = await addTunnel(await addDevice('attached'))
    const device = await addDevice('detached')
    const waiting = await addTunnel(device)
    await pool.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$`)
    await pool.query(
      `CREATE TRIGGER poison BEFORE UPDATE ON tunnels FOR EACH ROW WHEN (NEW.id = '${poisoned}' AND NEW.state = 'draining') EXECUTE FUNCTION refuse()`,
    )
    await elapse(poisoned)
    const alone = runWorker({ databaseUrl, sweepIntervalMs: 60_000 })
    try {
      // Without a notice, so that only a pass over everything can find it.
      await pool.query(
        `INSERT INTO attachments (device_id, organization_id, concentrator_id, epoch, state, address4, remote_address, remote_port,
           behind_nat, attached_at, last_seen_at) SELECT id, organization_id, 'con-1', 1, 'attached', address4, '192.0.2.1', 4500, false,
           now(), now() FROM devices WHERE id = $1 ON CONFLICT (device_id) DO UPDATE SET state = 'attached'`,
        [device],
      )
      await alone.sweep()
      expect(await reached(waiting, { state: 'opening' })).toMatchObject({ state: 'opening' })
      expect(await reached(poisoned, { state: 'opening' })).toMatchObject({ state: 'opening' })
    } finally {
      await alone.close()
      await pool.query('DROP TRIGGER poison ON tunnels')
    }
    expect(await reached(poisoned, { state: 'draining' })).toMatchObject({ state: 'draining' })
  })

  it('keeps recent rows and forgets old ones, whereupon the address is free again', async () => {
    const device = await addDevice('detached')
    const id = await addTunnel(device)
    await elapse(id)
    expect(await reached(id, { state: 'failed' })).toMatchObject({ state: 'failed' })
    const first = runWorker({ databaseUrl })
    await first.sweep()
    await first.close()
    expect(await findTunnel(pool, organizationId, id)).not.toBeNull()
    await pool.query(`UPDATE tunnels SET closed_at = now() - interval '31 days' WHERE id = $1`, [id])
    await pool.query(`UPDATE devices SET deleted_at = now() - interval '31 days' WHERE id = $1`, [device])
    const second = runWorker({ databaseUrl })
    await second.sweep()
    await second.close()
    expect(await findTunnel(pool, organizationId, id)).toBeNull()
    expect((await pool.query('SELECT 1 FROM devices WHERE id = $1', [device])).rowCount).toBe(0)
  })
})

describe('nodes that fall silent', () => {
  it('count as offline: tunnels of the gateway fail, devices of the concentrator are detached', async () => {
    await worker.close()
    const lost = await addGateway('gw-lost')
    await addConcentrator('con-lost', 9)
    const device = await addDevice('attached', 'con-lost')
    const id = await addTunnel(device)
    await pool.query(`UPDATE tunnel_ports SET gateway_id = 'gw-lost' WHERE tunnel_id = $1`, [id])
    await serve(lost)
    expect(await reached(id, { state: 'open' })).toMatchObject({ state: 'open' })
    const beat = setInterval(() => {
      void pool.query(`UPDATE gateways SET heartbeat_at = clock_timestamp() WHERE id = 'gw-1'`)
      void pool.query(`UPDATE concentrators SET heartbeat_at = clock_timestamp() WHERE id = 'con-1'`)
    }, 20)
    worker = runWorker({ databaseUrl, sweepIntervalMs: 50, nodeDeadAfterMs: 1_000 })
    try {
      expect(await reached(id, { state: 'failed', reason: 'gateway_lost' })).toMatchObject({
        state: 'failed',
        reason: 'gateway_lost',
      })
      const { rows: nodes } = await pool.query(
        `SELECT id, state FROM gateways WHERE id IN ('gw-1', 'gw-lost') UNION ALL SELECT id, state FROM concentrators ORDER BY id`,
      )
      await waitFor(async () => {
        const { rows } = await pool.query('SELECT state, detach_reason FROM attachments WHERE device_id = $1', [device])
        return rows[0].state === 'detached' && rows[0].detach_reason === 'node_lost'
      })
      expect(nodes).toContainEqual({ id: 'gw-lost', state: 'offline' })
      expect(nodes).toContainEqual({ id: 'gw-1', state: 'ready' })
      expect(await eventsOf(device)).toEqual(['device.created', 'device.online', 'device.offline'])
    } finally {
      clearInterval(beat)
    }
  })
})

async function addConcentrator(id: string, slot: number): Promise<void> {
  const node = {
    id,
    slot,
    addresses: [`192.0.2.${slot}`],
    ikeIdentity: 'concentrator.test',
    tunNamespace: 'tun',
    dialAddress: '10.127.0.1',
  }
  await registerConcentrator(pool, node)
}

function addGateway(id: string): Promise<GatewayLease> {
  return registerGateway(pool, { id, bindAddress: '0.0.0.0', publicHost: id, portFrom: 20_000, portTo: 20_999 })
}

async function addDevice(state: 'attached' | 'detached', concentrator = 'con-1'): Promise<string> {
  const digits = `8944${Array.from({ length: 15 }, () => randomInt(10)).join('')}`
  const iccid = digits + luhnCheckDigit(digits)
  const device = await createDevice(
    pool,
    {
      organizationId,
      zone: 'test',
      iccid,
      imsi: null,
      imei: null,
      eid: null,
      name: null,
      tags: [],
      tunnelable: true,
      lanPrefixes: [],
      proposalTiers: null,
    },
    { by },
  )
  if (typeof device === 'string') throw new Error(device)
  if (state === 'attached') await attach(device.id, state, concentrator)
  return device.id
}

async function elapsePresence(deviceId: string): Promise<void> {
  await pool.query(`UPDATE attachments SET state = 'detached' WHERE device_id = $1`, [deviceId])
  await pool.query(
    `UPDATE attachments SET state = 'attached', attached_at = now() - interval '1 hour' WHERE device_id = $1`,
    [deviceId],
  )
}

async function attach(deviceId: string, state: 'attached' | 'detached', concentrator = 'con-1'): Promise<void> {
  const { rows } = await pool.query<{ address: string }>(
    'SELECT host(address4) AS address FROM devices WHERE id = $1',
    [deviceId],
  )
  const now = new Date()
  await writeAttachments(pool, concentrator, [
    {
      deviceId,
      organizationId,
      state,
      address4: rows[0]!.address,
      address6: null,
      credentialId: null,
      remoteAddress: '198.51.100.1',
      remotePort: 4500,
      behindNat: true,
      attachedAt: now,
      detachedAt: state === 'detached' ? now : null,
      detachReason: null,
      lastSeenAt: now,
      changed: true,
      ikeSas: [],
    },
  ])
}

async function addTunnel(deviceId: string): Promise<string> {
  const opened = await openTunnel(
    pool,
    {
      organizationId,
      deviceId,
      devicePort: 22,
      deviceHost: null,
      ttlSec: 3_600,
      allowFrom: ['203.0.113.7/32'],
      waitForDevice: true,
      maxBytes: null,
      rateLimit: null,
    },
    { by },
  )
  if (typeof opened === 'string' || 'missing' in opened) throw new Error(JSON.stringify(opened))
  return opened.id
}

/** Does what the gateway of this lease does in one pass. */
async function serve(lease: GatewayLease): Promise<void> {
  for (const port of await readGatewayPorts(pool, lease.id, false)) {
    const listens = port.desired === 'listen'
    await reportPorts(pool, lease, port.tunnelId, [
      {
        portId: port.id,
        generation: port.desiredGeneration,
        failure: null,
        gatewayPort: listens ? 20_000 : null,
        quarantineMs: listens ? null : 1_000,
      },
    ])
  }
}

/** Lets the tunnel's time be up. */
async function elapse(tunnelId: string): Promise<void> {
  await pool.query(`UPDATE tunnels SET expires_at = now() - interval '1 ms' WHERE id = $1`, [tunnelId])
}

type Tunnel = Awaited<ReturnType<typeof findTunnel>>

/** @returns the tunnel once it is as `status` says; after a while as it is, for the test to compare */
async function reached(tunnelId: string, status: object): Promise<Tunnel> {
  const asWanted = (tunnel: Tunnel): boolean =>
    Object.entries(status).every(([name, value]) => (tunnel as Record<string, unknown> | null)?.[name] === value)
  const read = (): Promise<Tunnel> => findTunnel(pool, organizationId, tunnelId)
  return waitFor(async () => {
    const tunnel = await read()
    return asWanted(tunnel) && tunnel
  }).catch(read)
}

async function eventsOf(resourceId: string): Promise<string[]> {
  const { rows } = await pool.query<{ type: string }>(
    'SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence',
    [resourceId],
  )
  return rows.map((row) => row.type)
}
