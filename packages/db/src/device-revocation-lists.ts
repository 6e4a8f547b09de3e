/**
 * Lists of revoked certificates of organizations' authorities: which one is due, and what came of it. What a list names is revoked here
 * for good; a later list that does not name it any more changes nothing.
 */
import type { Pool } from 'pg'
import type { WriteOptions } from './author.ts'
import { foreignBatch, revokeForeignCredentials } from './foreign-credentials.ts'
import type { Touched } from './nodes.ts'
import { inTenantTransaction } from './tenant.ts'
import type { TenantSql } from './tenant-sql.ts'
import { inTransaction } from './transaction.ts'

export interface DueRevocationList {
  /** Of the authority. */
  readonly id: string
  readonly organizationId: string
  /** PEM. */
  readonly certificate: string
  readonly url: string
  /** Of the latest list that was good. */
  readonly knownNumber: string | null
  readonly knownThisUpdate: Date | null
}

export interface RevocationList {
  /** SHA-256 of what is signed in it, hexadecimal. */
  readonly digest: string
  /** Decimal. */
  readonly number: string | null
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  /** Hexadecimal. */
  readonly serials: readonly string[]
}

/** From one look to the next, and after one that gave no list. */
const everyMin = 15
const afterFaultMin = 5
/** Who fetches lists looks for what is due more often than that. */
const overdueSec = 15

const dueColumns = `id, organization_id AS "organizationId", certificate, crl_url AS url, crl_number AS "knownNumber",
  crl_this_update AS "knownThisUpdate"`

/** Nobody else looks at them meanwhile; who dies with them has them looked at again after a while. */
export function claimDueRevocationLists(pool: Pool, limit: number): Promise<DueRevocationList[]> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<DueRevocationList>(
      `UPDATE device_authorities SET crl_looked_at = now(), crl_due_at = now() + ${afterFaultMin} * interval '1 minute' WHERE id IN (
         SELECT id FROM device_authorities WHERE crl_due_at <= now() ORDER BY crl_due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING ${dueColumns}`,
      [limit],
    )
    return rows
  })
}

/** For who fetches none: those that nobody else takes either, and of which `fault` is not told yet. They stay due. */
export async function readOverdueRevocationLists(
  pool: Pool,
  fault: string,
  limit: number,
): Promise<DueRevocationList[]> {
  const { rows } = await pool.query<DueRevocationList>(
    `SELECT ${dueColumns} FROM device_authorities WHERE crl_due_at < now() - ${overdueSec} * interval '1 second'
       AND crl_fault IS DISTINCT FROM $1 ORDER BY crl_due_at LIMIT $2`,
    [fault, limit],
  )
  return rows
}

/**
 * What the latest good list names is revoked all the same: who stored it may have died before it had all of them.
 *
 * @param fault the code of it, nothing that a stranger wrote
 */
export async function faultRevocationList(
  pool: Pool,
  { id, organizationId, url }: DueRevocationList,
  fault: string,
  options: Pick<WriteOptions, 'by'>,
): Promise<void> {
  const { rows } = await inTenantTransaction(pool, organizationId, (tx) =>
    tx.query<{ serials: string[] }>(
      `UPDATE device_authorities SET crl_fault = $4 WHERE organization_id = $1 AND id = $2 AND crl_url = $3
       RETURNING revoked_serials AS serials`,
      [organizationId, id, url, fault],
    ),
  )
  const serials = rows[0]?.serials ?? []
  if (serials.length > 0) await revokeNamed(pool, { organizationId, authorityId: id, serials }, options)
}

/**
 * Revokes what the list names, the first batch in the same transaction. One that is there already rewrites none of its serials: there
 * may be tens of thousands, and every look finds it again until the authority makes another one. A worker that dies before the last one leaves the rest to who
 * looks next, whether there is a list then or not.
 *
 * @returns null when the authority changed meanwhile, or somebody else stored a list: it is looked at again
 */
export async function storeRevocationList(
  pool: Pool,
  due: DueRevocationList,
  list: RevocationList,
  options: Pick<WriteOptions, 'by'>,
): Promise<{ touched: Touched; credentials: number } | null> {
  const { organizationId, id } = due
  const named = { organizationId, authorityId: id, serials: list.serials }
  const first = await inTenantTransaction(pool, organizationId, async (tx: TenantSql) => {
    if (!(await confirmList(tx, due, list)) && !(await replaceList(tx, due, list))) return null
    return revokeForeignCredentials(tx, named, options)
  })
  if (first === null) return null
  const more = first.credentials === foreignBatch ? await revokeNamed(pool, named, options) : 0
  // Every concentrator is told each time, and gateways look for themselves.
  return { touched: first.touched, credentials: first.credentials + more }
}

const fetched = `crl_fetched_at = now(), crl_fault = NULL, crl_due_at = now() + ${everyMin} * interval '1 minute'`

/** @returns false when it is another list than the latest one */
async function confirmList(
  tx: TenantSql,
  { organizationId, id, url }: DueRevocationList,
  { digest }: RevocationList,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE device_authorities SET ${fetched} WHERE organization_id = $1 AND id = $2 AND crl_url = $3 AND crl_digest = $4`,
    [organizationId, id, url, digest],
  )
  return rowCount === 1
}

/** @returns false when the authority changed meanwhile, or has another list than was known */
async function replaceList(
  tx: TenantSql,
  { organizationId, id, url, knownNumber, knownThisUpdate }: DueRevocationList,
  { number, thisUpdate, nextUpdate, digest, serials }: RevocationList,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE device_authorities SET crl_number = $6, crl_this_update = $7, crl_next_update = $8, crl_digest = $9, revoked_serials = $10,
       revoked_count = cardinality($10::text[]), ${fetched}
     WHERE organization_id = $1 AND id = $2 AND crl_url = $3 AND crl_number IS NOT DISTINCT FROM $4
       AND crl_this_update IS NOT DISTINCT FROM $5`,
    [organizationId, id, url, knownNumber, knownThisUpdate, number, thisUpdate, nextUpdate, digest, serials],
  )
  return rowCount === 1
}

/** Batch after batch. @returns how many */
async function revokeNamed(
  pool: Pool,
  named: Parameters<typeof revokeForeignCredentials>[1],
  options: Pick<WriteOptions, 'by'>,
): Promise<number> {
  const { organizationId, authorityId } = named
  for (let all = 0; ;) {
    const { credentials } = await inTenantTransaction(pool, organizationId, async (tx: TenantSql) => {
      await tx.query('SELECT 1 FROM device_authorities WHERE organization_id = $1 AND id = $2 FOR UPDATE', [
        organizationId,
        authorityId,
      ])
      return revokeForeignCredentials(tx, named, options)
    })
    all += credentials
    if (credentials < foreignBatch) return all
  }
}
