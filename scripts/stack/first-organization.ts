/**
 * What a fresh installation needs before its API is of use: the key pair that device secrets are sealed with, an organization
 * and an API key of it. All of it is made once and kept in `.data/`, in files only this account can read.
 */
import {
  createApiKey,
  ensureOrganization,
  generateSealingKeyPair,
  openPool,
  parseApiKey,
  type Pool,
  verifyApiKey,
} from '@culvert/db'
import fs from 'node:fs'
import { type Folders, readIfThere, writeSecret } from './folders.ts'

const ORGANIZATION = { name: 'First organization', slug: 'first' }

/** @returns the public sealing key, base64url; the private one is in `folders.sealingPrivateKey` */
export async function ensureSealingKey(folders: Folders): Promise<string> {
  const known = readIfThere(folders.sealingPublicKey)
  if (known && fs.existsSync(folders.sealingPrivateKey)) return known
  const pair = await generateSealingKeyPair()
  writeSecret(folders.sealingPrivateKey, pair.privateKey)
  writeSecret(folders.sealingPublicKey, pair.publicKey)
  return pair.publicKey
}

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
