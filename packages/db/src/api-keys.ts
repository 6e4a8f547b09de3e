/**
 * API keys as a resource: made, listed, changed, rotated and revoked by callers who may. Their ids outside of this package
 * are `key_` and the public part of the key. Nobody makes, changes or rotates a key that may do more afterwards than the caller:
 * no other thing, from nowhere else, no longer. So a key that got out neither prolongs itself nor makes one that outlives it.
 */
import type { Pool } from 'pg'
import { makeApiKey, publicPartOf } from './api-key.ts'
import { changedFields } from './audit.ts'
import type { WriteOptions } from './author.ts'
import { endGrantsOf } from './grants.ts'
import { noteChange } from './noted-change.ts'
import { Fitting, listInOrder, type ListedPage, type ListRequest, type Walk } from './ordered-list.ts'
import { Conditions } from './page.ts'
import { deleteSshKeysOf } from './ssh-keys.ts'
import { refusal } from './refusal.ts'
import { inTenantTransaction, tenant } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import { endTunnelsOfOpener } from './tunnel-end.ts'

export interface ApiKeyRecord {
  /** `key_` and the public part. */
  readonly id: string
  readonly name: string
  /** Null: all. */
  readonly scopes: string[] | null
  /** Canonical prefixes; none: anywhere. */
  readonly allowedFrom: string[]
  readonly createdByKind: string | null
  readonly createdById: string | null
  readonly formerSecretUntil: Date | null
  readonly lastUsedAt: Date | null
  readonly lastUsedAddress: string | null
  readonly expiresAt: Date | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface NewApiKeyRow {
  readonly name: string
  readonly scopes: readonly string[]
  readonly allowedFrom: readonly string[]
  readonly expiresAt: Date
}

export interface ApiKeyChange {
  readonly name?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly allowedFrom?: readonly string[] | undefined
  readonly expiresAt?: Date | undefined
}

export interface IssuedKey {
  readonly record: ApiKeyRecord
  /** The whole key; it cannot be had again. */
  readonly key: string
}

/** Of an organization, that are not revoked. */
export const maxApiKeys = 500
const columns = `'key_' || k.id AS id, k.name, k.scopes, k.allowed_from AS "allowedFrom", k.created_by_kind AS "createdByKind",
  k.created_by_id AS "createdById", CASE WHEN k.former_secret_until > now() THEN k.former_secret_until END AS "formerSecretUntil",
  k.last_used_at AS "lastUsedAt", host(k.last_used_address) AS "lastUsedAddress", k.expires_at AS "expiresAt", k.version,
  k.created_at AS "createdAt", k.updated_at AS "updatedAt"`
const audited = ['name', 'scopes', 'allowedFrom', 'expiresAt'] as const
/** Their events carry nothing. */
const target = { targetType: 'api_key', data: {} }

export async function addApiKey(
  pool: Pool,
  organizationId: string,
  wanted: NewApiKeyRow,
  options: WriteOptions,
): Promise<IssuedKey | 'api_key_limit'> {
  const { id, key, secretHash } = makeApiKey()
  const { by } = options
  return inTenantTransaction(
    pool,
    organizationId,
    async (tx) => {
      await tx.query('SELECT 1 FROM organizations o WHERE o.id = $1 FOR NO KEY UPDATE', [organizationId])
      const { rowCount } = await tx.query(
        'SELECT 1 FROM api_keys WHERE organization_id = $1 AND revoked_at IS NULL LIMIT $2',
        [organizationId, maxApiKeys],
      )
      if ((rowCount ?? 0) >= maxApiKeys) return 'api_key_limit'
      const { rows } = await tx.query<ApiKeyRecord>(
        `INSERT INTO api_keys AS k (id, organization_id, name, secret_hash, scopes, allowed_from, expires_at, created_by_kind, created_by_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING ${columns}`,
        [
          id,
          organizationId,
          wanted.name,
          secretHash,
          wanted.scopes,
          wanted.allowedFrom,
          wanted.expiresAt,
          by.kind,
          by.id,
        ],
      )
      const record = rows[0] as ApiKeyRecord
      await noteChange(tx, {
        ...target,
        organizationId,
        by,
        type: 'api_key.created',
        resourceId: record.id,
        after: pick(record),
      })
      return { record, key }
    },
    options,
  )
}

export type ApiKeyOrder = 'createdAt' | 'name'

export interface ApiKeyFilter {
  /** A part of it, in any case. */
  readonly name?: string | undefined
  /** `key_...` or `usr_...` */
  readonly createdBy?: string | undefined
  readonly expiresBefore?: Date | undefined
  /** Not since then, or never. */
  readonly unusedSince?: Date | undefined
}

export async function listApiKeys(
  pool: Pool,
  organizationId: string,
  filter: ApiKeyFilter,
  { limit, after, sort }: ListRequest<ApiKeyOrder>,
): Promise<ListedPage<ApiKeyRecord>> {
  const where = new Conditions().add('w.organization_id = ?', organizationId)
  const walk: Walk =
    sort.by === 'name'
      ? { from: 'api_keys w', key: 'lower(w.name)', id: 'w.id', cast: 'text', where }
      : { from: 'api_keys w', key: 'w.created_at', id: 'w.id', cast: 'timestamptz', where }
  const fits = (and: Conditions): Conditions =>
    new Fitting(and.add('k.revoked_at IS NULL'))
      .has('k.name', filter.name)
      .is('k.created_by_id', filter.createdBy)
      .between('k.expires_at', undefined, filter.expiresBefore)
      .when('coalesce(k.last_used_at < ?, true)', filter.unusedSince).conditions
  const shown = { columns, source: 'api_keys k', organizationId: 'k.organization_id', id: 'k.id', fits }
  const start = after && { ...after, id: publicPartOf(after.id) }
  const { rows, next } = await listInOrder<ApiKeyRecord, ApiKeyOrder>(
    pool,
    organizationId,
    { walk, shown },
    { limit, sort, after: start },
  )
  return { rows, next: next && { ...next, id: `key_${next.id}` } }
}

/** @returns null for a key that is unknown, revoked or of another organization */
export async function readApiKey(pool: Pool, organizationId: string, id: string): Promise<ApiKeyRecord | null> {
  const { rows } = await tenant(pool, organizationId).query<ApiKeyRecord>(
    `SELECT ${columns} FROM api_keys k WHERE k.organization_id = $1 AND k.id = $2 AND k.revoked_at IS NULL`,
    [organizationId, publicPartOf(id)],
  )
  return rows[0] ?? null
}

interface KeyOf {
  readonly organizationId: string
  readonly id: string
  readonly ifVersion: number | null
  readonly caller: CallerLimits
}

/** What the key may be afterwards. */
export interface CallerLimits {
  /** Permissions of the caller. */
  readonly scopes: ReadonlySet<string>
  /** It has all, also those to come, and may touch keys that have. */
  readonly unlimited: boolean
  /** Whether the caller itself could be there, and then; null: it does not exceed the caller. */
  readonly exceededBy: (key: {
    readonly allowedFrom: readonly string[]
    readonly expiresAt: Date | null
  }) => 'allowFrom' | 'expiresAt' | null
}

export type ApiKeyFault = 'not_found' | 'changed' | ExceedsCaller

/** The permissions that the key would have and the caller has not; none of them named: the key may do all; or another bound. */
export interface ExceedsCaller {
  readonly exceeding: readonly string[] | 'allowFrom' | 'expiresAt'
}

export async function changeApiKey(
  pool: Pool,
  key: KeyOf,
  change: ApiKeyChange,
  options: WriteOptions,
): Promise<ApiKeyRecord | ApiKeyFault> {
  const { organizationId } = key
  return inTenantTransaction(
    pool,
    organizationId,
    async (tx) => {
      const before = await lockKey(tx, key)
      if (typeof before === 'string') return before
      const wanted = {
        scopes: change.scopes ?? before.scopes,
        allowedFrom: change.allowedFrom ?? before.allowedFrom,
        expiresAt: change.expiresAt ?? before.expiresAt,
      }
      const exceeding = exceeds(wanted, key.caller, widens(before, wanted))
      if (exceeding) return refusal({ exceeding })
      const { rows } = await tx.query<ApiKeyRecord>(
        `UPDATE api_keys k SET name = coalesce($3, k.name), scopes = CASE WHEN $4::text[] IS NULL THEN k.scopes ELSE $4::text[] END,
           allowed_from = coalesce($5::text[], k.allowed_from), expires_at = coalesce($6::timestamptz, k.expires_at),
           version = k.version + 1, updated_at = now()
         WHERE k.organization_id = $1 AND k.id = $2 RETURNING ${columns}`,
        [
          organizationId,
          publicPartOf(key.id),
          change.name ?? null,
          change.scopes ?? null,
          change.allowedFrom ?? null,
          change.expiresAt ?? null,
        ],
      )
      const after = rows[0] as ApiKeyRecord
      const fields = changedFields(pick(before), pick(after), audited)
      const { by } = options
      await noteChange(tx, { ...target, organizationId, by, type: 'api_key.updated', resourceId: key.id, ...fields })
      return after
    },
    options,
  )
}

export interface Rotation {
  /** Seconds for which the secret so far stays good; 0: not at all, nor one from an earlier rotation. */
  readonly overlapSec: number
  /** Null: as it was. */
  readonly expiresAt: Date | null
}

/** Two secrets at most are good at a time: while the former one is, only a rotation without overlap is done. */
export async function rotateApiKey(
  pool: Pool,
  key: KeyOf,
  rotation: Rotation,
  options: WriteOptions,
): Promise<IssuedKey | ApiKeyFault | 'api_key_rotating'> {
  const { organizationId } = key
  const made = makeApiKey(publicPartOf(key.id))
  return inTenantTransaction(
    pool,
    organizationId,
    async (tx) => {
      const before = await lockKey(tx, key)
      if (typeof before === 'string') return before
      const exceeding = exceeds({ ...before, expiresAt: rotation.expiresAt ?? before.expiresAt }, key.caller, true)
      if (exceeding) return refusal({ exceeding })
      if (before.formerSecretUntil !== null && rotation.overlapSec > 0) return 'api_key_rotating'
      const { rows } = await tx.query<ApiKeyRecord>(
        `UPDATE api_keys k SET secret_hash = $3,
           former_secret_hash = CASE WHEN $4::int > 0 THEN k.secret_hash END,
           former_secret_until = CASE WHEN $4::int > 0 THEN least(now() + $4::int * interval '1 second', k.expires_at) END,
           expires_at = coalesce($5::timestamptz, k.expires_at), version = k.version + 1, updated_at = now()
         WHERE k.organization_id = $1 AND k.id = $2 RETURNING ${columns}`,
        [organizationId, publicPartOf(key.id), made.secretHash, rotation.overlapSec, rotation.expiresAt],
      )
      const record = rows[0] as ApiKeyRecord
      const after = { overlapSec: rotation.overlapSec, expiresAt: record.expiresAt?.toISOString() ?? null }
      const { by } = options
      await noteChange(tx, { ...target, organizationId, by, type: 'api_key.rotated', resourceId: key.id, after })
      return { record, key: made.key }
    },
    options,
  )
}

/** It is refused from now on; grants to it end, and every tunnel that it opened. @returns the gateways to hint */
export async function revokeApiKey(
  pool: Pool,
  key: { organizationId: string; id: string; ifVersion: number | null },
  options: WriteOptions,
): Promise<{ gateways: string[] } | 'not_found' | 'changed'> {
  const { organizationId, id } = key
  return inTenantTransaction(
    pool,
    organizationId,
    async (tx) => {
      const before = await lockKey(tx, key)
      if (typeof before === 'string') return before
      await tx.query(
        'UPDATE api_keys SET revoked_at = now(), former_secret_hash = NULL, former_secret_until = NULL, updated_at = now() WHERE organization_id = $1 AND id = $2',
        [organizationId, publicPartOf(id)],
      )
      const granted = await endGrantsOf(tx, organizationId, { apiKeyId: id }, options.by)
      const opened = await endTunnelsOfOpener(tx, organizationId, { kind: 'api_key', id })
      await deleteSshKeysOf(tx, organizationId, { apiKeyId: id }, options.by)
      const { by } = options
      await noteChange(tx, {
        ...target,
        organizationId,
        by,
        type: 'api_key.revoked',
        resourceId: id,
        before: pick(before),
      })
      return { gateways: [...new Set([...granted, ...opened])] }
    },
    options,
  )
}

async function lockKey(
  tx: TenantSql,
  { organizationId, id, ifVersion }: Pick<KeyOf, 'organizationId' | 'id' | 'ifVersion'>,
): Promise<ApiKeyRecord | 'not_found' | 'changed'> {
  const { rows } = await tx.query<ApiKeyRecord>(
    `SELECT ${columns} FROM api_keys k WHERE k.organization_id = $1 AND k.id = $2 AND k.revoked_at IS NULL FOR UPDATE`,
    [organizationId, publicPartOf(id)],
  )
  if (!rows[0]) return 'not_found'
  return ifVersion !== null && rows[0].version !== ifVersion ? 'changed' : rows[0]
}

interface Power {
  readonly scopes: readonly string[] | null
  readonly allowedFrom: readonly string[]
  readonly expiresAt: Date | null
}

/**
 * @param gains the caller learns the secret, or the key becomes more than it was: then it must not outlast the caller either
 * @returns null when it is within the limits of the caller
 */
function exceeds(key: Power, caller: CallerLimits, gains: boolean): ExceedsCaller['exceeding'] | null {
  if (key.scopes === null && !caller.unlimited) return []
  const exceeding = (key.scopes ?? []).filter((scope) => !caller.scopes.has(scope))
  if (exceeding.length > 0) return exceeding
  return gains ? caller.exceededBy(key) : null
}

function widens(before: Power, after: Power): boolean {
  const known = before.scopes
  const does = known !== null && (after.scopes ?? []).some((scope) => !known.includes(scope))
  const lasts = before.expiresAt !== null && (after.expiresAt?.getTime() ?? Infinity) > before.expiresAt.getTime()
  return does || lasts || after.allowedFrom.join() !== before.allowedFrom.join()
}

function pick(row: ApiKeyRecord): Record<string, unknown> {
  const { name, scopes, allowedFrom, expiresAt } = row
  return { name, scopes, allowedFrom, expiresAt: expiresAt?.toISOString() ?? null }
}
