/** /v1/usage: what devices, tunnels and the organization used, hour by hour or day by day. */
import { DomainError, UsageExportQuery, UsageQuery, type Usage } from '@culvert/contracts'
import { readUsage, type UsageFilter, type UsagePage, type UsagePosition, type UsageRecord } from '@culvert/db'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Api, ApiContext } from '../context.ts'
import { csvLineOf } from '../csv.ts'
import { readPosition, writePosition } from '../paging.ts'
import { inOneOf, json, problems, text } from '../responses.ts'

const tags = ['usage']
const exportedAtOnce = 1_000
const longestMs = 400 * 86_400_000

export function usageRoutes(api: Api, { pool }: ApiContext): void {
  api.get(
    '/usage',
    {
      config: { permission: 'usage:read' },
      schema: {
        operationId: 'listUsage',
        summary: 'Read what was used',
        description:
          'Rows by device, tunnel or for the organization, each of an hour or a day; hours without use have none. Figures are at most a minute behind the nodes that count, which report every ten seconds; time attached is a quarter of an hour behind while it lasts. What a node could not report in time counts for the hour in which it did.',
        tags,
        querystring: UsageQuery,
        response: { 200: json(Type.Ref('UsagePage'), 'A page of usage.'), ...problems('invalid_cursor') },
      },
    },
    async ({ organizationId, query }) => {
      const { limit = 50, cursor: _, ...asked } = query
      const filter = filterOf(asked)
      const list = ['usage', organizationId, asked]
      const position = readPosition(query, list, 'startsAt')
      const after = position && { subjectId: position.id, from: new Date(Number(position.key)) }
      const { rows, next } = await readUsage(pool, organizationId, filter, { after, limit })
      const begins = next && { key: next.from.getTime(), id: next.subjectId }
      return { data: rows.map(usageView), nextCursor: writePosition(begins, list) }
    },
  )

  api.get(
    '/usage/export',
    {
      config: { permission: 'usage:read' },
      schema: {
        operationId: 'exportUsage',
        summary: 'Usage as NDJSON or CSV',
        description: 'All rows of the list, as a stream in its order.',
        tags,
        querystring: UsageExportQuery,
        response: {
          200: inOneOf(
            'The rows; CSV when asked for.',
            text('', '{"id":"dev_...","bytesIn":81920}\n', 'application/x-ndjson'),
            text('', 'id,bytesIn\ndev_...,81920\n', 'text/csv'),
          ),
          ...problems(),
        },
      },
    },
    async ({ organizationId, query }, reply) => {
      const { format = 'ndjson', ...asked } = query
      const filter = filterOf(asked)
      const isCsv = format === 'csv'
      const lines = async function* (): AsyncGenerator<string> {
        if (isCsv) yield csvLineOf(columns)
        for (let after: UsagePosition | null = null; ;) {
          const page: UsagePage = await readUsage(pool, organizationId, filter, { after, limit: exportedAtOnce })
          if (page.rows.length > 0) yield page.rows.map((row) => lineOf(usageView(row), isCsv)).join('')
          after = page.next
          if (after === null) return
        }
      }
      return reply
        .type(isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
        .header('content-disposition', `attachment; filename="usage.${format}"`)
        .send(Readable.from(lines(), { objectMode: false }))
    },
  )
}

const columns = [
  'id',
  'deviceId',
  'from',
  'bytesIn',
  'bytesOut',
  'packetsIn',
  'packetsOut',
  'attachedSec',
  'tunnelsOpened',
  'connections',
  'denied',
] as const satisfies readonly (keyof Usage)[]

function lineOf(usage: Usage, isCsv: boolean): string {
  return isCsv ? csvLineOf(columns.map((column) => usage[column])) : `${JSON.stringify(usage)}\n`
}

type Asked = Pick<UsageQuery, 'from' | 'before' | 'groupBy' | 'interval' | 'deviceId' | 'tunnelId'>

/** @throws validation_failed for a time that is none, or too long */
function filterOf({ from, before, groupBy = 'device', interval = 'hour', deviceId, tunnelId }: Asked): UsageFilter {
  const end = before === undefined ? new Date() : new Date(before)
  const start = from === undefined ? new Date(end.getTime() - 86_400_000) : new Date(from)
  const lengthMs = end.getTime() - start.getTime()
  if (lengthMs <= 0) throw wrongFrom('must be before `before`')
  if (lengthMs > longestMs) throw wrongFrom('is more than 400 days before `before`')
  return { groupBy, interval, from: start, before: end, deviceId, tunnelId }
}

function wrongFrom(message: string): DomainError {
  return new DomainError('validation_failed', {
    publicDetail: `query /from ${message}.`,
    errors: [{ in: 'query', pointer: '/from', message }],
  })
}

/** A correction that came before what it corrects is no use of its own. */
function usageView({ subjectId, attachedMs, from, ...row }: UsageRecord): Usage {
  return { id: subjectId, ...row, from: from.toISOString(), attachedSec: Math.max(0, Math.round(attachedMs / 1_000)) }
}
