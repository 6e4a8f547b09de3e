/**
 * The one door to the rows of an organization. Its connections carry `culvert.organization_id`, which row-level security
 * compares; the statements name the organization themselves as well. The setting belongs to the session, so that a
 * connection that serves the same organization again costs nothing more: connections must not be shared by a proxy that
 * mixes sessions. What a request that is repeated or only tried asks of it stands in `request-scope.ts`.
 */
import type { Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg'
import { inRequestScope, requestScope, type RequestScope } from './request-scope.ts'
import type { TenantSql } from './tenant-sql.ts'
import { repeatable } from './transaction.ts'

export interface TenantTransactionOptions {
  /** All is done and checked, then rolled back. */
  readonly validateOnly?: boolean
}

/** For single statements; each may run on another connection. */
export function tenant(pool: Pool, organizationId: string): TenantSql {
  const scope = requestScope()
  if (scope?.kind === 'rehearsed' && scope.rehearsal.isOf(organizationId)) return scope.rehearsal
  return {
    query: <R extends QueryResultRow>(statement: string | QueryConfig, values?: unknown[]) =>
      withConnection(pool, organizationId, (client) => client.query<R>(statement, values)),
  }
}

/**
 * Committed when `work` resolves, rolled back when it rejects; repeated when the database gave it up for another one, so
 * `work` changes nothing but rows. No network I/O other than through `tx` belongs inside it.
 */
export async function inTenantTransaction<T>(
  pool: Pool,
  organizationId: string,
  work: (tx: TenantSql) => Promise<T>,
  { validateOnly = false }: TenantTransactionOptions = {},
): Promise<T> {
  const scope = requestScope()
  if (scope?.kind === 'rehearsed' && scope.rehearsal.isOf(organizationId)) return scope.rehearsal.transaction(work)
  if (scope?.kind === 'kept' && scope.effects.isOf(organizationId) && !validateOnly)
    return keptTransaction(pool, organizationId, work, scope)
  return repeatable(() =>
    withConnection(pool, organizationId, async (client) => {
      await client.query('BEGIN')
      const result = await work(client)
      await client.query(validateOnly ? 'ROLLBACK' : 'COMMIT')
      return result
    }),
  )
}

/** Not done again when it was committed in an earlier course of the same request. */
async function keptTransaction<T>(
  pool: Pool,
  organizationId: string,
  work: (tx: TenantSql) => Promise<T>,
  scope: Extract<RequestScope, { kind: 'kept' }>,
): Promise<T> {
  const { effects, drawing } = scope
  const number = effects.next()
  const before = effects.before(number)
  if (before) return before.result as T
  const result = await repeatable(() =>
    withConnection(pool, organizationId, async (client) => {
      await client.query('BEGIN')
      await effects.hold(client)
      const part = drawing.part(`transaction ${number}`)
      const given = await inRequestScope({ ...scope, drawing: part }, () => work(client))
      await effects.write(client, number, given)
      await client.query('COMMIT')
      return given
    }),
  )
  effects.wasCommitted(result)
  return result
}

/** What each connection carries; none: nothing was said yet. */
const carried = new WeakMap<PoolClient, string>()

/** A connection whose setting or rollback failed is not given back to the pool. */
async function withConnection<T>(
  pool: Pool,
  organizationId: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    if (carried.get(client) !== organizationId) {
      carried.delete(client)
      await client.query(carry, [organizationId])
      carried.set(client, organizationId)
    }
    return await work(client)
  } catch (error) {
    // Outside of a transaction it is a warning of the server and nothing else.
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError
    })
    throw error
  } finally {
    client.release(broken)
  }
}

const carry = `SELECT set_config('culvert.organization_id', $1, false)`
