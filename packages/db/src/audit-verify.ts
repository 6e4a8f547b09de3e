/**
 * Recomputes the hash chain of an organization from its first entry to its last, without the functions of the database that
 * made it. Finds entries that were changed, removed (also the newest ones), reordered or put in between. Who can write the
 * whole database can write another whole chain: keep the heads that this tells somewhere else and compare them later.
 */
import { createHash } from 'node:crypto'
import type { Pool } from 'pg'
import { canonicalJson } from './canonical-json.ts'

export interface ChainHead {
  readonly sequence: number
  /** SHA-256, hexadecimal. */
  readonly hash: string
}

export type ChainFault = 'changed' | 'missing' | 'unchained' | 'broken' | 'truncated' | 'rewritten'

export interface ChainReport {
  readonly organizationId: string
  readonly entries: number
  /** Where the chain ends, as far as it holds. */
  readonly head: ChainHead
  /** The first fault, null when all holds. */
  readonly fault: { readonly kind: ChainFault; readonly sequence: number; readonly detail: string } | null
}

interface EntryRow {
  id: string
  organizationId: string
  sequence: string | null
  at: Date | null
  actorKind: string
  actorId: string
  action: string
  targetType: string
  targetId: string
  entry: string
  previousHash: Buffer | null
  hash: Buffer | null
}

const batch = 1_000
const columns = `id, organization_id AS "organizationId", sequence, at, actor_kind AS "actorKind", actor_id AS "actorId", action,
  target_type AS "targetType", target_id AS "targetId", entry, previous_hash AS "previousHash", hash`
const beginning: ChainHead = { sequence: 0, hash: '00'.repeat(32) }

/** @returns the organizations that have entries or ever had */
export async function auditedOrganizations(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT organization_id AS id FROM audit_heads UNION SELECT organization_id FROM audit_log ORDER BY id`,
  )
  return rows.map(({ id }) => id)
}

/** @param known a head told earlier: the chain must still go through it */
export async function verifyAuditChain(pool: Pool, organizationId: string, known?: ChainHead): Promise<ChainReport> {
  // Entries of writers that go on meanwhile are left for the next time.
  const { rows: heads } = await pool.query<{ sequence: string; hash: Buffer }>(
    'SELECT sequence, hash FROM audit_heads WHERE organization_id = $1',
    [organizationId],
  )
  const end = heads[0] ? { sequence: Number(heads[0].sequence), hash: heads[0].hash.toString('hex') } : beginning
  let head = beginning
  const report = (kind?: ChainFault, detail = ''): ChainReport => ({
    organizationId,
    entries: head.sequence,
    head,
    fault: kind === undefined ? null : { kind, sequence: head.sequence + 1, detail },
  })
  while (head.sequence < end.sequence) {
    const rows = await readEntries(pool, organizationId, head.sequence, end.sequence)
    if (rows.length === 0) return report('missing', 'no entry is there up to the head of the chain')
    for (const row of rows) {
      const fault = faultOf(row, head)
      if (fault) return report(...fault)
      head = { sequence: Number(row.sequence), hash: row.hash?.toString('hex') ?? '' }
      if (known?.sequence === head.sequence && known.hash !== head.hash)
        return report('rewritten', 'an entry has another hash than it had')
    }
  }
  if (head.hash !== end.hash) return report('broken', 'the head of the chain has another hash than the last entry')
  if (known !== undefined && known.sequence > head.sequence) return report('truncated', 'there were more entries')
  return (await hasStray(pool, organizationId)) ? report('unchained', 'an entry stands outside of the chain') : report()
}

async function readEntries(pool: Pool, organizationId: string, after: number, last: number): Promise<EntryRow[]> {
  const { rows } = await pool.query<EntryRow>(
    `SELECT ${columns} FROM audit_log WHERE organization_id = $1 AND sequence > $2 AND sequence <= $3
     ORDER BY sequence LIMIT ${batch}`,
    [organizationId, after, last],
  )
  return rows
}

/** Committed entries without a place, or beyond a head that has not moved: no writer leaves such. */
async function hasStray(pool: Pool, organizationId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT 1 FROM audit_log l WHERE l.organization_id = $1 AND (l.sequence IS NULL OR l.sequence >
       coalesce((SELECT h.sequence FROM audit_heads h WHERE h.organization_id = $1), 0)) LIMIT 1`,
    [organizationId],
  )
  return rowCount !== 0
}

function faultOf(row: EntryRow, before: ChainHead): [ChainFault, string] | null {
  if (Number(row.sequence) !== before.sequence + 1) return ['missing', 'the entry with this number is not there']
  if (row.previousHash?.toString('hex') !== before.hash)
    return ['broken', 'it follows another entry than the one before']
  const hash = createHash('sha256').update(hashedText(row, before)).digest('hex')
  if (row.hash?.toString('hex') !== hash) return ['changed', 'its content does not have its hash']
  return columnsAgree(row) ? null : ['changed', 'its columns say something else than its content']
}

function hashedText(row: EntryRow, before: ChainHead): string {
  const at = JSON.stringify(row.at?.toISOString())
  return `{"at":${at},"entry":${row.entry},"previous":"${before.hash}","sequence":${row.sequence}}`
}

function columnsAgree(row: EntryRow): boolean {
  const said = JSON.parse(row.entry) as Readonly<Record<string, unknown>>
  const { id, organizationId, actor, action, target } = said
  const { kind, id: actorId } = actor as { kind: unknown; id: unknown }
  const expected = {
    id: row.id,
    organizationId: row.organizationId,
    actor: { kind: row.actorKind, id: row.actorId },
    action: row.action,
    target: { type: row.targetType, id: row.targetId },
  }
  return canonicalJson({ id, organizationId, actor: { kind, id: actorId }, action, target }) === canonicalJson(expected)
}
