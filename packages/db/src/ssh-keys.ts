/**
 * SSH keys as a resource. Each has one owner, a member or an API key, as whom its holder will act at an SSH gateway; it goes with
 * its owner. Nobody registers or prolongs one for an owner that may do more than the caller.
 */
import type { Pool } from 'pg'
import { publicPartOf } from './api-key.ts'
import { changedFields } from './audit.ts'
import type { Author, WriteOptions } from './author.ts'
import { brokenConstraint } from './errors.ts'
import { newId } from './ids.ts'
import { noteChange } from './noted-change.ts'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'

export interface SshKeyRecord {
  readonly id: string
  readonly name: string
  /** One of both. */
  readonly memberId: string | null
  readonly apiKeyId: string | null
  readonly keyType: string
  readonly bits: number
  readonly publicKey: string
  readonly fingerprint: string
  readonly comment: string
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
  readonly lastUsedAddress: string | null
  readonly createdByKind: string
  readonly createdById: string
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type NewSshKey = Pick<
  SshKeyRecord,
  'name' | 'keyType' | 'bits' | 'publicKey' | 'fingerprint' | 'comment' | 'expiresAt'
>

/** Whose key it shall be. */
export type SshKeyHolder = { readonly memberId: string } | { readonly apiKeyId: string } | 'caller'

export interface SshKeyOwner {
  readonly kind: 'member' | 'api_key'
  readonly id: string
  readonly isCaller: boolean
  /** Of a member. */
  readonly role: string | null
  /** Of an API key; null: all. */
  readonly scopes: readonly string[] | null
}

/** Whether the caller may make and prolong keys of this owner. */
export type MayActFor = (owner: SshKeyOwner) => boolean

export interface SshKeyFilter {
  readonly memberId?: string | undefined
  readonly apiKeyId?: string | undefined
  readonly fingerprint?: string | undefined
  /** A part of it, in any case. */
  readonly name?: string | undefined
}

/** Of one owner. */
export const maxSshKeysOfOwner = 50

const columns = `s.id, s.name, s.member_id AS "memberId", 'key_' || s.api_key_id AS "apiKeyId", s.key_type AS "keyType", s.bits,
  s.public_key AS "publicKey", s.fingerprint, s.comment, s.expires_at AS "expiresAt", s.last_used_at AS "lastUsedAt",
  host(s.last_used_address) AS "lastUsedAddress", s.created_by_kind AS "createdByKind", s.created_by_id AS "createdById",
  s.version, s.created_at AS "createdAt", s.updated_at AS "updatedAt"`
const audited = ['name', 'expiresAt'] as const
/** Their events carry nothing. */
const target = { targetType: 'ssh_key', data: {} }

/** @returns `not_found` when there is no such owner */
export async function addSshKey(
  pool: Pool,
  organizationId: string,
  { holder, mayActFor, ...key }: NewSshKey & { readonly holder: SshKeyHolder; readonly mayActFor: MayActFor },
  options: WriteOptions,
): Promise<SshKeyRecord | 'not_found' | 'above_caller' | 'ssh_key_limit' | 'ssh_key_exists'> {
  const id = newId('ssh')
  const { by } = options
  const work = async (tx: TenantSql): Promise<SshKeyRecord | 'not_found' | 'above_caller' | 'ssh_key_limit'> => {
    const owner = await lockOwner(tx, organizationId, { holder, by })
    if (!owner) return 'not_found'
    if (!mayActFor(owner)) return 'above_caller'
    const { memberId, apiKeyId } = columnsOf(owner)
    const { rowCount } = await tx.query(
      'SELECT 1 FROM ssh_keys WHERE organization_id = $1 AND (member_id = $2 OR api_key_id = $3) LIMIT $4',
      [organizationId, memberId, apiKeyId, maxSshKeysOfOwner],
    )
    if ((rowCount ?? 0) >= maxSshKeysOfOwner) return 'ssh_key_limit'
    const { rows } = await tx.query<SshKeyRecord>(
      `INSERT INTO ssh_keys AS s (id, organization_id, name, member_id, api_key_id, key_type, bits, public_key, fingerprint,
         comment, expires_at, created_by_kind, created_by_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING ${columns}`,
      [
        id,
        organizationId,
        key.name,
        memberId,
        apiKeyId,
        key.keyType,
        key.bits,
        key.publicKey,
        key.fingerprint,
        key.comment,
        key.expiresAt,
        by.kind,
        by.id,
      ],
    )
    const record = rows[0] as SshKeyRecord
    const { fingerprint } = record
    const after = { ...pick(record), memberId: record.memberId, apiKeyId: record.apiKeyId, fingerprint }
    await noteChange(tx, { ...target, organizationId, by, type: 'ssh_key.created', resourceId: id, after })
    return record
  }
  try {
    return await inTenantTransaction(pool, organizationId, work, options)
  } catch (error) {
    if (brokenConstraint(error) === 'ssh_keys_organization_id_fingerprint_key') return 'ssh_key_exists'
    throw error
  }
}

export type SshKeyOrder = 'createdAt' | 'name'

export function listSshKeys(
  pool: Pool,
  organizationId: string,
  filter: SshKeyFilter,
  page: ListRequest<SshKeyOrder>,
): Promise<ListedPage<SshKeyRecord>> {
  const { apiKeyId } = filter
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  const walk: Walk =
    page.sort.by === 'name'
      ? { from: 'ssh_keys w', key: 'lower(w.name)', id: 'w.id', cast: 'text', where }
      : { from: 'ssh_keys w', key: 'w.created_at', id: 'w.id', cast: 'timestamptz', where }
  const fits = (and: Conditions): Conditions =>
    new Fitting(and)
      .is('s.member_id', filter.memberId)
      .is('s.api_key_id', apiKeyId === undefined ? undefined : publicPartOf(apiKeyId))
      .is('s.fingerprint', filter.fingerprint)
      .has('s.name', filter.name).conditions
  const shown = { columns, source: 'ssh_keys s', organizationId: 's.organization_id', id: 's.id', fits }
  return listInOrder(pool, organizationId, { walk, shown }, page)
}

/** @returns null for a key that is unknown or of another organization */
export async function readSshKey(pool: Pool, organizationId: string, id: string): Promise<SshKeyRecord | null> {
  const { rows } = await tenant(pool, organizationId).query<SshKeyRecord>(
    `SELECT ${columns} FROM ssh_keys s WHERE s.organization_id = $1 AND s.id = $2`,
    [organizationId, id],
  )
  return rows[0] ?? null
}

interface SshKeyAt {
  readonly organizationId: string
  readonly id: string
  readonly ifVersion: number | null
}

export interface SshKeyChange {
  readonly name?: string | undefined
  /** Null: as long as its owner. */
  readonly expiresAt?: Date | null | undefined
}

export async function changeSshKey(
  pool: Pool,
  at: SshKeyAt & { readonly mayActFor: MayActFor },
  change: SshKeyChange,
  options: WriteOptions,
): Promise<SshKeyRecord | 'not_found' | 'changed' | 'above_caller'> {
  const { organizationId, id } = at
  const { by } = options
  const work = async (tx: TenantSql): Promise<SshKeyRecord | 'not_found' | 'changed' | 'above_caller'> => {
    const before = await lockKey(tx, at)
    if (typeof before === 'string') return before
    const owner = await lockOwner(tx, organizationId, { holder: holderOf(before), by })
    if (!owner) return 'not_found'
    if (!at.mayActFor(owner)) return 'above_caller'
    const { rows } = await tx.query<SshKeyRecord>(
      `UPDATE ssh_keys s SET name = coalesce($3, s.name), expires_at = CASE WHEN $4::bool THEN $5::timestamptz ELSE s.expires_at END,
         version = s.version + 1, updated_at = now()
       WHERE s.organization_id = $1 AND s.id = $2 RETURNING ${columns}`,
      [organizationId, id, change.name ?? null, change.expiresAt !== undefined, change.expiresAt ?? null],
    )
    const after = rows[0] as SshKeyRecord
    const changed = changedFields(pick(before), pick(after), audited)
    await noteChange(tx, { ...target, organizationId, by, type: 'ssh_key.updated', resourceId: id, ...changed })
    return after
  }
  return inTenantTransaction(pool, organizationId, work, options)
}

export async function deleteSshKey(
  pool: Pool,
  at: SshKeyAt,
  options: WriteOptions,
): Promise<'deleted' | 'not_found' | 'changed'> {
  const work = async (tx: TenantSql): Promise<'deleted' | 'not_found' | 'changed'> => {
    const key = await lockKey(tx, at)
    if (typeof key === 'string') return key
    await remove(tx, at.organizationId, key, options.by)
    return 'deleted'
  }
  return inTenantTransaction(pool, at.organizationId, work, options)
}

/** All of a member who goes, or of a key that is revoked. */
export async function deleteSshKeysOf(
  tx: TenantSql,
  organizationId: string,
  holder: { memberId: string } | { apiKeyId: string },
  by: Author,
): Promise<void> {
  const [column, id] =
    'memberId' in holder
      ? (['member_id', holder.memberId] as const)
      : (['api_key_id', publicPartOf(holder.apiKeyId)] as const)
  const { rows } = await tx.query<SshKeyRecord>(
    `SELECT ${columns} FROM ssh_keys s WHERE s.organization_id = $1 AND s.${column} = $2 ORDER BY s.id FOR UPDATE`,
    [organizationId, id],
  )
  for (const key of rows) await remove(tx, organizationId, key, by)
}

async function remove(tx: TenantSql, organizationId: string, key: SshKeyRecord, by: Author): Promise<void> {
  await tx.query('DELETE FROM ssh_keys WHERE organization_id = $1 AND id = $2', [organizationId, key.id])
  const before = { ...pick(key), fingerprint: key.fingerprint }
  await noteChange(tx, { ...target, organizationId, by, type: 'ssh_key.deleted', resourceId: key.id, before })
}

async function lockKey(
  tx: TenantSql,
  { organizationId, id, ifVersion }: SshKeyAt,
): Promise<SshKeyRecord | 'not_found' | 'changed'> {
  const { rows } = await tx.query<SshKeyRecord>(
    `SELECT ${columns} FROM ssh_keys s WHERE s.organization_id = $1 AND s.id = $2 FOR UPDATE`,
    [organizationId, id],
  )
  if (!rows[0]) return 'not_found'
  return ifVersion !== null && rows[0].version !== ifVersion ? 'changed' : rows[0]
}

function holderOf({ memberId, apiKeyId }: SshKeyRecord): SshKeyHolder {
  return memberId === null ? { apiKeyId: apiKeyId ?? '' } : { memberId }
}

function columnsOf({ kind, id }: SshKeyOwner): { memberId: string | null; apiKeyId: string | null } {
  return kind === 'member' ? { memberId: id, apiKeyId: null } : { memberId: null, apiKeyId: publicPartOf(id) }
}

/** One key after the other is counted, and the owner neither goes nor becomes more meanwhile. */
async function lockOwner(
  tx: TenantSql,
  organizationId: string,
  { holder, by }: { holder: SshKeyHolder; by: Author },
): Promise<SshKeyOwner | null> {
  if (holder === 'caller' ? by.kind === 'api_key' : 'apiKeyId' in holder) {
    const id = holder === 'caller' ? by.id : (holder as { apiKeyId: string }).apiKeyId
    const { rows } = await tx.query<{ scopes: string[] | null }>(
      'SELECT scopes FROM api_keys WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL FOR NO KEY UPDATE',
      [organizationId, publicPartOf(id)],
    )
    return rows[0]
      ? { kind: 'api_key', id, isCaller: by.kind === 'api_key' && by.id === id, role: null, ...rows[0] }
      : null
  }
  const { rows } = await tx.query<{ id: string; userId: string | null; role: string }>(
    `SELECT id, user_id AS "userId", role FROM memberships
     WHERE organization_id = $1 AND CASE WHEN $2::text IS NULL THEN user_id = $3 ELSE id = $2 END FOR NO KEY UPDATE`,
    [organizationId, holder === 'caller' ? null : (holder as { memberId: string }).memberId, by.id],
  )
  const member = rows[0]
  if (!member) return null
  const isCaller = by.kind === 'user' && member.userId === by.id
  return { kind: 'member', id: member.id, isCaller, role: member.role, scopes: null }
}

function pick({ name, expiresAt }: SshKeyRecord): { name: string; expiresAt: string | null } {
  return { name, expiresAt: expiresAt?.toISOString() ?? null }
}
