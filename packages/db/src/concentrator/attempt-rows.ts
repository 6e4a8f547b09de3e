/**
 * Failed attempts to attach, written in batches by concentrators. Nobody has to prove anything to fail, so everything is bounded:
 * the newest few of each device and of each source are kept, texts are cut, and an attempt that could be shown to nobody is not
 * stored at all.
 *
 * An attempt that ended before an identity was claimed belongs to nobody for certain. It is kept only when its source is an address
 * where devices of exactly one organization were seen within 30 days; reading checks that again (attempts.ts). A source address of
 * an IKE_SA_INIT can be forged: such rows are hints for people, nothing is decided by them.
 */
import type { AttemptReason, AttemptStage, ProposalTier } from '@culvert/lifecycle'
import type { Pool, PoolClient } from 'pg'
import { tally, type TallyItem } from '../event-tallies.ts'
import { newId } from '../ids.ts'
import { inTransaction } from '../transaction.ts'
import { ENDED_CERTIFICATE } from './ended-certificate.ts'
import { isInet } from './outer-addresses.ts'

/** A transform with its IANA numbers and its name as `transformName` of package crypto prints it. */
export interface OfferedTransform {
  readonly type: number
  readonly id: number
  /** Key Length attribute; null without. */
  readonly keyBits: number | null
  readonly name: string
}

export interface OfferedProposal {
  readonly number: number
  /** 1 IKE, 3 ESP. */
  readonly protocolId: number
  readonly transforms: readonly OfferedTransform[]
}

/** The proposal of ours that came nearest to one of the peer's. */
export interface NearestProposal {
  readonly tier: ProposalTier | null
  /** Number of the peer's proposal. */
  readonly proposal: number
  /** One entry for each type of transform in which nothing is common. */
  readonly differsIn: readonly {
    /** ENCR, PRF, INTEG, KE, ESN, ADDKE1 ... */
    readonly type: string
    readonly offered: readonly string[]
    readonly accepted: readonly string[]
  }[]
}

export interface AttachAttempt {
  readonly at: Date
  readonly sourceAddress: string
  readonly sourcePort: number
  /** Whose identity was claimed or proven; null when none was, or nobody's. */
  readonly deviceId: string | null
  /** The peer proved to be this device. */
  readonly isProven: boolean
  readonly stage: AttemptStage
  readonly reason: AttemptReason
  /** For people: no secret, no identity; cut to 500 characters. */
  readonly detail: string
  readonly offered: readonly OfferedProposal[] | null
  readonly nearest: NearestProposal | null
  /** Tier in which the offer would have been taken, allowed or not. */
  readonly matchingTier: ProposalTier | null
  /** Fingerprint of a certificate that was shown and is none of the device's valid credentials; what became of it is said instead. */
  readonly certificate: string | null
}

/** Rows kept for each device, and for each source of one device or of nobody. */
export const mostAttemptsOfDevice = 100
export const mostAttemptsOfSource = 20
/** Attempts of one call; more are dropped, the oldest first. */
export const mostAttemptsOfBatch = 500
const longestDetail = 500
const mostProposals = 32
const mostTransforms = 64

/** Stores what may be shown to somebody and forgets what is beyond the caps. Never worth a second try: drop a batch that fails. */
export async function writeAttempts(pool: Pool, nodeId: string, attempts: readonly AttachAttempt[]): Promise<void> {
  const batch = attempts.filter(({ sourceAddress }) => isInet(sourceAddress)).slice(-mostAttemptsOfBatch)
  if (batch.length === 0) return
  await inTransaction(pool, async (tx) => {
    const stored = await insert(tx, nodeId, batch)
    const devices = [...new Set(stored.flatMap(({ deviceId }) => deviceId ?? []))]
    const sources = [...new Set(stored.map(({ source }) => source))]
    await trim(tx, devices, sources)
    await tally(
      tx,
      failedAttempts,
      stored.flatMap((row) => newsOf(row, nodeId)),
    )
  })
}

/** Anybody can claim to be a device: an event for each attempt would be theirs to write. */
const failedAttempts = { type: 'device.attempt_failed', windowSec: 300 } as const

interface StoredAttempt {
  readonly organizationId: string
  readonly deviceId: string | null
  readonly source: string
  readonly at: Date
  readonly stage: AttemptStage
  readonly reason: AttemptReason
  readonly isProven: boolean
}

/** None of an attempt that is not known to concern a device. */
function newsOf(row: StoredAttempt, concentratorId: string): TallyItem<'device.attempt_failed'>[] {
  const { organizationId, deviceId, at, stage, reason, isProven, source: remoteAddress } = row
  if (deviceId === null) return []
  const data = { reason, stage, isProven, concentratorId, remoteAddress }
  const cause = isProven ? `${reason}, proven` : reason
  return [{ organizationId, resourceId: deviceId, cause, count: 1, at, data }]
}

async function insert(tx: PoolClient, nodeId: string, batch: readonly AttachAttempt[]): Promise<StoredAttempt[]> {
  const column = <T>(read: (attempt: AttachAttempt) => T): T[] => batch.map(read)
  const { rows } = await tx.query<StoredAttempt>(
    `INSERT INTO attach_attempts (id, organization_id, device_id, concentrator_id, at, source_address, source_port, stage, reason,
       detail, is_proven, offered, nearest, matching_tier)
     SELECT v.id, coalesce(d.organization_id, seen.organization_id), d.id, $1, v.at, v.source_address, v.source_port, v.stage, coalesce(ended.reason, v.reason),
       coalesce(ended.detail, v.detail), v.is_proven AND d.id IS NOT NULL, v.offered, v.nearest, v.matching_tier
     FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::inet[], $6::int[], $7::text[], $8::text[], $9::text[], $10::bool[],
       $11::jsonb[], $12::jsonb[], $13::text[], $14::text[])
       AS v(id, device_id, at, source_address, source_port, stage, reason, detail, is_proven, offered, nearest, matching_tier, certificate)
     LEFT JOIN devices d ON d.id = v.device_id AND d.deleted_at IS NULL
     LEFT JOIN LATERAL (SELECT min(o.organization_id) AS organization_id FROM outer_addresses o
       WHERE d.id IS NULL AND v.device_id IS NULL AND o.address = v.source_address AND o.last_seen_at > now() - interval '30 days'
       HAVING count(*) = 1) seen ON true
     LEFT JOIN LATERAL (${ENDED_CERTIFICATE}) ended ON true
     WHERE d.id IS NOT NULL OR seen.organization_id IS NOT NULL
     RETURNING organization_id AS "organizationId", device_id AS "deviceId", host(source_address) AS source, at, stage, reason,
       is_proven AS "isProven"`,
    [
      nodeId,
      column(() => newId('att')),
      column((attempt) => attempt.deviceId),
      column((attempt) => attempt.at),
      column((attempt) => attempt.sourceAddress),
      column((attempt) => attempt.sourcePort),
      column((attempt) => attempt.stage),
      column((attempt) => attempt.reason),
      column((attempt) => cleanText(attempt.detail)),
      column((attempt) => attempt.isProven),
      column((attempt) => attempt.offered && JSON.stringify(cutOffer(attempt.offered))),
      column((attempt) => attempt.nearest && JSON.stringify(attempt.nearest)),
      column((attempt) => attempt.matchingTier),
      column((attempt) => attempt.certificate),
    ],
  )
  return rows
}

/** Per source first, so that one noisy place does not push out what came from elsewhere. */
async function trim(tx: PoolClient, devices: readonly string[], sources: readonly string[]): Promise<void> {
  await tx.query(
    `DELETE FROM attach_attempts WHERE id IN (SELECT id FROM (
       SELECT id, row_number() OVER (PARTITION BY source_address, device_id, organization_id ORDER BY at DESC, id DESC) AS place
       FROM attach_attempts WHERE source_address = ANY($1::inet[])) AS numbered WHERE place > $2)`,
    [sources, mostAttemptsOfSource],
  )
  await tx.query(
    `DELETE FROM attach_attempts WHERE id IN (SELECT id FROM (
       SELECT id, row_number() OVER (PARTITION BY device_id ORDER BY at DESC, id DESC) AS place
       FROM attach_attempts WHERE (organization_id, device_id) IN (SELECT organization_id, id FROM devices WHERE id = ANY($1)))
       AS numbered WHERE place > $2)`,
    [devices, mostAttemptsOfDevice],
  )
}

/** Control characters have no place in a text that people read. */
function cleanText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, ' ').slice(0, longestDetail)
}

function cutOffer(offered: readonly OfferedProposal[]): OfferedProposal[] {
  return offered
    .slice(0, mostProposals)
    .map((proposal) => ({ ...proposal, transforms: proposal.transforms.slice(0, mostTransforms) }))
}
