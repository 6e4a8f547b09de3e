/** Attachments of an organization without their SAs, in the order of device ids: an index has it, whoever attaches or leaves. */
import type { Pool } from 'pg'
import { attachmentColumns, type AttachmentSummaryRecord } from './attachments.ts'
import { Conditions, toPage, type Page, type PageRequest } from './page.ts'
import { tenant } from './tenant.ts'

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
    `SELECT ${attachmentColumns}
     FROM attachments a JOIN devices d ON d.organization_id = a.organization_id AND d.id = a.device_id
     WHERE ${where.text} ORDER BY a.device_id LIMIT ${page.limit + 1}`,
    where.values,
  )
  return toPage(rows, page.limit, ({ attachedAt, deviceId }) => ({ createdAt: attachedAt, id: deviceId }))
}
