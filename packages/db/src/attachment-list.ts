/** Attachments of an organization without their SAs, in the order of device ids: an index has it, whoever attaches or leaves. */
import type { Pool } from 'pg'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'
import { tenant } from './tenant.ts'

export interface AttachmentSummaryRecord {
  readonly deviceId: string
  readonly state: string
  readonly concentratorId: string
  readonly epoch: number
  readonly address4: string | null
  readonly address6: string | null
  readonly credentialId: string | null
  readonly remoteAddress: string
  readonly remotePort: number
  readonly behindNat: boolean
  readonly attachedAt: Date
  readonly detachedAt: Date | null
  readonly detachReason: string | null
  readonly lastSeenAt: Date
}

export interface AttachmentFilter {
  readonly state?: 'attached' | 'detached' | undefined
  readonly concentratorId?: string | undefined
}

export async function listAttachments(
  pool: Pool,
  organizationId: string,
  filter: AttachmentFilter,
  page: PageRequest,
): Promise<Page<AttachmentSummaryRecord>> {
  const where = new Conditions().add('a.organization_id = ? AND d.deleted_at IS NULL', organizationId)
  if (filter.state !== undefined) where.add('a.state = ?', filter.state)
  if (filter.concentratorId !== undefined) where.add('a.concentrator_id = ?', filter.concentratorId)
  if (page.after) where.add('a.device_id > ?', page.after.id)
  const { rows } = await tenant(pool, organizationId).query<AttachmentSummaryRecord>(
    `SELECT a.device_id AS "deviceId", a.state, a.concentrator_id AS "concentratorId", a.epoch, host(a.address4) AS address4,
       host(a.address6) AS address6, a.credential_id AS "credentialId", a.remote_address AS "remoteAddress", a.remote_port AS "remotePort",
       a.behind_nat AS "behindNat", a.attached_at AS "attachedAt", a.detached_at AS "detachedAt", a.detach_reason AS "detachReason",
       a.last_seen_at AS "lastSeenAt"
     FROM attachments a JOIN devices d ON d.organization_id = a.organization_id AND d.id = a.device_id
     WHERE ${where.text} ORDER BY a.device_id LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ attachedAt, deviceId }) => ({ createdAt: attachedAt, id: deviceId }))
}
