import { createDatabase } from '@culvert/testkit'
import type { Pool } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import {
  beatGateway,
  closeLostConnections,
  type ConnectionRow,
  type GatewayLease,
  GatewayReplacedError,
  inTransaction,
  openPool,
  type PortReport,
  readDeviceRoutes,
  readGatewayPorts,
  readQuarantine,
  registerGateway,
  reportPorts,
  writeConnections,
} from './index.ts'

const gateway = { id: 'gw-1', bindAddress: '0.0.0.0', publicHost: 'gw.example.net', portFrom: 20_000, portTo: 20_999 }
let pool: Pool
let lease: GatewayLease

beforeAll(async () => {
  pool = openPool(await createDatabase(inject('databaseUrl')))
  await pool.query(`INSERT INTO organizations (id, name, slug) VALUES ('org_a', 'A', 'a')`)
  await pool.query(
    `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_a', 'org_a', 'main', '10.128.0.0/20')`,
  )
  await pool.query(
    `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4, updated_at)
     VALUES ('dev_a', 'org_a', 'net_a', 'a', '8949020000000000001', 'a', '10.128.0.2', now())`,
  )
  await pool.query(
    `INSERT INTO concentrators (id, slot, addresses, ike_identity, tun_namespace, dial_address, dial_address6)
     VALUES ('con-1', 1, '{}', 'c', 'culvert-tun', '10.127.0.1', 'fd7f::1')`,
  )
  await pool.query(
    `INSERT INTO attachments (device_id, organization_id, concentrator_id, epoch, state, address4, remote_address, remote_port,
       behind_nat, attached_at, last_seen_at) VALUES ('dev_a', 'org_a', 'con-1', 1, 'attached', '10.128.0.2', '192.0.2.1', 4500, false, now(), now())`,
  )
})
afterAll(() => pool.end())
beforeEach(async () => {
  await pool.query('DELETE FROM tunnels')
  await pool.query(`UPDATE attachments SET state = 'attached'`)
  lease = await registerGateway(pool, gateway)
})

describe('the lease', () => {
  test('a later registration of the name makes every earlier one worthless', async () => {
    const later = await registerGateway(pool, { ...gateway, portTo: 20_500 })
    expect(later.startedAt.getTime()).toBeGreaterThan(lease.startedAt.getTime())
    await beatGateway(pool, later, 'ready')
    await expect(beatGateway(pool, lease, 'stopped')).rejects.toThrow(GatewayReplacedError)
    await addTunnel('tun_a')
    await expect(reportPorts(pool, lease, 'tun_a', [listening('tun_a', 1, 20_001)])).rejects.toThrow(
      GatewayReplacedError,
    )
    expect(await portOf('tun_a')).toMatchObject({ applied_generation: 0, gateway_port: null })
    const { rows } = await pool.query('SELECT state, port_to FROM gateways')
    expect(rows).toEqual([{ state: 'ready', port_to: 20_500 }])
  })
})

describe('desired state', () => {
  test('a port comes with all that serving it takes', async () => {
    await addTunnel('tun_a')
    const [port, ...others] = await readGatewayPorts(pool, 'gw-1', false)
    expect(others).toEqual([])
    expect(port).toMatchObject({
      id: 'prt_tun_a',
      tunnelState: 'opening',
      devicePort: 22,
      gatewayPort: null,
      desired: 'listen',
      desiredGeneration: 1,
      appliedGeneration: 0,
      allowFrom: ['192.0.2.0/24'],
      route: { namespace: 'culvert-tun', dialAddress: '10.127.0.1', deviceAddress: '10.128.0.2', hosts: {} },
    })
    expect(port?.remainingMs).toBeGreaterThan(0)
    expect(port?.remainingMs).toBeLessThanOrEqual(60_000)
  })

  test('ports in step are read only when everything is asked for; other gateways never', async () => {
    await addTunnel('tun_a')
    await reportPorts(pool, lease, 'tun_a', [listening('tun_a', 1, 20_001)])
    expect(await readGatewayPorts(pool, 'gw-1', false)).toEqual([])
    expect((await readGatewayPorts(pool, 'gw-1', true)).map((port) => port.gatewayPort)).toEqual([20_001])
    expect(await readGatewayPorts(pool, 'gw-2', true)).toEqual([])
  })

  test('a port that changes while everything is read is not missing', async () => {
    await addTunnel('tun_a')
    await reportPorts(pool, lease, 'tun_a', [listening('tun_a', 1, 20_001)])
    const changedMeanwhile = {
      query: async (text: string, values: unknown[]) => {
        const result = await pool.query(text, values)
        await pool.query('UPDATE tunnel_ports SET desired_generation = desired_generation + 1')
        return result
      },
    } as unknown as Pool
    expect((await readGatewayPorts(changedMeanwhile, 'gw-1', true)).map((port) => port.id)).toEqual(['prt_tun_a'])
  })

  test('a device is reached over IPv6 when it leased nothing else, and over IPv4 when it leased both', async () => {
    const reachedBy = async (address4: string | null, address6: string | null): Promise<unknown> => {
      await pool.query(`UPDATE attachments SET address4 = $1, address6 = $2`, [address4, address6])
      const route = (await readDeviceRoutes(pool, ['dev_a'])).get('dev_a')
      await addTunnel('tun_a')
      expect((await readGatewayPorts(pool, 'gw-1', false))[0]?.route).toEqual(route)
      await pool.query('DELETE FROM tunnels')
      return route
    }
    const namespace = 'culvert-tun'
    const over4 = { namespace, dialAddress: '10.127.0.1', deviceAddress: '10.128.0.2', hosts: {} }
    expect(await reachedBy(null, 'fd80::2')).toEqual({
      namespace,
      dialAddress: 'fd7f::1',
      deviceAddress: 'fd80::2',
      hosts: {},
    })
    expect(await reachedBy(null, null)).toBeNull()
    expect(await reachedBy('10.128.0.2', 'fd80::2')).toEqual(over4)
    expect(await reachedBy('10.128.0.2', null)).toEqual(over4)
  })

  test('a device that left has no route', async () => {
    expect(await readDeviceRoutes(pool, ['dev_a', 'dev_b'])).toEqual(
      new Map([
        ['dev_a', { namespace: 'culvert-tun', dialAddress: '10.127.0.1', deviceAddress: '10.128.0.2', hosts: {} }],
        ['dev_b', null],
      ]),
    )
    await pool.query(`UPDATE attachments SET state = 'detached'`)
    expect(await readDeviceRoutes(pool, ['dev_a'])).toEqual(new Map([['dev_a', null]]))
    await addTunnel('tun_a')
    expect((await readGatewayPorts(pool, 'gw-1', false))[0]?.route).toBeNull()
  })
})

describe('reports', () => {
  test('a tunnel opens when its last port listens, once, with one event', async () => {
    await addTunnel('tun_a', 2)
    await reportPorts(pool, lease, 'tun_a', [listening('tun_a', 1, 20_001)])
    expect(await stateOf('tun_a')).toMatchObject({ state: 'opening' })
    const second: PortReport = { ...listening('tun_a', 1, 20_002), portId: 'prt_tun_a_2' }
    await reportPorts(pool, lease, 'tun_a', [second])
    await reportPorts(pool, lease, 'tun_a', [second])
    expect(await stateOf('tun_a')).toMatchObject({ state: 'open', version: 2, opened_at: expect.any(Date) })
    expect(await eventsOf('tun_a')).toEqual(['tunnel.opened'])
  })

  test('an answer to an older wish never covers a newer one', async () => {
    await addTunnel('tun_a')
    await pool.query(`UPDATE tunnel_ports SET desired = 'close', desired_generation = 3, applied_generation = 2`)
    await reportPorts(pool, lease, 'tun_a', [listening('tun_a', 1, 20_001)])
    expect(await portOf('tun_a')).toMatchObject({ applied_generation: 2, gateway_port: null })
    await reportPorts(pool, lease, 'tun_a', [listening('tun_a', 4, 20_001)])
    expect(await portOf('tun_a')).toMatchObject({ applied_generation: 2, gateway_port: null })
    expect(await stateOf('tun_a')).toMatchObject({ state: 'opening' })
  })

  test('a port that cannot listen takes the whole tunnel down, which fails when all ports are closed', async () => {
    await addTunnel('tun_a', 2)
    const failed: PortReport = {
      portId: 'prt_tun_a',
      generation: 1,
      gatewayPort: null,
      failure: 'no_free_port',
      quarantineMs: null,
    }
    await reportPorts(pool, lease, 'tun_a', [failed, { ...listening('tun_a', 1, 20_002), portId: 'prt_tun_a_2' }])
    expect(await stateOf('tun_a')).toMatchObject({ state: 'draining', reason: 'no_free_port' })
    const behind = await readGatewayPorts(pool, 'gw-1', false)
    expect(behind.map((port) => [port.desired, port.desiredGeneration])).toEqual([
      ['close', 2],
      ['close', 2],
    ])
    await reportPorts(
      pool,
      lease,
      'tun_a',
      behind.map((port) => closed(port.id, 2)),
    )
    expect(await stateOf('tun_a')).toMatchObject({ state: 'failed', reason: 'no_free_port' })
    expect(await portOf('tun_a')).toMatchObject({ failure: 'no_free_port' })
    expect(await eventsOf('tun_a')).toEqual(['tunnel.draining', 'tunnel.failed'])
  })

  test('a closed port rests', async () => {
    await addTunnel('tun_a')
    await reportPorts(pool, lease, 'tun_a', [listening('tun_a', 1, 20_001)])
    await pool.query(`UPDATE tunnels SET state = 'draining', reason = 'requested'`)
    await pool.query(`UPDATE tunnel_ports SET desired = 'close', desired_generation = 2`)
    await reportPorts(pool, lease, 'tun_a', [closed('prt_tun_a', 2)])
    expect(await stateOf('tun_a')).toMatchObject({ state: 'closed', reason: 'requested', closed_at: expect.any(Date) })
    const [resting] = await readQuarantine(pool, 'gw-1')
    expect(resting?.port).toBe(20_001)
    expect(resting?.remainingMs).toBeGreaterThan(0)
    expect(await readQuarantine(pool, 'gw-2')).toEqual([])
  })

  test('a tunnel whose time is up drains and then expires', async () => {
    await addTunnel('tun_a')
    await reportPorts(pool, lease, 'tun_a', [listening('tun_a', 1, 20_001)])
    await reportPorts(pool, lease, 'tun_a', [])
    expect(await stateOf('tun_a')).toMatchObject({ state: 'open' })
    await pool.query(`UPDATE tunnels SET expires_at = now() - interval '1 s'`)
    await reportPorts(pool, lease, 'tun_a', [])
    expect(await stateOf('tun_a')).toMatchObject({ state: 'draining', reason: 'ttl_elapsed' })
    await reportPorts(pool, lease, 'tun_a', [closed('prt_tun_a', 2)])
    expect(await stateOf('tun_a')).toMatchObject({ state: 'expired' })
  })

  test('a connection that breaks inside a transaction is an error of that transaction only', async () => {
    const work = inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      // Not events.once: it would hear the error in the pool's place.
      const ended = new Promise((resolve) => client.once('end', resolve))
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
      await ended
      await client.query('SELECT 1')
    })
    await expect(work).rejects.toThrow('not queryable')
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  test('a tunnel that is gone is no error', async () => {
    await expect(reportPorts(pool, lease, 'tun_gone', [listening('tun_gone', 1, 20_001)])).resolves.toBeUndefined()
  })
})

describe('the access log', () => {
  test('rows are written over their older self until they are closed', async () => {
    await addTunnel('tun_a')
    await writeConnections(pool, [connection('con_1', 'open'), connection('con_2', 'refused')])
    await writeConnections(pool, [{ ...connection('con_1', 'closed'), bytesUp: 2 ** 40, reason: 'client_closed' }])
    await writeConnections(pool, [connection('con_1', 'open')])
    const { rows } = await pool.query(
      'SELECT id, organization_id, state, reason, bytes_up FROM connections ORDER BY id',
    )
    expect(rows).toEqual([
      { id: 'con_1', organization_id: 'org_a', state: 'closed', reason: 'client_closed', bytes_up: String(2 ** 40) },
      { id: 'con_2', organization_id: 'org_a', state: 'refused', reason: null, bytes_up: '0' },
    ])
  })

  test('rows of a port that is gone are dropped, the others are written', async () => {
    await addTunnel('tun_a')
    await writeConnections(pool, [
      { ...connection('con_1', 'open'), tunnelPortId: 'prt_gone' },
      connection('con_2', 'open'),
    ])
    expect((await pool.query('SELECT id FROM connections')).rows).toEqual([{ id: 'con_2' }])
  })

  test('connections of an earlier process are closed, those of this one stay', async () => {
    await addTunnel('tun_a')
    const before = new Date(lease.startedAt.getTime() - 1_000)
    const after = new Date(lease.startedAt.getTime() + 1_000)
    await writeConnections(pool, [
      { ...connection('con_1', 'open'), openedAt: before },
      { ...connection('con_2', 'open'), openedAt: after },
    ])
    expect(await closeLostConnections(pool, lease)).toBe(1)
    const { rows } = await pool.query('SELECT id, state, reason FROM connections ORDER BY id')
    expect(rows).toEqual([
      { id: 'con_1', state: 'closed', reason: 'gateway_restarted' },
      { id: 'con_2', state: 'open', reason: null },
    ])
  })
})

async function addTunnel(id: string, ports = 1): Promise<void> {
  await pool.query(
    `INSERT INTO tunnels (id, organization_id, device_id, state, allow_from, ttl_sec, expires_at, updated_at)
     VALUES ($1, 'org_a', 'dev_a', 'opening', '{192.0.2.0/24}', 60, now() + interval '60 s', now())`,
    [id],
  )
  await pool.query('DELETE FROM events WHERE resource_id = $1', [id])
  for (let count = 1; count <= ports; count++) {
    await pool.query(
      `INSERT INTO tunnel_ports (id, organization_id, tunnel_id, gateway_id, protocol, device_port, desired)
       VALUES ($1, 'org_a', $2, 'gw-1', 'tcp', 22, 'listen')`,
      [count === 1 ? `prt_${id}` : `prt_${id}_${count}`, id],
    )
  }
}

function listening(tunnelId: string, generation: number, gatewayPort: number): PortReport {
  return { portId: `prt_${tunnelId}`, generation, gatewayPort, failure: null, quarantineMs: null }
}

function closed(portId: string, generation: number): PortReport {
  return { portId, generation, gatewayPort: null, failure: null, quarantineMs: 60_000 }
}

function connection(id: string, state: ConnectionRow['state']): ConnectionRow {
  const ends = {
    clientAddress: '2001:db8::1',
    clientPort: 4_000,
    openedAt: new Date(),
    closedAt: null,
    bytesUp: 0,
    bytesDown: 0,
  }
  return { id, organizationId: 'org_a', tunnelId: 'tun_a', tunnelPortId: 'prt_tun_a', state, reason: null, ...ends }
}

async function stateOf(tunnelId: string): Promise<unknown> {
  return (await pool.query('SELECT * FROM tunnels WHERE id = $1', [tunnelId])).rows[0]
}

async function portOf(tunnelId: string): Promise<unknown> {
  return (await pool.query('SELECT * FROM tunnel_ports WHERE tunnel_id = $1 ORDER BY id', [tunnelId])).rows[0]
}

async function eventsOf(tunnelId: string): Promise<string[]> {
  const { rows } = await pool.query<{ type: string }>(
    'SELECT type FROM events WHERE resource_id = $1 ORDER BY sequence',
    [tunnelId],
  )
  return rows.map((row) => row.type)
}
