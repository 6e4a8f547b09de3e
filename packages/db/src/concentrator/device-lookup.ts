/**
 * The one database read an attaching device waits for: who owns this IKE identity, how it may prove itself, and what it gets.
 *
 * The identity is the one a device claims in IDi; the name it gives to EAP has one label before it (`identityOfUserName`). Only credentials that are valid now are
 * returned, the newest first: tried in this order, that is what rotation needs. A device that comes alone is looked up at once; behind a statement there is
 * a short pause in which the next ones gather, for ten thousand may come back at once and a statement costs the same for one.
 */
import { type DeviceLimits, effectiveTiers, type ProposalTier } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { credentialOf, type CredentialForAttach, type CredentialRow } from './attach-credential.ts'
import { LIMIT_COLUMNS, type LimitRow, limitsOf } from './device-usage.ts'

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
/** From one statement to the next. */
const PAUSE_MS = 10

interface Waiting {
  readonly identity: string
  resolve(device: DeviceForAttach | null): void
  reject(error: unknown): void
}

export function createDeviceLookup(pool: Pool): DeviceLookup {
  let waiting: Waiting[] = []
  let earliestMs = 0

  function schedule(): void {
    const pauseMs = earliestMs - performance.now()
    if (pauseMs > 0) setTimeout(flush, pauseMs)
    else setImmediate(flush)
  }

  function flush(): void {
    const all = waiting
    waiting = []
    earliestMs = performance.now() + PAUSE_MS
    for (let from = 0; from < all.length; from += MOST_AT_ONCE) {
      const batch = all.slice(from, from + MOST_AT_ONCE)
      readDevices(
        pool,
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

interface Row extends CredentialRow, LimitRow {
  readonly pools: string[]
  readonly ike_identity: string
  readonly id: string
  readonly organization_id: string
  readonly address4: string
  readonly address6: string | null
  readonly lan_prefixes: string[]
  readonly policy_version: number
  readonly device_tiers: ProposalTier[] | null
  readonly network_tiers: ProposalTier[] | null
  readonly organization_tiers: ProposalTier[] | null
  readonly dns_servers: string[]
  readonly dns_domains: string[]
  readonly reauthenticate_after_sec: number | null
}

async function readDevices(pool: Pool, identities: readonly string[]): Promise<Map<string, DeviceForAttach>> {
  const { rows } = await pool.query<Row>({
    name: 'concentrator_find_devices',
    text: `SELECT d.ike_identity, d.id, d.organization_id, host(d.address4) AS address4, host(d.address6) AS address6, d.lan_prefixes, d.policy_version,
         d.proposal_tiers AS device_tiers, n.proposal_tiers AS network_tiers, o.proposal_tiers AS organization_tiers,
         n.dns_servers, n.dns_domains, n.reauthenticate_after_sec, array_remove(ARRAY(SELECT p.pool4::text FROM network_pools p WHERE p.organization_id = n.organization_id AND p.network_id = n.id ORDER BY p.pool4)
           || n.pool6::text, NULL) AS pools, ${LIMIT_COLUMNS},
         c.id AS credential_id, c.kind, c.method, c.identity, c.is_required, c.fingerprint, c.serial, c.sealed_secret, c.sealing_key_id
       FROM devices d JOIN networks n ON n.organization_id = d.organization_id AND n.id = d.network_id
         JOIN organizations o ON o.id = d.organization_id LEFT JOIN device_usage u ON u.device_id = d.id
         LEFT JOIN LATERAL (SELECT * FROM credentials WHERE organization_id = d.organization_id AND device_id = d.id
           AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AND (issuance IS NULL OR issuance = 'issued')
           ORDER BY created_at DESC, id LIMIT 16) c ON true
       WHERE d.ike_identity = ANY($1) AND d.deleted_at IS NULL ORDER BY c.created_at DESC, c.id`,
    values: [identities],
  })
  const devices = new Map<string, DeviceForAttach & { credentials: CredentialForAttach[] }>()
  for (const row of rows) {
    const known = devices.get(row.ike_identity)
    const device = known ?? { ...deviceOf(row), credentials: [] }
    if (known === undefined) devices.set(row.ike_identity, device)
    const credential = credentialOf(row)
    if (credential) device.credentials.push(credential)
  }
  return devices
}

function deviceOf(row: Row): Omit<DeviceForAttach, 'credentials'> {
  const { device_tiers: device, network_tiers: network, organization_tiers: organization } = row
  return {
    deviceId: row.id,
    organizationId: row.organization_id,
    address4: row.address4,
    address6: row.address6,
    lanPrefixes: row.lan_prefixes,
    policyVersion: row.policy_version,
    tiers: effectiveTiers({ device, network, organization }).tiers,
    dnsServers: row.dns_servers,
    dnsDomains: row.dns_domains,
    reauthenticateAfterSec: row.reauthenticate_after_sec,
    pools: row.pools,
    limits: limitsOf(row),
  }
}
