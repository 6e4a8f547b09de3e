/**
 * Failed attempts to attach, as the owner of a device may see them.
 *
 * Those that claimed or proved the device's identity are its own. One without an identity is shown for a device only when it came
 * from the last outer address of that device, and nobody of another organization was seen there within 30 days before it or since:
 * behind one address of a carrier there are thousands of devices, and what they offer is their owners' business.
 */
import type { AttemptReason, AttemptStage, ProposalTier } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import type { NearestProposal, OfferedProposal } from './concentrator/attempt-rows.ts'
import { isInet } from './concentrator/outer-addresses.ts'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'
import { tenant } from './tenant.ts'

export interface AttemptRecord {
  readonly id: string
  readonly at: Date
  readonly concentratorId: string
  readonly sourceAddress: string
  readonly sourcePort: number
  /** The identity of the device was claimed; else only the source address speaks for it. */
  readonly isIdentified: boolean
  readonly isProven: boolean
  readonly stage: AttemptStage
  readonly reason: AttemptReason
  readonly detail: string
  readonly offered: OfferedProposal[] | null
  readonly nearest: NearestProposal | null
  readonly matchingTier: ProposalTier | null
}

export interface AttemptFilter {
  readonly stage?: AttemptStage | undefined
  readonly reason?: AttemptReason | undefined
  readonly from?: Date | undefined
  readonly before?: Date | undefined
}

const columns = `t.id, t.at, t.concentrator_id AS "concentratorId", host(t.source_address) AS "sourceAddress",
  t.source_port AS "sourcePort", t.device_id IS NOT NULL AS "isIdentified", t.is_proven AS "isProven", t.stage, t.reason, t.detail,
  t.offered, t.nearest, t.matching_tier AS "matchingTier"`
/** Somebody of another organization was seen at the attempt's source: attached from there, or claimed to be its device. */
const seenByOthers = 'seen_by_others(t.organization_id, t.source_address, t.at)'

/** @returns newest first */
export async function listAttempts(
  pool: Pool,
  key: { organizationId: string; deviceId: string },
  filter: AttemptFilter,
  page: PageRequest,
): Promise<Page<AttemptRecord>> {
  const { rows: known } = await tenant(pool, key.organizationId).query<{ address: string }>(
    'SELECT remote_address AS address FROM attachments WHERE organization_id = $1 AND device_id = $2',
    [key.organizationId, key.deviceId],
  )
  const address = known[0] && isInet(known[0].address) ? known[0].address : null
  const where = new Conditions()
    .add('t.organization_id = ?', key.organizationId)
    .add(
      `(t.device_id = ? OR (t.device_id IS NULL AND t.source_address = ?::inet AND NOT (${seenByOthers})))`,
      key.deviceId,
      address,
    )
  if (filter.stage !== undefined) where.add('t.stage = ?', filter.stage)
  if (filter.reason !== undefined) where.add('t.reason = ?', filter.reason)
  if (filter.from !== undefined) where.add('t.at >= ?', filter.from)
  if (filter.before !== undefined) where.add('t.at < ?', filter.before)
  if (page.after) where.add('(t.at, t.id) < (?, ?)', page.after.createdAt, page.after.id)
  const { rows } = await tenant(pool, key.organizationId).query<AttemptRecord>(
    `SELECT ${columns} FROM attach_attempts t WHERE ${where.text} ORDER BY t.at DESC, t.id DESC LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ at, id }) => ({ createdAt: at, id }))
}
