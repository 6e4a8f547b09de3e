/** API keys as they are made at the start of an installation and as they are used: found by their public part alone. */
import type pg from 'pg'
import { makeApiKey } from './api-key.ts'
import { tenant } from './tenant.ts'

export interface ApiKeyRequest {
  readonly organizationId: string
  readonly name: string
  readonly expiresAt?: Date
  /** Permissions; all of the organization when left out. */
  readonly scopes?: readonly string[]
}

/** For who runs the installation, who asks nobody. @returns the id and the whole key; the key cannot be had again */
export async function createApiKey(pool: pg.Pool, request: ApiKeyRequest): Promise<{ id: string; key: string }> {
  const { id, key, secretHash } = makeApiKey()
  await pool.query(
    'INSERT INTO api_keys (id, organization_id, name, secret_hash, expires_at, scopes) VALUES ($1, $2, $3, $4, $5, $6)',
    [id, request.organizationId, request.name, secretHash, request.expiresAt ?? null, request.scopes ?? null],
  )
  return { id, key }
}

export interface StoredApiKey {
  readonly organizationId: string
  readonly secretHash: Buffer
  /** Of the secret that this one followed; null once only one is good. */
  readonly formerSecretHash: Buffer | null
  /** Permissions; null: all of the organization. */
  readonly scopes: string[] | null
  readonly expiresAt: Date | null
  /** Canonical prefixes; none: anywhere. */
  readonly allowedFrom: string[]
  /** It may be used from where it is used. */
  readonly admitted: boolean
  /** Its last use is not noted, or long ago. */
  readonly stale: boolean
}

/**
 * @param address where the call comes from; null when that is not known, which only a key for anywhere may be used from
 * @returns the key unless it is unknown, revoked or expired
 */
export async function findApiKey(pool: pg.Pool, id: string, address: string | null): Promise<StoredApiKey | null> {
  const { rows } = await pool.query<StoredApiKey>({
    name: 'find_api_key',
    text: `SELECT organization_id AS "organizationId", secret_hash AS "secretHash",
       CASE WHEN former_secret_until > now() THEN former_secret_hash END AS "formerSecretHash", scopes,
       expires_at AS "expiresAt", allowed_from AS "allowedFrom",
       cardinality(allowed_from) = 0 OR coalesce($2::inet <<= ANY (allowed_from::inet[]), false) AS admitted,
       last_used_at IS NULL OR last_used_at < now() - interval '1 minute' OR last_used_address IS DISTINCT FROM $2::inet AS stale
     FROM api_key_by_id($1) WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
    values: [id, address],
  })
  return rows[0] ?? null
}

/** Who knows the key was here; called after the secret was proven. */
export async function noteApiKeyUse(
  pool: pg.Pool,
  organizationId: string,
  { id, address }: { id: string; address: string | null },
): Promise<void> {
  await tenant(pool, organizationId).query(
    `UPDATE api_keys SET last_used_at = now(), last_used_address = $3::inet WHERE organization_id = $1 AND id = $2
       AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute' OR last_used_address IS DISTINCT FROM $3::inet)`,
    [organizationId, id, address],
  )
}
