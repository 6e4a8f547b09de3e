/**
 * One transaction on a pooled connection: committed when `work` resolves, rolled back when it rejects, repeated when the
 * database gave it up in favour of another one.
 */
import type { Pool, PoolClient } from 'pg'

/**
 * No network I/O other than through `client` belongs inside `work`, and it changes nothing but rows, as it may be repeated.
 * A broken connection is not given back to the pool.
 */
export function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return repeatable(() => once(pool, work))
}

async function once<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
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

const attempts = 4
/** PostgreSQL's serialization_failure and deadlock_detected: nothing was done, and another try may go through. */
const givenUp = new Set(['40001', '40P01'])

/** @throws what the last attempt threw */
export async function repeatable<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = attempts - 1; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0 || !givenUp.has(String((error as { code?: unknown } | null)?.code))) throw error
    }
  }
}
