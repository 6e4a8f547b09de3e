/**
 * The audit log: who did what to which thing, written in the transaction that did it. When that transaction commits, the
 * database gives the entry its place in the hash chain of the organization (migration `audit_log`), under a lock that is the
 * last one taken: entries may be appended at any point of a transaction, in any order with events.
 */
import { InvariantError } from '@culvert/bytes'
import type { Author } from './author.ts'
import { canonicalJson } from './canonical-json.ts'
import { newId } from './ids.ts'
import type { SqlRunner } from './notify.ts'

/** Fields of a thing as the API shows them. Never a secret. */
export type AuditFields = Readonly<Record<string, unknown>>

export interface NewAuditEntry {
  readonly organizationId: string
  readonly by: Author
  /** Dotted, such as `device.updated`. */
  readonly action: string
  /** Such as `device`. */
  readonly targetType: string
  readonly targetId: string
  /** What the write changed, as it was; left out for what is new. */
  readonly before?: AuditFields | undefined
  /** The same fields as they are now; left out for what is gone. */
  readonly after?: AuditFields | undefined
}

/** Octets of `before` and of `after`; of more, only the names of the fields are kept. */
const maxFieldsBytes = 16_384
/** Names under which only a secret could stand: nothing is written with one. */
const secretName = /^(sealed_?)?(secrets?|psk|passwords?|passphrase|private_?key|token|secret_?hash|authorization)$/i

/** @throws when a field has the name of a secret: a mistake of the caller, and nothing is written */
export async function appendAudit(tx: SqlRunner, entry: NewAuditEntry): Promise<void> {
  await appendAudits(tx, [entry])
}

/** Many at once, in one statement. */
export async function appendAudits(tx: SqlRunner, entries: readonly NewAuditEntry[]): Promise<void> {
  if (entries.length === 0) return
  await tx.query(
    `INSERT INTO audit_log (id, organization_id, actor_kind, actor_id, action, target_type, target_id, entry)
     SELECT id, organization_id, actor_kind, actor_id, action, target_type, target_id, entry
     FROM json_to_recordset($1) AS v(id text, organization_id text, actor_kind text, actor_id text, action text,
       target_type text, target_id text, entry text)`,
    [JSON.stringify(entries.map(auditRow))],
  )
}

export interface Denial {
  readonly organizationId: string
  readonly by: Author
  readonly targetType: string
  readonly targetId: string
  /** Which rule refused it, such as the permission that is missing. */
  readonly rule: string
}

/** What somebody known was not allowed to do. Called in a transaction of its own, as the refused call changes nothing. */
export async function appendDenial(tx: SqlRunner, { rule, ...denial }: Denial): Promise<void> {
  await appendAudit(tx, { ...denial, action: 'access.denied', after: { rule } })
}

function auditRow(entry: NewAuditEntry): Readonly<Record<string, unknown>> {
  const { organizationId, by, action, targetType, targetId, before, after } = entry
  const id = newId('aud')
  return {
    id,
    organization_id: organizationId,
    actor_kind: by.kind,
    actor_id: by.id,
    action,
    target_type: targetType,
    target_id: targetId,
    entry: canonicalJson({
      id,
      organizationId,
      actor: { kind: by.kind, id: by.id, requestId: by.requestId, address: by.address },
      action,
      target: { type: targetType, id: targetId },
      before: before && bounded(before),
      after: after && bounded(after),
    }),
  }
}

function bounded(fields: AuditFields): AuditFields {
  refuseSecrets(fields)
  const size = Buffer.byteLength(JSON.stringify(fields))
  return size <= maxFieldsBytes ? fields : { omitted: Object.keys(fields).slice(0, 100) }
}

function refuseSecrets(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    if (secretName.test(name)) throw new InvariantError(`an audit entry would hold a secret: ${name}`)
    refuseSecrets(member)
  }
}

/** @returns those fields of both that differ, for `before` and `after` of an entry */
export function changedFields(
  before: object,
  after: object,
  names: readonly string[],
): { before: AuditFields; after: AuditFields } {
  const valueOf = (row: object, name: string): unknown => (row as AuditFields)[name] ?? null
  const changed = names.filter((name) => canonicalJson(valueOf(before, name)) !== canonicalJson(valueOf(after, name)))
  const pick = (row: object): AuditFields => Object.fromEntries(changed.map((name) => [name, valueOf(row, name)]))
  return { before: pick(before), after: pick(after) }
}
