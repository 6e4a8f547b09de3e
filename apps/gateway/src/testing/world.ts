/**
 * What surrounds a gateway in tests: a database with devices and tunnels, written as the API and a concentrator write them, and
 * TCP clients that tell how their connection went.
 */
import {
  deviceChangedChannel,
  gatewayChannel,
  type HostFailure,
  openPool,
  type Pool,
  writeHostMapping,
} from '@culvert/db'
import { createLogger } from '@culvert/observability'
import { waitFor } from '@culvert/testkit'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { RateLimit } from '@culvert/lifecycle'
import { gatewayDefaults, type GatewaySettings } from '../settings.ts'

export const silent = createLogger('test', 'silent')

export interface TunnelWish {
  readonly deviceId: string
  readonly devicePorts: readonly number[]
  /** A host on a LAN behind the device. */
  readonly deviceHost?: string
  readonly allowFrom?: readonly string[]
  readonly ttlMs?: number
  readonly maxBytes?: number
  readonly rateLimit?: RateLimit
  /** False: nobody tells the gateway. */
  readonly tell?: boolean
}

export interface TunnelRow {
  readonly state: string
  readonly reason: string | null
  readonly version: number
  readonly opened_at: Date | null
  readonly closed_at: Date | null
}

export interface PortRow {
  readonly id: string
  readonly gateway_port: number | null
  readonly failure: string | null
  readonly desired: string
  readonly desired_generation: number
  readonly applied_generation: number
  readonly quarantine_until: Date | null
}

export class World {
  readonly databaseUrl: string
  readonly pool: Pool
  #count = 0

  constructor(databaseUrl: string) {
    this.databaseUrl = databaseUrl
    this.pool = openPool(databaseUrl, { max: 4 })
  }

  /** An organization, a network and a concentrator that gateways on this host dial through. */
  async lay(
    route: { namespace: string; dialAddress: string } = { namespace: '', dialAddress: '127.0.0.1' },
  ): Promise<void> {
    await this.pool.query(`INSERT INTO organizations (id, name, slug) VALUES ('org_a', 'A', 'a')`)
    await this.pool.query(
      `INSERT INTO networks (id, organization_id, name, pool4) VALUES ('net_a', 'org_a', 'main', '127.0.0.0/8')`,
    )
    await this.pool.query(
      `INSERT INTO concentrators (id, slot, addresses, ike_identity, tun_namespace, dial_address)
       VALUES ('con-1', 1, '{}', 'concentrator', $1, $2)`,
      [route.namespace, route.dialAddress],
    )
  }

  async addDevice(address: string, attached = true): Promise<string> {
    const id = `dev_${++this.#count}`
    await this.pool.query(
      `INSERT INTO devices (id, organization_id, network_id, name, iccid, ike_identity, address4, updated_at)
       VALUES ($1, 'org_a', 'net_a', $1, $2, $1, $3, now())`,
      [id, `8949020000${String(this.#count).padStart(9, '0')}`, address],
    )
    if (attached) await this.attach(id, address)
    return id
  }

  async attach(deviceId: string, address: string): Promise<void> {
    await this.pool.query(
      `INSERT INTO attachments (device_id, organization_id, concentrator_id, epoch, state, address4, remote_address, remote_port,
         behind_nat, attached_at, last_seen_at) VALUES ($1, 'org_a', 'con-1', 1, 'attached', $2, '192.0.2.1', 4500, false, now(), now())
       ON CONFLICT (device_id) DO UPDATE SET state = 'attached', epoch = attachments.epoch + 1`,
      [deviceId, address],
    )
    await this.pool.query('SELECT pg_notify($1, $2)', [deviceChangedChannel, deviceId])
  }

  async detach(deviceId: string): Promise<void> {
    await this.pool.query(`UPDATE attachments SET state = 'detached' WHERE device_id = $1`, [deviceId])
    await this.pool.query('SELECT pg_notify($1, $2)', [deviceChangedChannel, deviceId])
  }

  async openTunnel({
    deviceId,
    devicePorts,
    deviceHost,
    allowFrom = ['127.0.0.0/8'],
    ttlMs = 3_600_000,
    maxBytes,
    rateLimit,
    tell = true,
  }: TunnelWish): Promise<string> {
    const id = `tun_${++this.#count}`
    await this.pool.query(
      `WITH t AS (INSERT INTO tunnels (id, organization_id, device_id, state, allow_from, ttl_sec, expires_at, updated_at, max_bytes, rate_limit)
         VALUES ($1, 'org_a', $2, 'opening', $3, 3600, now() + $4 * interval '1 ms', now(), $6, $7) RETURNING id)
       INSERT INTO tunnel_ports (id, organization_id, tunnel_id, gateway_id, protocol, device_port, desired, device_host)
       SELECT 'prt_' || t.id || '_' || n, 'org_a', t.id, 'gw-1', 'tcp', port, 'listen', $8::inet
       FROM t, unnest($5::int[]) WITH ORDINALITY AS v(port, n)`,
      [id, deviceId, allowFrom, ttlMs, devicePorts, maxBytes ?? null, rateLimit ?? null, deviceHost ?? null],
    )
    if (tell) await this.tellGateway()
    return id
  }

  /** Answers for a host on a LAN as the concentrator does: with its synthetic address, or why it has none. */
  async answerHost(
    deviceId: string,
    host: string,
    answer: { synthetic?: string; failure?: HostFailure },
  ): Promise<void> {
    const { synthetic = null, failure = null } = answer
    await writeHostMapping(this.pool, 'con-1', { organizationId: 'org_a', deviceId, host, synthetic, failure })
  }

  /** Opens a tunnel to one port and waits until it is open. */
  async openPort(
    wish: Omit<TunnelWish, 'devicePorts'> & { devicePort: number },
  ): Promise<{ tunnelId: string; port: number }> {
    const tunnelId = await this.openTunnel({ ...wish, devicePorts: [wish.devicePort] })
    await this.reaches(tunnelId, 'open')
    const [row] = await this.ports(tunnelId)
    return { tunnelId, port: row?.gateway_port ?? 0 }
  }

  async endTunnel(tunnelId: string, tell = true): Promise<void> {
    await this.pool.query(`UPDATE tunnels SET state = 'draining', reason = 'requested' WHERE id = $1`, [tunnelId])
    await this.pool.query(
      `UPDATE tunnel_ports SET desired = 'close', desired_generation = desired_generation + 1 WHERE tunnel_id = $1`,
      [tunnelId],
    )
    if (tell) await this.tellGateway()
  }

  /** Changes a tunnel and raises the generation of its ports, as a PATCH does. */
  async change(tunnelId: string, change: { allowFrom?: readonly string[]; ttlMs?: number }): Promise<void> {
    await this.pool.query(
      `UPDATE tunnels SET allow_from = coalesce($2, allow_from), expires_at = coalesce(now() + $3::float8 * interval '1 ms', expires_at)
       WHERE id = $1`,
      [tunnelId, change.allowFrom ?? null, change.ttlMs ?? null],
    )
    await this.pool.query(`UPDATE tunnel_ports SET desired_generation = desired_generation + 1 WHERE tunnel_id = $1`, [
      tunnelId,
    ])
    await this.tellGateway()
    await waitFor(async () =>
      (await this.ports(tunnelId)).every((port) => port.applied_generation === port.desired_generation),
    )
  }

  async tellGateway(): Promise<void> {
    await this.pool.query('SELECT pg_notify($1, $2)', [gatewayChannel('gw-1'), ''])
  }

  async tunnel(tunnelId: string): Promise<TunnelRow | undefined> {
    return (await this.pool.query<TunnelRow>('SELECT * FROM tunnels WHERE id = $1', [tunnelId])).rows[0]
  }

  async ports(tunnelId: string): Promise<PortRow[]> {
    return (await this.pool.query<PortRow>('SELECT * FROM tunnel_ports WHERE tunnel_id = $1 ORDER BY id', [tunnelId]))
      .rows
  }

  async connections(tunnelId: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.pool.query<Record<string, unknown>>(
      `SELECT host(client_address) AS client, state, reason, bytes_up::int AS up, bytes_down::int AS down
       FROM connections WHERE tunnel_id = $1 ORDER BY opened_at, id`,
      [tunnelId],
    )
    return rows
  }

  async events(tunnelId: string): Promise<{ type: string; data: Record<string, unknown> }[]> {
    const { rows } = await this.pool.query<{ type: string; data: Record<string, unknown> }>(
      'SELECT type, data FROM events WHERE resource_id = $1 ORDER BY sequence',
      [tunnelId],
    )
    return rows
  }

  reaches(tunnelId: string, state: string): Promise<TunnelRow> {
    return waitFor(
      async () => {
        const row = await this.tunnel(tunnelId)
        return row?.state === state ? row : null
      },
      { message: `${tunnelId} to be ${state}`, timeoutMs: 20_000 },
    )
  }
}

export function settingsOf(databaseUrl: string, portRange: { from: number; to: number }): GatewaySettings {
  return {
    ...gatewayDefaults,
    nodeName: 'gw-1',
    databaseUrl,
    bindAddress: '127.0.0.1',
    publicHost: 'gw.example.net',
    portRange,
    drainMs: 100,
  }
}

/** Starts a TCP server that plays the device. @returns its port and what closes it. */
export async function playDevice(
  serve: (socket: Socket) => void,
  host = '127.0.0.1',
): Promise<{ port: number; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    serve(socket)
  })
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  return { server, port: address !== null && typeof address === 'object' ? address.port : 0 }
}

export function echo(socket: Socket): void {
  socket.pipe(socket)
}

/** How a connection went, as its client saw it. */
export interface Visit {
  readonly text: string
  /** The peer's FIN came. */
  readonly ended: boolean
  /** An errno name, or null. */
  readonly error: string | null
}

export class Client {
  readonly socket: Socket
  readonly closed: Promise<Visit>
  text = ''
  ended = false

  constructor(port: number, localAddress = '127.0.0.1') {
    let error: string | null = null
    this.socket = connect({ host: '127.0.0.1', port, localAddress, allowHalfOpen: true })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => (this.text += text))
    this.socket.on('end', () => (this.ended = true))
    this.socket.on('error', (failure: NodeJS.ErrnoException) => (error = failure.code ?? 'unknown'))
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => resolve({ text: this.text, ended: this.ended, error }))
    })
  }

  /** Waits for the first answer of an echo, so that the connection certainly goes through. */
  async greet(word = 'hi'): Promise<this> {
    const before = this.text.length
    this.socket.write(word)
    await waitFor(() => this.text.length >= before + word.length, { message: 'the echo' })
    return this
  }
}

/** Says `word`, ends, and reads until the end. */
export function visit(port: number, word: string, localAddress?: string): Promise<Visit> {
  const client = new Client(port, localAddress)
  client.socket.end(word)
  return client.closed
}
