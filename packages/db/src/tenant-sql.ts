/** What statements of one organization run on: the door itself, or a transaction behind it. */
import type { QueryConfig, QueryResult, QueryResultRow } from 'pg'

export interface TenantSql {
  query<R extends QueryResultRow = QueryResultRow>(
    statement: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<R>>
}
