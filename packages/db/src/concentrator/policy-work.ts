/**
 * What a concentrator must act on: deleted devices, revoked credentials, detach requests, takeover by another node.
 *
 * Desired state with versions: a job or notice only says "look"; doing the same work twice changes nothing.
 */
import { type DeviceLimits, effectiveTiers, type ProposalTier } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { AUTHORITY_ALLOWS } from '../foreign-credentials.ts'
import { NETWORK_POOLS } from './attach-network.ts'
import { LIMIT_COLUMNS, type LimitRow, limitsOf } from './device-usage.ts'

export interface PolicyWork {
  readonly deviceId: string
  readonly deleted: boolean
  readonly policyVersion: number
  readonly detachDesired: number
  readonly detachRequested: boolean
  /** Another node holds the device now. */
  readonly heldElsewhere: boolean
  /** The row says that no node holds the device. */
  readonly attachedNowhere: boolean
  /** An attachment made with another one ends; a certificate that is still pending is not among them. */
  readonly validCredentialIds: readonly string[]
  /** An attachment in another tier ends. */
  readonly tiers: readonly ProposalTier[]
  /** What holds for its traffic. */
  readonly limits: DeviceLimits
  /** A Child SA with selectors beyond these ends with its attachment. */
  readonly lanPrefixes: readonly string[]
  /** Address pools of its network, of both families; empty where its devices may not reach each other. */
  readonly pools: readonly string[]
}

/** Devices of this node on which something must be done: deleted, detach asked for, policy changed. */
export async function readPolicyWork(pool: Pool, nodeId: string): Promise<readonly PolicyWork[]> {
  const { rows } = await pool.query<PolicyRow>(
    `${POLICY_COLUMNS} WHERE a.concentrator_id = $1 AND a.state = 'attached'
       AND (d.deleted_at IS NOT NULL OR a.detach_desired > a.detach_applied OR d.policy_version > a.policy_applied) LIMIT 1000`,
    [nodeId],
  )
  return rows.map((row) => toWork(row, nodeId))
}

/** The same for devices this node believes it holds: finds those another node took over, that count as detached, or whose credentials have expired. */
export async function readHeldDevices(
  pool: Pool,
  nodeId: string,
  deviceIds: readonly string[],
): Promise<readonly PolicyWork[]> {
  const { rows } = await pool.query<PolicyRow>(`${POLICY_COLUMNS} WHERE a.device_id = ANY($1)`, [deviceIds])
  return rows.map((row) => toWork(row, nodeId))
}

const POLICY_COLUMNS = `SELECT a.device_id, d.deleted_at IS NOT NULL AS deleted, d.policy_version, d.lan_prefixes, a.detach_desired,
    CASE WHEN n.device_to_device THEN ${NETWORK_POOLS} ELSE '{}' END AS pools,
    a.detach_desired > a.detach_applied AS detach_requested, a.concentrator_id, a.state,
    ARRAY(SELECT c.id FROM credentials c WHERE c.organization_id = d.organization_id AND c.device_id = d.id AND c.revoked_at IS NULL
      AND (c.expires_at IS NULL OR c.expires_at > now()) AND (c.issuance IS NULL OR c.issuance = 'issued')
      AND ${AUTHORITY_ALLOWS}) AS valid_credential_ids,
    d.proposal_tiers AS device_tiers, n.proposal_tiers AS network_tiers, o.proposal_tiers AS organization_tiers, ${LIMIT_COLUMNS}
  FROM attachments a JOIN devices d ON d.organization_id = a.organization_id AND d.id = a.device_id
    JOIN networks n ON n.organization_id = d.organization_id AND n.id = d.network_id JOIN organizations o ON o.id = d.organization_id
    LEFT JOIN device_usage u ON u.device_id = d.id`

interface PolicyRow extends LimitRow {
  device_id: string
  deleted: boolean
  policy_version: number
  lan_prefixes: string[]
  pools: string[]
  detach_desired: number
  detach_requested: boolean
  concentrator_id: string
  state: string
  valid_credential_ids: string[]
  device_tiers: ProposalTier[] | null
  network_tiers: ProposalTier[] | null
  organization_tiers: ProposalTier[] | null
}

function toWork(row: PolicyRow, nodeId: string): PolicyWork {
  return {
    deviceId: row.device_id,
    deleted: row.deleted,
    policyVersion: row.policy_version,
    lanPrefixes: row.lan_prefixes,
    pools: row.pools,
    detachDesired: row.detach_desired,
    detachRequested: row.detach_requested,
    heldElsewhere: row.concentrator_id !== nodeId && row.state === 'attached',
    attachedNowhere: row.state !== 'attached',
    validCredentialIds: row.valid_credential_ids,
    tiers: effectiveTiers({
      device: row.device_tiers,
      network: row.network_tiers,
      organization: row.organization_tiers,
    }).tiers,
    limits: limitsOf(row),
  }
}

/** Records that this node acted on what it read; never lowers a mark and never touches another node's row. */
export async function markPolicyApplied(pool: Pool, nodeId: string, done: readonly PolicyWork[]): Promise<void> {
  if (done.length === 0) return
  await pool.query(
    `UPDATE attachments a SET policy_applied = greatest(a.policy_applied, v.policy_version), detach_applied = greatest(a.detach_applied, v.detach_desired)
     FROM unnest($2::text[], $3::int[], $4::int[]) AS v(device_id, policy_version, detach_desired)
     WHERE a.device_id = v.device_id AND a.concentrator_id = $1`,
    [
      nodeId,
      done.map((work) => work.deviceId),
      done.map((work) => work.policyVersion),
      done.map((work) => work.detachDesired),
    ],
  )
}
