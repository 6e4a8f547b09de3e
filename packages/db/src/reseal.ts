/**
 * Seals secrets anew that are sealed to another key than the present one: in batches, each its own transaction, so that a run
 * that was stopped is gone on with by the next one. Needs a key ring that opens the old ones.
 */
import type { Pool } from 'pg'
import { appendAudits } from './audit.ts'
import { systemAuthor } from './author.ts'
import type { KeyRing } from './key-ring.ts'
import type { SecretSealer } from './seal.ts'
import { inTransaction } from './transaction.ts'

export interface Reseal {
  readonly ring: KeyRing
  readonly seal: SecretSealer
  /** Of the key that `seal` seals to. */
  readonly keyId: string
  /** Secrets in one transaction. */
  readonly batch?: number
  readonly onProgress?: (soFar: ResealResult) => void
}

export interface ResealResult {
  readonly resealed: number
  /** Sealed to a key that is not in the ring, or damaged: they stay as they are. */
  readonly unreadable: number
}

/** Rows that hold a secret, as statements. */
export interface SealedRows {
  /** Of an audit entry. */
  readonly action: string
  /** What is counted there. */
  readonly counted: string
  /** $1 the id after which they come, $2 the present key, which they are not sealed to, $3 how many at most. @returns {@link SealedRow}s by id */
  readonly read: string
  /** $1 the present key, and columns of $2 ids, $3 what they must hold still, $4 what they hold then. @returns "organizationId" of each */
  readonly write: string
}

interface SealedRow {
  readonly id: string
  readonly organizationId: string
  /** The device or endpoint that the secret is of. */
  readonly ownerId: string
  readonly sealed: Buffer
  readonly sealingKeyId: string
}

const sealedCredentials: SealedRows = {
  action: 'credentials.resealed',
  counted: 'credentials',
  read: `SELECT id, organization_id AS "organizationId", device_id AS "ownerId", sealed_secret AS sealed, sealing_key_id AS "sealingKeyId"
    FROM credentials WHERE id > $1 AND sealed_secret IS NOT NULL AND sealing_key_id <> $2 ORDER BY id LIMIT $3`,
  write: `UPDATE credentials c SET sealed_secret = v.sealed, sealing_key_id = $1
    FROM unnest($2::text[], $3::bytea[], $4::bytea[]) AS v(id, former, sealed)
    WHERE c.id = v.id AND c.sealed_secret = v.former RETURNING c.organization_id AS "organizationId"`,
}

/** Of devices. Needs the role `culvert_resealer`. */
export function resealSecrets(pool: Pool, reseal: Reseal): Promise<ResealResult> {
  return resealRows(pool, sealedCredentials, reseal)
}

export async function resealRows(pool: Pool, rows: SealedRows, reseal: Reseal): Promise<ResealResult> {
  let total: ResealResult = { resealed: 0, unreadable: 0 }
  for (let after: string | null = ''; after !== null;) {
    const done = await resealBatch(pool, rows, reseal, after)
    total = { resealed: total.resealed + done.resealed, unreadable: total.unreadable + done.unreadable }
    reseal.onProgress?.(total)
    after = done.last
  }
  return total
}

async function resealBatch(
  pool: Pool,
  sealedRows: SealedRows,
  { ring, seal, keyId, batch = 500 }: Reseal,
  after: string,
): Promise<ResealResult & { last: string | null }> {
  const { rows } = await pool.query<SealedRow>(sealedRows.read, [after, keyId, batch])
  const fresh: FreshRow[] = []
  for (const row of rows) {
    const binding = { organizationId: row.organizationId, deviceId: row.ownerId, credentialId: row.id }
    const secret = ring.open(row.sealed, binding, row.sealingKeyId)
    if (secret === null) continue
    try {
      fresh.push({ row, sealed: await seal(secret, binding) })
    } finally {
      secret.fill(0)
    }
  }
  const resealed = await write(pool, sealedRows, keyId, fresh)
  const last = rows.length < batch ? null : (rows.at(-1)?.id ?? null)
  return { resealed, unreadable: rows.length - fresh.length, last }
}

interface FreshRow {
  readonly row: SealedRow
  readonly sealed: Uint8Array
}

/** Rows that changed meanwhile are left to the next run. */
async function write(pool: Pool, sealedRows: SealedRows, keyId: string, fresh: readonly FreshRow[]): Promise<number> {
  if (fresh.length === 0) return 0
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ organizationId: string }>(sealedRows.write, [
      keyId,
      fresh.map(({ row }) => row.id),
      fresh.map(({ row }) => row.sealed),
      fresh.map(({ sealed }) => Buffer.from(sealed)),
    ])
    const counts = new Map<string, number>()
    for (const { organizationId } of rows) counts.set(organizationId, (counts.get(organizationId) ?? 0) + 1)
    // In order, as the heads of their chains are locked one after the other.
    const entries = [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([organizationId, count]) => ({
        organizationId,
        by: systemAuthor('resealer'),
        action: sealedRows.action,
        targetType: 'organization',
        targetId: organizationId,
        after: { [sealedRows.counted]: count, sealingKeyId: keyId },
      }))
    await appendAudits(tx, entries)
    return rows.length
  })
}
