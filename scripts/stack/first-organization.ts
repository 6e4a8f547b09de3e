/**
 * What a fresh installation needs before its API is of use: an organization and an API key of it, made once, and a key for who runs
 * the installation, which shows its nodes; both are kept in `.data/`, each in a file only this account can read.
 */
import {
  createApiKey,
  ensureOrganization,
  openPool,
  parseApiKey,
  type ApiKeyRequest,
  type Pool,
  verifyApiKey,
} from '@culvert/db'
import { type Folders, readIfThere, writeSecret } from './folders.ts'

const ORGANIZATION = { name: 'First organization', slug: 'first' }

/** @returns an API key of the first organization that this database knows: the kept one, or a new one. */
export async function ensureFirstKeys(folders: Folders, databaseUrl: string): Promise<string> {
  const pool = openPool(databaseUrl, { max: 1, applicationName: 'culvert-start' })
  try {
    const { id: organizationId } = await ensureOrganization(pool, ORGANIZATION)
    const operator = {
      organizationId,
      name: 'npm start: operator',
      scopes: ['installation:read', 'installation:write'],
    }
    await ensureKey(pool, folders.operatorKey, operator)
    return await ensureKey(pool, folders.firstKey, { organizationId, name: 'npm start' })
  } finally {
    await pool.end()
  }
}

async function ensureKey(pool: Pool, file: string, request: ApiKeyRequest): Promise<string> {
  const kept = readIfThere(file)
  if (kept && (await isKnown(pool, kept))) return kept
  const { key } = await createApiKey(pool, request)
  writeSecret(file, key)
  return key
}

async function isKnown(pool: Pool, key: string): Promise<boolean> {
  const parsed = parseApiKey(key)
  if (!parsed) return false
  const { rows } = await pool.query<{ secret_hash: Uint8Array; revoked_at: Date | null }>(
    'SELECT secret_hash, revoked_at FROM api_keys WHERE id = $1',
    [parsed.id],
  )
  const row = rows[0]
  return row !== undefined && row.revoked_at === null && verifyApiKey(parsed, row.secret_hash)
}
