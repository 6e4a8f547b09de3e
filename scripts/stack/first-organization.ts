/**
 * What a fresh installation needs before its API is of use: an organization and an API key of it, made once; the key is kept in
 * `.data/`, in a file only this account can read.
 */
import { createApiKey, ensureOrganization, openPool, parseApiKey, type Pool, verifyApiKey } from '@culvert/db'
import { type Folders, readIfThere, writeSecret } from './folders.ts'

const ORGANIZATION = { name: 'First organization', slug: 'first' }

/** @returns an API key that this database knows: the kept one, or a new one. */
export async function ensureFirstKey(folders: Folders, databaseUrl: string): Promise<string> {
  const pool = openPool(databaseUrl, { max: 1, applicationName: 'culvert-start' })
  try {
    const organization = await ensureOrganization(pool, ORGANIZATION)
    const kept = readIfThere(folders.firstKey)
    if (kept && (await isKnown(pool, kept))) return kept
    const { key } = await createApiKey(pool, { organizationId: organization.id, name: 'npm start' })
    writeSecret(folders.firstKey, key)
    return key
  } finally {
    await pool.end()
  }
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
