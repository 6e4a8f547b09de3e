/** Organizations and their API keys, as the launcher and operators make them. */
import type pg from 'pg'
import { makeApiKey } from './api-key.ts'
import { newId } from './ids.ts'

export interface Organization {
  readonly id: string
  readonly name: string
  readonly slug: string
}

/** Makes the organization with this slug unless it is there; its name is not changed. The slug is part of IKE identities. */
export async function ensureOrganization(pool: pg.Pool, wanted: { name: string; slug: string }): Promise<Organization> {
  await pool.query('INSERT INTO organizations (id, name, slug) VALUES ($1, $2, $3) ON CONFLICT (slug) DO NOTHING', [
    newId('org'),
    wanted.name,
    wanted.slug,
  ])
  const { rows } = await pool.query<Organization>('SELECT id, name, slug FROM organizations WHERE slug = $1', [
    wanted.slug,
  ])
  return rows[0] as Organization
}

export interface ApiKeyRequest {
  readonly organizationId: string
  readonly name: string
  readonly expiresAt?: Date
  /** Permissions; all when left out. */
  readonly scopes?: readonly string[]
}

/** @returns the id and the whole key; the key cannot be had again */
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
  /** Permissions; null: all. */
  readonly scopes: string[] | null
  /** Its last use is not noted, or long ago. */
  readonly stale: boolean
}

/** @returns the key unless it is unknown, revoked or expired */
export async function findApiKey(pool: pg.Pool, id: string): Promise<StoredApiKey | null> {
  const { rows } = await pool.query<StoredApiKey>({
    name: 'find_api_key',
    text: `SELECT organization_id AS "organizationId", secret_hash AS "secretHash", scopes,
       last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS stale
     FROM api_keys WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
    values: [id],
  })
  return rows[0] ?? null
}

/** Who knows the key was here; called after the secret was proven. */
export async function noteApiKeyUse(pool: pg.Pool, id: string): Promise<void> {
  await pool.query(
    `UPDATE api_keys SET last_used_at = now() WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
    [id],
  )
}
