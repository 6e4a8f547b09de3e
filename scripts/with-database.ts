/** The database of `DATABASE_URL`, for a command of the operator. */
import { openPool, type Pool } from '@culvert/db'

/** @param command its name, as PostgreSQL shows it. @throws when the setting is missing */
export async function withDatabase(command: string, work: (pool: Pool) => Promise<void>): Promise<void> {
  const url = process.env['DATABASE_URL']
  if (!url) throw new Error('DATABASE_URL is not set.')
  const pool = openPool(url, { max: 1, applicationName: `culvert-${command}` })
  try {
    await work(pool)
  } finally {
    await pool.end()
  }
}
