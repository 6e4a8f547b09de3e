/**
 * What tests of the API stand on: a database of their own, two organizations with keys, the API, and nodes that do to the rows
 * what real ones do, through the same stores.
 */
import {
  beatConcentrator,
  createApiKey,
  ensureOrganization,
  gatewayChannel,
  generateSealingKeyPair,
  listen,
  newId,
  openPool,
  readGatewayPorts,
  registerConcentrator,
  registerGateway,
  reportPorts,
  writeAttachments,
  type GatewayPort,
  type Pool,
  type SealingKeyPair,
} from '@culvert/db'
import { luhnCheckDigit } from '@culvert/lifecycle'
import { createDatabase } from '@culvert/testkit'
import { generateKeyPairSync, randomInt } from 'node:crypto'
import { buildApi, type ApiOptions } from '../index.ts'
import type { OpenApi } from '../openapi/complete.ts'
import { documentCheck } from './document-check.ts'
import { checkEvents } from './event-check.ts'

export interface Answer<T> {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: T
  readonly text: string
}

export interface CallOptions {
  readonly key?: string | null
  readonly body?: unknown
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Buffer
  readonly headers?: Record<string, string>
}

export type Call = <T = Record<string, unknown>>(
  method: string,
  url: string,
  options?: CallOptions,
) => Promise<Answer<T>>

export interface Harness {
  readonly api: Awaited<ReturnType<typeof buildApi>>
  readonly pool: Pool
  readonly databaseUrl: string
  readonly organization: { readonly id: string; readonly key: string }
  readonly other: { readonly id: string; readonly key: string }
  /** Key of who runs the installation. */
  readonly operatorKey: string
  readonly sealing: SealingKeyPair
  /** Calls with the key of `organization` unless another one, or null for none, is given. */
  readonly call: Call
  close(): Promise<void>
}

export async function openHarness(serverUrl: string, overrides: Partial<ApiOptions> = {}): Promise<Harness> {
  const databaseUrl = await createDatabase(serverUrl)
  const pool = openPool(databaseUrl)
  const sealing = await generateSealingKeyPair()
  const api = await buildApi({
    databaseUrl,
    sealingPublicKey: sealing.publicKey,
    webhooks: { sealingPublicKey: sealing.publicKey },
    zone: 'fleet.test',
    ...overrides,
  })
  const [organization, other] = [await newOrganization(pool, 'acme'), await newOrganization(pool, 'umbrella')]
  const operator = {
    organizationId: organization.id,
    name: 'operator',
    scopes: ['installation:read', 'installation:write'],
  }
  const operatorKey = (await createApiKey(pool, operator)).key
  const call = callsTo(api, organization.key)
  const close = async (): Promise<void> => {
    await api.close()
    try {
      await checkEvents(pool)
    } finally {
      await pool.end()
    }
  }
  return { api, pool, databaseUrl, organization, other, operatorKey, sealing, call, close }
}

/** @param ownKey of calls that name none */
export function callsTo(api: Harness['api'], ownKey: string): Call {
  const checked = documentCheck(api.swagger() as unknown as OpenApi)
  return async (method, url, { key = ownKey, body, raw, headers = {} } = {}) => {
    const answer = await api.inject({
      method: method as 'GET',
      url,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(raw === undefined && body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(raw === undefined ? (body === undefined ? {} : { payload: JSON.stringify(body) }) : { payload: raw }),
    })
    const isJson = /[/+]json\b/.test(String(answer.headers['content-type']))
    const { statusCode: status, headers: given } = answer
    const content = (isJson ? answer.json() : null) as never
    checked({ method, url }, { status, headers: given, body: content })
    return { status, headers: given, body: content, text: answer.body }
  }
}

async function newOrganization(pool: Pool, slug: string): Promise<{ id: string; key: string }> {
  const { id } = await ensureOrganization(pool, { name: slug, slug })
  return { id, key: (await createApiKey(pool, { organizationId: id, name: 'test' })).key }
}

export function newIccid(): string {
  const digits = `8944${Array.from({ length: 15 }, () => randomInt(10)).join('')}`
  return digits + luhnCheckDigit(digits)
}

/** @returns a public key as OpenSSH writes it, without comment */
export function newSshKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const parts = [Buffer.from('ssh-ed25519'), Buffer.from(x, 'base64url')]
  const octets = parts.flatMap((part) => [Buffer.from([0, 0, 0, part.length]), part])
  return `ssh-ed25519 ${Buffer.concat(octets).toString('base64')}`
}

/** @returns the id of a device registered through the API */
export async function newDevice(call: Call, key?: string): Promise<string> {
  const answer = await call<{ id: string }>('POST', '/v1/devices', {
    body: { iccid: newIccid() },
    ...(key ? { key } : {}),
  })
  if (answer.status !== 201) throw new Error(`registration answered ${answer.status}: ${answer.text}`)
  return answer.body.id
}

export async function newConcentrator(pool: Pool, id: string, slot: number): Promise<void> {
  const node = {
    id,
    slot,
    addresses: [`192.0.2.${slot}`],
    ikeIdentity: 'concentrator.fleet.test',
    tunNamespace: 'tun',
    dialAddress: '10.127.0.1',
  }
  await registerConcentrator(pool, node)
  await beatConcentrator(pool, { id, state: 'ready', attachedCount: 0, dataPlane: 'native' })
}

/** Writes what a concentrator writes when a device attaches or leaves. */
export async function setAttached(
  pool: Pool,
  concentratorId: string,
  deviceId: string,
  state: 'attached' | 'detached',
  changes: { readonly credentialId?: string; readonly remoteAddress?: string } = {},
): Promise<void> {
  const { rows } = await pool.query<{ organization_id: string; address: string }>(
    'SELECT organization_id, host(address4) AS address FROM devices WHERE id = $1',
    [deviceId],
  )
  const device = rows[0]
  if (!device) throw new Error(`no device ${deviceId}`)
  const now = new Date()
  const transforms = { encryption: 'AES_GCM_16-256', integrity: null }
  const childSa = {
    spiIn: 0x0100_0203,
    spiOut: 0xffff_fff0,
    ...transforms,
    esn: false,
    installedAt: now,
    selectorsLocal: ['10.127.0.0-10.127.0.255'],
    selectorsRemote: [device.address],
  }
  const ikeSa = {
    spiI: newId('evt').slice(-16),
    spiR: '0100000000000001',
    initiator: false,
    ...transforms,
    prf: 'HMAC_SHA2_256',
    keyExchange: 'CURVE25519',
    additionalKeyExchanges: [],
    tier: 'modern' as const,
    establishedAt: now,
    childSas: [childSa],
  }
  await writeAttachments(pool, concentratorId, [
    {
      deviceId,
      organizationId: device.organization_id,
      state,
      address4: device.address,
      address6: null,
      credentialId: null,
      changed: true,
      remoteAddress: '198.51.100.7',
      remotePort: 4500,
      behindNat: true,
      attachedAt: now,
      lastSeenAt: now,
      detachedAt: state === 'attached' ? null : now,
      detachReason: state === 'attached' ? null : 'deletedByPeer',
      ikeSas: state === 'attached' ? [ikeSa] : [],
      ...changes,
    },
  ])
}

export interface FakeGateway {
  readonly id: string
  close(): Promise<void>
}

/** A gateway without sockets: it answers wishes with the next port number, or with what `act` says. */
export async function newGateway(
  { pool, databaseUrl }: Pick<Harness, 'pool' | 'databaseUrl'>,
  id: string,
  act: (port: GatewayPort) => 'obey' | 'ignore' | 'no_free_port' = () => 'obey',
): Promise<FakeGateway> {
  const lease = await registerGateway(pool, {
    id,
    bindAddress: '0.0.0.0',
    publicHost: `${id}.test`,
    portFrom: 20_000,
    portTo: 20_999,
  })
  let nextPort = 20_000
  let working = Promise.resolve()
  const pass = async (): Promise<void> => {
    for (const port of await readGatewayPorts(pool, id, false)) {
      const what = act(port)
      if (what === 'ignore') continue
      const listens = port.desired === 'listen' && what === 'obey'
      const report = {
        portId: port.id,
        generation: port.desiredGeneration,
        quarantineMs: listens ? null : 1_000,
        gatewayPort: listens ? (port.gatewayPort ?? nextPort++) : null,
        failure: what === 'no_free_port' && port.desired === 'listen' ? what : null,
      }
      await reportPorts(pool, lease, port.tunnelId, [report])
    }
  }
  const listener = listen(databaseUrl, [gatewayChannel(id)], () => {
    working = working.then(pass).catch(() => {})
  })
  await listener.ready
  return {
    id,
    close: async () => {
      await listener.close()
      await working
    },
  }
}
