/**
 * Seals secrets anew that are sealed to another key than the present one: in batches, each its own transaction, so that a run
 * that was stopped is gone on with by the next one. Needs the role `culvert_resealer` and a key ring that opens the old ones.
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

interface SealedRow {
  readonly id: string
  readonly organizationId: string
  readonly deviceId: string
  readonly sealedSecret: Buffer
  readonly sealingKeyId: string
}

export async function resealSecrets(pool: Pool, reseal: Reseal): Promise<ResealResult> {
  let total: ResealResult = { resealed: 0, unreadable: 0 }
  for (let after: string | null = ''; after !== null;) {
    const done = await resealBatch(pool, reseal, after)
    total = { resealed: total.resealed + done.resealed, unreadable: total.unreadable + done.unreadable }
    reseal.onProgress?.(total)
    after = done.last
  }
  return total
}

async function resealBatch(
  pool: Pool,
  { ring, seal, keyId, batch = 500 }: Reseal,
  after: string,
): Promise<ResealResult & { last: string | null }> {
  const { rows } = await pool.query<SealedRow>(
    `SELECT id, organization_id AS "organizationId", device_id AS "deviceId", sealed_secret AS "sealedSecret",
       sealing_key_id AS "sealingKeyId"
     FROM credentials WHERE id > $1 AND sealed_secret IS NOT NULL AND sealing_key_id <> $2 ORDER BY id LIMIT $3`,
    [after, keyId, batch],
  )
  const fresh: { row: SealedRow; sealed: Uint8Array }[] = []
  for (const row of rows) {
    const binding = { organizationId: row.organizationId, deviceId: row.deviceId, credentialId: row.id }
    const secret = ring.open(row.sealedSecret, binding, row.sealingKeyId)
    if (secret === null) continue
    try {
      fresh.push({ row, sealed: await seal(secret, binding) })
    } finally {
      secret.fill(0)
    }
  }
  const resealed = await write(pool, keyId, fresh)
  const last = rows.length < batch ? null : (rows.at(-1)?.id ?? null)
  return { resealed, unreadable: rows.length - fresh.length, last }
}

/** Rows that changed meanwhile are left to the next run. */
async function write(
  pool: Pool,
  keyId: string,
  fresh: readonly { row: SealedRow; sealed: Uint8Array }[],
): Promise<number> {
  if (fresh.length === 0) return 0
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ organizationId: string }>(
      `UPDATE credentials c SET sealed_secret = v.sealed, sealing_key_id = $1
       FROM unnest($2::text[], $3::bytea[], $4::bytea[]) AS v(id, former, sealed)
       WHERE c.id = v.id AND c.sealed_secret = v.former RETURNING c.organization_id AS "organizationId"`,
      [
        keyId,
        fresh.map(({ row }) => row.id),
        fresh.map(({ row }) => row.sealedSecret),
        fresh.map(({ sealed }) => Buffer.from(sealed)),
      ],
    )
    const counts = new Map<string, number>()
    for (const { organizationId } of rows) counts.set(organizationId, (counts.get(organizationId) ?? 0) + 1)
    // In order, as the heads of their chains are locked one after the other.
    const entries = [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([organizationId, credentials]) => ({
        organizationId,
        by: systemAuthor('resealer'),
        action: 'credentials.resealed',
        targetType: 'organization',
        targetId: organizationId,
        after: { credentials, sealingKeyId: keyId },
      }))
    await appendAudits(tx, entries)
    return rows.length
  })
}
