/**
 * Certificate authorities of organizations, by which their devices may prove themselves (ADR 0037). An authority counts for credentials
 * that name it, in its own organization, and for nothing else; when it goes, those are revoked, and what is attached with them leaves.
 *
 * Locks: the authority before devices, devices before credentials.
 */
import type { Pool } from 'pg'
import { changedFields } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { DUE_NOW } from './due-now.ts'
import { brokenConstraint } from './errors.ts'
import { foreignBatch, leaveAuthority, revokeForeignCredentials } from './foreign-credentials.ts'
import { newId } from './ids.ts'
import type { Touched } from './nodes.ts'
import { noteChange } from './noted-change.ts'
import { listInOrder, type ListedPage, type ListRequest, type Walk, Fitting } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

/** Whether a list of revoked certificates is fetched (`soft`), and whether nobody is let in without a fresh one (`hard`). */
export const revocationModes = ['off', 'soft', 'hard'] as const
export type RevocationMode = (typeof revocationModes)[number]

export interface DeviceAuthorityRecord {
  readonly id: string
  readonly name: string
  /** PEM. */
  readonly certificate: string
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string
  readonly subject: string
  readonly notAfter: Date
  readonly revocation: RevocationMode
  readonly crlUrl: string | null
  /** Decimal. */
  readonly crlNumber: string | null
  readonly crlThisUpdate: Date | null
  readonly crlNextUpdate: Date | null
  readonly crlFetchedAt: Date | null
  readonly crlFault: string | null
  /** Serials on the list. */
  readonly revokedCount: number
  /** Credentials that are neither revoked nor expired. */
  readonly credentialCount: number
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type NewDeviceAuthority = Pick<
  DeviceAuthorityRecord,
  'name' | 'certificate' | 'fingerprint' | 'subject' | 'notAfter' | 'revocation' | 'crlUrl'
>

/** Of an organization. */
export const maxDeviceAuthorities = 20
/** From one look at a list to the next, however often its place is changed. */
const lookAgainAfterSec = 60
/** Who registers authorities and deletes them at once has nobody asked. */
const firstLookAfterSec = 10

const columns = `a.id, a.name, a.certificate, a.fingerprint, a.subject, a.not_after AS "notAfter", a.revocation, a.crl_url AS "crlUrl",
  a.crl_number AS "crlNumber", a.crl_this_update AS "crlThisUpdate", a.crl_next_update AS "crlNextUpdate",
  a.crl_fetched_at AS "crlFetchedAt", a.crl_fault AS "crlFault", a.revoked_count AS "revokedCount",
  (SELECT count(*)::int FROM credentials c WHERE c.organization_id = a.organization_id AND c.authority_id = a.id
     AND c.revoked_at IS NULL AND c.expires_at > now()) AS "credentialCount",
  a.version, a.created_at AS "createdAt", a.updated_at AS "updatedAt"`
const audited = ['name', 'revocation', 'crlUrl'] as const
const target = { targetType: 'device_authority' }
/** Any number that no other kind of lock has. */
const limitLock = 36

export async function addDeviceAuthority(
  pool: Pool,
  organizationId: string,
  authority: NewDeviceAuthority,
  options: WriteOptions,
): Promise<DeviceAuthorityRecord | 'authority_limit' | 'authority_exists'> {
  const id = newId('aut')
  const work = async (tx: TenantSql): Promise<DeviceAuthorityRecord | 'authority_limit'> => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, $2))', [organizationId, limitLock])
    const { rowCount } = await tx.query('SELECT 1 FROM device_authorities WHERE organization_id = $1 LIMIT $2', [
      organizationId,
      maxDeviceAuthorities,
    ])
    if ((rowCount ?? 0) >= maxDeviceAuthorities) return 'authority_limit'
    const { name, certificate, fingerprint, subject, notAfter, revocation, crlUrl } = authority
    const { rows } = await tx.query<DeviceAuthorityRecord>(
      `INSERT INTO device_authorities AS a (id, organization_id, name, certificate, fingerprint, subject, not_after, revocation, crl_url,
         crl_due_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $8 <> 'off' THEN now() + ${firstLookAfterSec} * interval '1 second' END) RETURNING ${columns}`,
      [id, organizationId, name, certificate, fingerprint, subject, notAfter, revocation, crlUrl],
    )
    const after = { name, fingerprint, subject, notAfter, revocation, crlUrl }
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, { ...noted, type: 'device_authority.created', data: {}, after })
    return rows[0] as DeviceAuthorityRecord
  }
  try {
    return await inTenantTransaction(pool, organizationId, work, options)
  } catch (error) {
    if (brokenConstraint(error) === 'device_authorities_organization_id_fingerprint_key') return 'authority_exists'
    throw error
  }
}

export interface DeviceAuthorityFilter {
  /** A part of it, in any case. */
  readonly name?: string | undefined
  readonly fingerprint?: string | undefined
}

export function listDeviceAuthorities(
  pool: Pool,
  organizationId: string,
  filter: DeviceAuthorityFilter,
  page: ListRequest<'createdAt' | 'name'>,
): Promise<ListedPage<DeviceAuthorityRecord>> {
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  const walk: Walk =
    page.sort.by === 'name'
      ? { from: 'device_authorities w', key: 'lower(w.name)', id: 'w.id', cast: 'text', where }
      : { from: 'device_authorities w', key: 'w.created_at', id: 'w.id', cast: 'timestamptz', where }
  const fits = (and: Conditions): Conditions =>
    new Fitting(and).has('a.name', filter.name).is('a.fingerprint', filter.fingerprint).conditions
  const source = 'device_authorities a'
  const shown = { columns, source, organizationId: 'a.organization_id', id: 'a.id', fits }
  return listInOrder(pool, organizationId, { walk, shown }, page)
}

/** @returns null for one that is unknown or of another organization */
export function readDeviceAuthority(
  pool: Pool,
  organizationId: string,
  id: string,
): Promise<DeviceAuthorityRecord | null> {
  return find(tenant(pool, organizationId), organizationId, id)
}

interface DeviceAuthorityAt {
  readonly organizationId: string
  readonly id: string
  readonly ifVersion: number | null
}

export type DeviceAuthorityChange = Partial<Pick<DeviceAuthorityRecord, 'name' | 'revocation' | 'crlUrl'>>

/**
 * What its list has revoked stays revoked, also when lists are not fetched any more. What was wrong with one is not so with another, nor
 * does one at another place count on from the number of the last one: only so can an authority be followed that once wrote a number
 * above all others. Its date then has to be as late, and no date is in the future: an old list is no way back.
 */
export async function changeDeviceAuthority(
  pool: Pool,
  at: DeviceAuthorityAt,
  change: DeviceAuthorityChange,
  options: WriteOptions,
): Promise<DeviceAuthorityRecord | 'not_found' | 'changed'> {
  const { organizationId, id } = at
  const work = async (tx: TenantSql): Promise<DeviceAuthorityRecord | 'not_found' | 'changed'> => {
    const before = await lock(tx, at)
    if (typeof before === 'string') return before
    const wanted = { ...before, ...change }
    const { rows } = await tx.query<DeviceAuthorityRecord>(
      `UPDATE device_authorities a SET name = $3, revocation = $4, crl_url = $5, version = a.version + 1, updated_at = now(),
         crl_due_at = CASE WHEN $4 = 'off' THEN NULL WHEN a.crl_url = $5 THEN a.crl_due_at
           ELSE greatest(${DUE_NOW}, a.crl_looked_at + ${lookAgainAfterSec} * interval '1 second',
             a.created_at + ${firstLookAfterSec} * interval '1 second') END,
         crl_fault = CASE WHEN a.crl_url = $5 THEN a.crl_fault END, crl_number = CASE WHEN a.crl_url = $5 THEN a.crl_number END,
         crl_digest = CASE WHEN a.crl_url = $5 THEN a.crl_digest END
       WHERE a.organization_id = $1 AND a.id = $2 RETURNING ${columns}`,
      [organizationId, id, wanted.name, wanted.revocation, wanted.crlUrl],
    )
    const after = rows[0] as DeviceAuthorityRecord
    const changed = audited.filter((name) => name in change)
    const fields = changedFields(before, after, audited)
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, { ...noted, type: 'device_authority.updated', data: { changed: [...changed] }, ...fields })
    return after
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

/**
 * Its credentials are revoked; what is attached with them is told to leave. Who has many has them revoked in several transactions: one
 * that is broken off is gone on with by asking again.
 */
export async function deleteDeviceAuthority(
  pool: Pool,
  at: DeviceAuthorityAt,
  options: WriteOptions,
): Promise<Touched | 'not_found' | 'changed'> {
  const gateways = new Set<string>()
  const concentrators = new Set<string>()
  for (;;) {
    const step = await deleteOrRevoke(pool, at, options)
    if (typeof step === 'string') return step
    for (const gateway of step.touched.gateways) gateways.add(gateway)
    for (const concentrator of step.touched.concentrators) concentrators.add(concentrator)
    if (step.isDeleted) return { gateways: [...gateways], concentrators: [...concentrators] }
  }
}

function deleteOrRevoke(
  pool: Pool,
  at: DeviceAuthorityAt,
  options: WriteOptions,
): Promise<{ touched: Touched; isDeleted: boolean } | 'not_found' | 'changed'> {
  const { organizationId, id } = at
  const work = async (tx: TenantSql): Promise<{ touched: Touched; isDeleted: boolean } | 'not_found' | 'changed'> => {
    const before = await lock(tx, at)
    if (typeof before === 'string') return before
    const { touched, credentials } = await revokeForeignCredentials(tx, { organizationId, authorityId: id }, options)
    if (credentials === foreignBatch || !(await leaveAuthority(tx, organizationId, id)))
      return { touched, isDeleted: false }
    await tx.query('DELETE FROM device_authorities WHERE organization_id = $1 AND id = $2', [organizationId, id])
    const { name, fingerprint, subject } = before
    const noted = { ...target, organizationId, by: options.by, resourceId: id }
    await noteChange(tx, {
      ...noted,
      type: 'device_authority.deleted',
      data: {},
      before: { name, fingerprint, subject },
    })
    return { touched, isDeleted: true }
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

async function lock(
  tx: TenantSql,
  { organizationId, id, ifVersion }: DeviceAuthorityAt,
): Promise<DeviceAuthorityRecord | 'not_found' | 'changed'> {
  const record = await find(tx, organizationId, id, 'FOR UPDATE OF a')
  if (!record) return 'not_found'
  return ifVersion !== null && record.version !== ifVersion ? 'changed' : record
}

async function find(
  sql: TenantSql,
  organizationId: string,
  id: string,
  how = '',
): Promise<DeviceAuthorityRecord | null> {
  const { rows } = await sql.query<DeviceAuthorityRecord>(
    `SELECT ${columns} FROM device_authorities a WHERE a.organization_id = $1 AND a.id = $2 ${how}`,
    [organizationId, id],
  )
  return rows[0] ?? null
}
