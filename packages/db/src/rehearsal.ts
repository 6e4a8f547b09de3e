/**
 * One request on one connection in one transaction that is never committed: each transaction of the request is a savepoint,
 * so that what follows it reads what it wrote, and nobody else ever does. Notices and events go with the rollback.
 */
import type { Pool, PoolClient, QueryResultRow } from 'pg'
import type { QueryConfig, QueryResult } from 'pg'
import type { TenantSql } from './tenant-sql.ts'

export class Rehearsal implements TenantSql {
  readonly #pool: Pool
  readonly #organizationId: string
  #connection: Promise<PoolClient> | null = null
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(pool: Pool, organizationId: string) {
    this.#pool = pool
    this.#organizationId = organizationId
  }

  /** Another organization's work is not part of it. What comes after the end still is: it is refused, not done for good. */
  isOf(organizationId: string): boolean {
    return organizationId === this.#organizationId
  }

  async query<R extends QueryResultRow>(statement: string | QueryConfig, values?: unknown[]): Promise<QueryResult<R>> {
    this.#stillOpen()
    const client = await this.#open()
    // Closed meanwhile: the connection is another request's, and carries another organization.
    this.#stillOpen()
    return client.query<R>(statement, values)
  }

  /** One after the other: savepoints nest. */
  transaction<T>(work: (tx: TenantSql) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#savepoint(work))
    this.#last = result.catch(() => undefined)
    return result
  }

  async #savepoint<T>(work: (tx: TenantSql) => Promise<T>): Promise<T> {
    await this.query('SAVEPOINT rehearsed')
    try {
      const result = await work(this)
      await this.query('RELEASE SAVEPOINT rehearsed')
      return result
    } catch (error) {
      await this.query('ROLLBACK TO SAVEPOINT rehearsed')
      throw error
    }
  }

  #stillOpen(): void {
    if (this.#closed) throw new Error('the request was only tried, and is over')
  }

  #open(): Promise<PoolClient> {
    this.#connection ??= this.#begin()
    return this.#connection
  }

  /** A transaction's own setting: it ends with it, and what the connection carries for others is as it was. */
  async #begin(): Promise<PoolClient> {
    const client = await this.#pool.connect()
    try {
      await client.query('BEGIN')
      await client.query(`SELECT set_config('culvert.organization_id', $1, true)`, [this.#organizationId])
      return client
    } catch (error) {
      client.release(error as Error)
      throw error
    }
  }

  /** Undoes everything. Call once, whatever came of the request. */
  async close(): Promise<void> {
    this.#closed = true
    const client = await this.#connection?.catch(() => null)
    if (!client) return
    await client.query('ROLLBACK').then(
      () => client.release(),
      (error: Error) => client.release(error),
    )
  }
}
