/** A change of a thing: told as an event and kept in the audit log, both under one name, in the transaction that made it. */
import { appendAudit, type NewAuditEntry } from './audit.ts'
import type { SqlRunner } from './notify.ts'
import { appendEvent, type NewEvent } from './outbox.ts'

export type NotedChange = NewEvent & Pick<NewAuditEntry, 'by' | 'targetType' | 'before' | 'after'>

export async function noteChange(
  tx: SqlRunner,
  { by, targetType, before, after, ...event }: NotedChange,
): Promise<void> {
  await appendEvent(tx, event)
  const { organizationId, type, resourceId } = event
  await appendAudit(tx, { organizationId, by, action: type, targetType, targetId: resourceId, before, after })
}
