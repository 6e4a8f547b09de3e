/**
 * The one database read an attaching device waits for: who owns this IKE identity, how it may prove itself, and what it gets.
 *
 * The identity is the one a device claims in IDi; the name it gives to EAP has one label before it (`identityOfUserName`). Only credentials that are valid now are
 * returned, the newest first: tried in this order, that is what rotation needs. A device that comes alone is looked up at once; behind a statement there is
 * a short pause in which the next ones gather, longer behind many, for ten thousand may come back at once and a statement costs the same for one.
 */
import {
  type DeviceLimits,
  effectiveTiers,
  NO_USAGE,
  type ProposalTier,
  type Quota,
  type RateLimit,
  type Usage,
} from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { credentialOf, type CredentialForAttach, type CredentialRow } from './attach-credential.ts'
import { AUTHORITY_ALLOWS } from '../foreign-credentials.ts'
import { createNetworkBook, NETWORK_SETTINGS, type NetworkBook, type NetworkSettings } from './attach-network.ts'
import { USAGE_OBJECT } from './device-usage.ts'

export interface DeviceForAttach {
  readonly deviceId: string
  readonly organizationId: string
  readonly address4: string
  /** Null while its network has no IPv6 pool. */
  readonly address6: string | null
  /** LANs it may speak for, canonical IPv4 prefixes. */
  readonly lanPrefixes: readonly string[]
  readonly policyVersion: number
  /** An IKE SA in another tier is refused. */
  readonly tiers: readonly ProposalTier[]
  /** Of the network; IPv4 and IPv6 mixed, canonical text. */
  readonly dnsServers: readonly string[]
  readonly dnsDomains: readonly string[]
  /** AUTH_LIFETIME (RFC 4478); null for never. */
  readonly reauthenticateAfterSec: number | null
  /** Address pools of its network, prefixes of both families. */
  readonly pools: readonly string[]
  readonly limits: DeviceLimits
  readonly credentials: readonly CredentialForAttach[]
}

export interface DeviceLookup {
  /** @returns the device that owns this IKE identity with its valid credentials, newest first, or null. */
  find(identity: string): Promise<DeviceForAttach | null>
}

const MOST_AT_ONCE = 200
/** From one statement to the next: a millisecond more for each device of the one before, up to `CROWD_PAUSE_MS`. */
const PAUSE_MS = 10
const CROWD_PAUSE_MS = 40

interface Waiting {
  readonly identity: string
  resolve(device: DeviceForAttach | null): void
  reject(error: unknown): void
}

export function createDeviceLookup(pool: Pool): DeviceLookup {
  let waiting: Waiting[] = []
  let earliestMs = 0
  const networks = createNetworkBook()

  function schedule(): void {
    const pauseMs = earliestMs - performance.now()
    if (pauseMs > 0) setTimeout(flush, pauseMs)
    else setImmediate(flush)
  }

  function flush(): void {
    const all = waiting
    waiting = []
    earliestMs = performance.now() + Math.min(CROWD_PAUSE_MS, PAUSE_MS + all.length)
    for (let from = 0; from < all.length; from += MOST_AT_ONCE) {
      const batch = all.slice(from, from + MOST_AT_ONCE)
      readDevices(
        pool,
        networks,
        batch.map(({ identity }) => identity),
      ).then(
        (devices) => {
          for (const { identity, resolve } of batch) resolve(devices.get(identity) ?? null)
        },
        (error: unknown) => {
          for (const { reject } of batch) reject(error)
        },
      )
    }
  }

  return {
    find: (identity) =>
      new Promise((resolve, reject) => {
        waiting.push({ identity, resolve, reject })
        if (waiting.length === 1) schedule()
      }),
  }
}

/** One for the many devices without. */
const NO_LANS: readonly string[] = []

interface Row {
  readonly identity: string
  readonly id: string
  readonly network: string
  readonly address4: string
  readonly address6: string | null
  readonly lans: readonly string[]
  readonly version: number
  readonly tiers: readonly ProposalTier[] | null
  readonly rate: RateLimit | null
  readonly quota: Quota | null
  readonly usage: Usage
  readonly credentials: readonly CredentialRow[] | null
}

interface Found {
  readonly devices: readonly Row[] | null
  /** JSON texts by id of the network. */
  readonly networks: Readonly<Record<string, string>> | null
}

/** All that is found comes as one JSON text: reading rows of thirty columns, lists among them, costs this process several times as much. */
async function readDevices(
  pool: Pool,
  networks: NetworkBook,
  identities: readonly string[],
): Promise<Map<string, DeviceForAttach>> {
  const { rows } = await pool.query<{ found: string }>({
    name: 'concentrator_find_devices',
    text: `WITH asked AS MATERIALIZED (SELECT d.ike_identity, d.id, d.organization_id, d.network_id, d.address4, d.address6, d.lan_prefixes,
           d.policy_version, d.proposal_tiers, d.rate_limit, d.quota
         FROM devices d WHERE d.ike_identity = ANY(ARRAY(SELECT json_array_elements_text($1))) AND d.deleted_at IS NULL)
       SELECT json_build_object(
         'networks', (SELECT json_object_agg(n.id, ${NETWORK_SETTINGS}) FROM networks n JOIN organizations o ON o.id = n.organization_id
           WHERE (n.organization_id, n.id) IN (SELECT organization_id, network_id FROM asked)),
         'devices', (SELECT json_agg(json_build_object('identity', d.ike_identity, 'id', d.id,
             'network', d.network_id, 'address4', host(d.address4), 'address6', host(d.address6), 'lans', d.lan_prefixes,
             'version', d.policy_version, 'tiers', d.proposal_tiers, 'rate', d.rate_limit, 'quota', d.quota,
             'usage', ${USAGE_OBJECT}, 'credentials', c.credentials))
           FROM asked d LEFT JOIN device_usage u ON u.device_id = d.id
             LEFT JOIN LATERAL (SELECT json_agg(json_build_object('id', id, 'kind', kind, 'method', method, 'identity', identity,
                 'isRequired', is_required, 'fingerprint', fingerprint, 'serial', serial, 'sealedSecret', encode(sealed_secret, 'hex'),
                 'sealingKeyId', sealing_key_id, 'authority', (SELECT v.certificate FROM device_authorities v
                   WHERE v.organization_id = valid.organization_id AND v.id = valid.authority_id)) ORDER BY created_at DESC, id) AS credentials
               FROM (SELECT * FROM credentials c WHERE organization_id = d.organization_id AND device_id = d.id
                 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AND (issuance IS NULL OR issuance = 'issued')
                 AND ${AUTHORITY_ALLOWS} ORDER BY created_at DESC, id LIMIT 16) AS valid) c ON true))::text AS found`,
    values: [JSON.stringify(identities)],
  })
  const found = JSON.parse(rows[0]?.found ?? '{}') as Found
  const devices = new Map<string, DeviceForAttach>()
  for (const row of found.devices ?? []) {
    const network = found.networks?.[row.network]
    if (network !== undefined) devices.set(row.identity, deviceOf(row, networks.read(row.network, network)))
  }
  return devices
}

function deviceOf(row: Row, network: NetworkSettings): DeviceForAttach {
  const { networkId, networkTiers, organizationTiers, deviceToDevice, dnsServers, dnsDomains, pools } = network
  const tiers = { device: row.tiers, network: networkTiers, organization: organizationTiers }
  return {
    deviceId: row.id,
    organizationId: network.organizationId,
    address4: row.address4,
    address6: row.address6,
    lanPrefixes: row.lans.length === 0 ? NO_LANS : row.lans,
    policyVersion: row.version,
    tiers: effectiveTiers(tiers).tiers,
    dnsServers,
    dnsDomains,
    reauthenticateAfterSec: network.reauthenticateAfterSec,
    pools,
    limits: {
      networkId,
      deviceToDevice,
      rateLimit: row.rate ?? network.rateLimit,
      quota: row.quota,
      usage: row.usage.total === 0 ? NO_USAGE : row.usage,
    },
    credentials: (row.credentials ?? []).flatMap((credential) => credentialOf(credential) ?? []),
  }
}
