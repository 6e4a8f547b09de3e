/**
 * The key pair that device secrets are sealed with, made once and kept in `.data/`, in files only this account can read.
 *
 * Invariant: no new pair is made while the database holds credentials, because none of them could be opened with it.
 */
import { generateSealingKeyPair, openPool } from '@culvert/db'
import fs from 'node:fs'
import path from 'node:path'
import { type Folders, readIfThere, shortPath, writeSecret } from './folders.ts'
import { Problem } from './problem.ts'

export interface SealedData {
  /** DATABASE_URL; null: the embedded server, whose data are in `folders.postgres`. */
  readonly givenUrl: string | null
  readonly holdCredentials: () => Promise<boolean>
}

/**
 * @returns the public sealing key, base64url; the private one is in `folders.sealingPrivateKey`
 * @throws Problem when the key of stored credentials is lost
 */
export async function ensureSealingKey(folders: Folders, data: SealedData): Promise<string> {
  const known = readIfThere(folders.sealingPublicKey)
  if (known && fs.existsSync(folders.sealingPrivateKey)) return known
  if (await data.holdCredentials()) throw lost(folders, data.givenUrl)
  const pair = await generateSealingKeyPair()
  writeSecret(folders.sealingPrivateKey, pair.privateKey)
  writeSecret(folders.sealingPublicKey, pair.publicKey)
  return pair.publicKey
}

/**
 * The pair of the workers, for the keys of webhooks. When it was lost, endpoints that are there get new keys by rotation.
 *
 * @returns the public key, base64url
 */
export async function ensureWebhookKey(folders: Folders): Promise<string> {
  const known = readIfThere(folders.webhookPublicKey)
  if (known && fs.existsSync(folders.webhookPrivateKey)) return known
  const pair = await generateSealingKeyPair()
  writeSecret(folders.webhookPrivateKey, pair.privateKey)
  writeSecret(folders.webhookPublicKey, pair.publicKey)
  return pair.publicKey
}

/** Whether the database holds credentials that devices may still use. */
export async function holdsCredentials(databaseUrl: string): Promise<boolean> {
  const pool = openPool(databaseUrl, { max: 1, applicationName: 'culvert-start' })
  try {
    const { rowCount } = await pool.query(
      `SELECT 1 FROM credentials c JOIN devices d ON d.organization_id = c.organization_id AND d.id = c.device_id
       WHERE c.revoked_at IS NULL AND d.deleted_at IS NULL LIMIT 1`,
    )
    return rowCount !== 0
  } finally {
    await pool.end()
  }
}

function lost(folders: Folders, givenUrl: string | null): Problem {
  const missing = [folders.sealingPrivateKey, folders.sealingPublicKey].filter((file) => !fs.existsSync(file))
  const back = `put ${missing.map((file) => path.basename(file)).join(' and ')} back into ${shortPath(folders.data)}`
  const [where, anew] = givenUrl
    ? [`in the database ${placeOf(givenUrl)} (DATABASE_URL)`, 'name an empty database']
    : [`in ${shortPath(folders.postgres)}`, `remove that folder too (\`rm -r ${shortPath(folders.postgres)}\`)`]
  return new Problem(
    `The data of an earlier run are still ${where}, but the key to its credentials is gone: ${back}, or, to begin anew, ${anew}.`,
  )
}

/** Without user and password. */
function placeOf(databaseUrl: string): string {
  const { host, pathname } = new URL(databaseUrl)
  return `${host}${pathname}`
}
