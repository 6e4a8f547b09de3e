/** Attachments of an organization without their SAs: in the order of device ids, whoever attaches or leaves, or by when they were seen. */
import type { Pool } from 'pg'
import { attachmentColumns, type AttachmentSummaryRecord } from './attachments.ts'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'

export type AttachmentOrder = 'deviceId' | 'lastSeenAt'

export interface AttachmentFilter {
  readonly state?: 'attached' | 'detached' | undefined
  readonly concentratorId?: string | undefined
  readonly credentialId?: string | undefined
  /** An address, as it is stored. */
  readonly remoteAddress?: string | undefined
  readonly behindNat?: boolean | undefined
  readonly detachReason?: string | undefined
  /** Of the device. */
  readonly networkId?: string | undefined
  readonly tag?: string | undefined
  readonly seenFrom?: Date | undefined
  readonly seenBefore?: Date | undefined
}

const source = 'attachments a JOIN devices d ON d.organization_id = a.organization_id AND d.id = a.device_id'

export function listAttachments(
  pool: Pool,
  organizationId: string,
  filter: AttachmentFilter,
  page: ListRequest<AttachmentOrder>,
): Promise<ListedPage<AttachmentSummaryRecord>> {
  const fits = (and: Conditions): Conditions =>
    new Fitting(and.add('d.deleted_at IS NULL'))
      .is('a.state', filter.state)
      .is('a.concentrator_id', filter.concentratorId)
      .is('a.credential_id', filter.credentialId)
      .is('a.remote_address', filter.remoteAddress)
      .is('a.behind_nat', filter.behindNat)
      .is('a.detach_reason', filter.detachReason)
      .is('d.network_id', filter.networkId)
      .when('d.tags @> ARRAY[?::text]', filter.tag)
      .between('a.last_seen_at', filter.seenFrom, filter.seenBefore).conditions
  const shown = { columns: attachmentColumns, source, organizationId: 'a.organization_id', id: 'a.device_id', fits }
  return listInOrder(pool, organizationId, { walk: walkOf(organizationId, filter, page), shown }, page)
}

function walkOf(
  organizationId: string,
  filter: AttachmentFilter,
  { sort }: Pick<ListRequest<AttachmentOrder>, 'sort'>,
): Walk {
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  if (sort.by === 'lastSeenAt') {
    new Fitting(where).between('w.last_seen_at', filter.seenFrom, filter.seenBefore)
    return { from: 'attachments w', key: 'w.last_seen_at', id: 'w.device_id', cast: 'timestamptz', where }
  }
  // A literal: an index is of this state alone.
  if (filter.state === 'attached') where.add(`w.state = 'attached'`)
  return { from: 'attachments w', key: 'w.device_id', id: 'w.device_id', cast: 'text', where }
}
