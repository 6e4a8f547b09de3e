/**
 * One transaction on a pooled connection: committed when `work` resolves, rolled back when it rejects.
 */
import type { Pool, PoolClient } from 'pg'

/** No network I/O other than through `client` belongs inside `work`. A broken connection is not given back to the pool. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError
    })
    throw error
  } finally {
    client.release(broken)
  }
}
