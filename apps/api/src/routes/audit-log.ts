/** /v1/audit-log: who did what, and what was not allowed. */
import { AuditExportQuery, AuditQuery, type AuditEntry } from '@culvert/contracts'
import { listAudit, type AuditFilter, type AuditRecord, type PageStart } from '@culvert/db'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { csvLineOf } from '../csv.ts'
import { readPage, writePage } from '../paging.ts'
import { inOneOf, json, problems, text } from '../responses.ts'

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
      return writePage(
        await listAudit(pool, organizationId, filterOf(query), readPage(query, list)),
        list,
        auditEntryView,
      )
    },
  )

  api.get(
    '/audit-log/export',
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'exportAuditEntries',
        summary: 'The audit log as NDJSON or CSV, newest first',
        description:
          'All entries that the filters choose, as a stream. In CSV, `before` and `after` are JSON, and a cell that a spreadsheet would compute has an apostrophe before it.',
        tags: ['audit log'],
        querystring: AuditExportQuery,
        response: {
          200: inOneOf(
            'The entries; CSV when asked for.',
            text('', '{"id":"aud_...","sequence":7}\n', 'application/x-ndjson'),
            text('', 'id,sequence\naud_...,7\n', 'text/csv'),
          ),
          ...problems(),
        },
      },
    },
    async ({ organizationId, query }, reply) => {
      const { format = 'ndjson' } = query
      const filter = filterOf(query)
      const isCsv = format === 'csv'
      const lines = async function* (): AsyncGenerator<string> {
        if (isCsv) yield csvLineOf(columns)
        for (let after: PageStart | null = null; ;) {
          const page = await listAudit(pool, organizationId, filter, { after, limit: exportedAtOnce })
          if (page.rows.length > 0) yield page.rows.map((row) => lineOf(auditEntryView(row), isCsv)).join('')
          after = page.next
          if (after === null) return
        }
      }
      return reply
        .type(isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
        .header('content-disposition', `attachment; filename="audit-log.${format}"`)
        .send(Readable.from(lines(), { objectMode: false }))
    },
  )
}

const exportedAtOnce = 500
const columns = [
  'sequence',
  'at',
  'actorKind',
  'actorId',
  'address',
  'requestId',
  'action',
  'targetType',
  'targetId',
  'before',
  'after',
  'id',
  'previousHash',
  'hash',
]

function lineOf(entry: AuditEntry, isCsv: boolean): string {
  if (!isCsv) return `${JSON.stringify(entry)}\n`
  const { sequence, at, actor, action, target, before, after, id, previousHash, hash } = entry
  const fields = (value: object | null): string | null => value && JSON.stringify(value)
  return csvLineOf([
    sequence,
    at,
    actor.kind,
    actor.id,
    actor.address,
    actor.requestId,
    action,
    target.type,
    target.id,
    fields(before),
    fields(after),
    id,
    previousHash,
    hash,
  ])
}

interface Asked {
  readonly actorId?: string
  readonly targetId?: string
  readonly action?: string
  readonly from?: string
  readonly before?: string
}

function filterOf({ actorId, targetId, action, from, before }: Asked): AuditFilter {
  const time = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text))
  return { actorId, targetId, action, from: time(from), before: time(before) }
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
