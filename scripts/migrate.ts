/**
 * `npm run migrate`: brings the schema, roles and privileges of DATABASE_URL up to date, and without REDIS_URL the tables of the job
 * queues, as a user that owns the database.
 */
import { migrate } from '@culvert/db'
import { makeQueueTables } from '@culvert/queue'

const url = process.env['DATABASE_URL']
if (!url) {
  process.stderr.write('DATABASE_URL is not set.\n')
  process.exit(1)
}
try {
  const applied = await migrate(url)
  if (!process.env['REDIS_URL']) await makeQueueTables(url)
  for (const name of applied) process.stdout.write(`applied ${name}\n`)
  process.stdout.write('The database is up to date.\n')
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exit(1)
}
