/** `npm run migrate`: brings the schema, roles and privileges of DATABASE_URL up to date, as a user that owns the schema. */
import { migrate } from '@culvert/db'

const url = process.env['DATABASE_URL']
if (!url) {
  process.stderr.write('DATABASE_URL is not set.\n')
  process.exit(1)
}
try {
  const applied = await migrate(url)
  for (const name of applied) process.stdout.write(`applied ${name}\n`)
  process.stdout.write('The database is up to date.\n')
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exit(1)
}
