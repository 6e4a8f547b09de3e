/** Credentials of all devices of an organization: what expires when, what waits for the signer. Never a secret. */
import type { CredentialKind, CredentialState } from '@culvert/lifecycle'
import type { Pool } from 'pg'
import { credentialColumns, type CredentialSummaryRecord } from './credentials.ts'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'

/** By the time when they expire only those are listed that do. */
export type CredentialOrder = 'createdAt' | 'expiresAt'

export interface CredentialFilter {
  readonly kind?: CredentialKind | undefined
  readonly state?: CredentialState | undefined
  readonly deviceId?: string | undefined
  readonly expiresFrom?: Date | undefined
  readonly expiresBefore?: Date | undefined
}

const isOver = 'coalesce(c.expires_at <= now(), false)'
const isRefused = `c.issuance IS NOT DISTINCT FROM 'refused'`
/** As `credentialStateAt` of package lifecycle has it. */
const inState: Readonly<Record<CredentialState, string>> = {
  refused: isRefused,
  revoked: `NOT ${isRefused} AND c.revoked_at IS NOT NULL`,
  expired: `NOT ${isRefused} AND c.revoked_at IS NULL AND ${isOver}`,
  pending: `c.issuance = 'pending' AND c.revoked_at IS NULL AND NOT ${isOver}`,
  active: `coalesce(c.issuance, 'issued') = 'issued' AND c.revoked_at IS NULL AND NOT ${isOver}`,
}
const source =
  'credentials c JOIN devices d ON d.organization_id = c.organization_id AND d.id = c.device_id AND d.deleted_at IS NULL'

export function listAllCredentials(
  pool: Pool,
  organizationId: string,
  filter: CredentialFilter,
  page: ListRequest<CredentialOrder>,
): Promise<ListedPage<CredentialSummaryRecord>> {
  const { kind, state, deviceId, expiresFrom, expiresBefore } = filter
  const fits = (where: Conditions): Conditions => {
    if (state !== undefined) where.add(inState[state])
    return new Fitting(where)
      .is('c.kind', kind)
      .is('c.device_id', deviceId)
      .between('c.expires_at', expiresFrom, expiresBefore).conditions
  }
  const shown = { columns: credentialColumns, source, organizationId: 'c.organization_id', id: 'c.id', fits }
  return listInOrder(pool, organizationId, { walk: walkOf(organizationId, filter, page), shown }, page)
}

function walkOf(organizationId: string, filter: CredentialFilter, { sort }: ListRequest<CredentialOrder>): Walk {
  const { state, deviceId, expiresFrom, expiresBefore } = filter
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  if (sort.by === 'expiresAt') {
    if (state === 'active' || state === 'pending') where.add('w.expires_at > now()')
    else where.add('w.expires_at IS NOT NULL')
    new Fitting(where).between('w.expires_at', expiresFrom, expiresBefore)
    return { from: 'credentials w', key: 'w.expires_at', id: 'w.id', cast: 'timestamptz', where }
  }
  if (deviceId !== undefined) where.add('w.device_id = ?', deviceId)
  return { from: 'credentials w', key: 'w.created_at', id: 'w.id', cast: 'timestamptz', where }
}
