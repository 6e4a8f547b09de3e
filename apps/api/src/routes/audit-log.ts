/** /v1/audit-log: who did what, and what was not allowed. */
import { AuditQuery, type AuditEntry } from '@culvert/contracts'
import { listAudit, type AuditRecord } from '@culvert/db'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { readPage, writePage } from '../paging.ts'
import { json, problems } from '../responses.ts'

export function auditLogRoutes(api: Api, { pool }: ApiContext): void {
  api.get(
    '/audit-log',
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'listAuditEntries',
        summary: 'Read the audit log, newest first',
        description:
          'Every change of configuration and every denial, with who asked for it. Entries are chained: each has the hash of the one before.',
        tags: ['audit log'],
        querystring: AuditQuery,
        response: { 200: json(Type.Ref('AuditEntryPage'), 'A page of entries.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { actorId, targetId, action, from, before } = query
      const list = ['audit-log', organizationId, actorId, targetId, action, from, before]
      const time = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text))
      const filter = { actorId, targetId, action, from: time(from), before: time(before) }
      return writePage(await listAudit(pool, organizationId, filter, readPage(query, list)), list, auditEntryView)
    },
  )
}

type Said = Pick<AuditEntry, 'actor' | 'action' | 'target'> & Partial<Pick<AuditEntry, 'before' | 'after'>>

function auditEntryView({ id, sequence, at, entry, previousHash, hash }: AuditRecord): AuditEntry {
  const { actor, action, target, before = null, after = null } = JSON.parse(entry) as Said
  return {
    id,
    sequence,
    at: at.toISOString(),
    actor,
    action,
    target,
    before,
    after,
    previousHash: previousHash.toString('hex'),
    hash: hash.toString('hex'),
  }
}
