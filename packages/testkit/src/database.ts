/** A database of its own for each test file: a copy of the migrated template, made in a fraction of a second. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'

const TEMPLATE = 'template_app'
const TEMPLATE_IN_USE = '55006'

/**
 * Creates a database with the current schema and no rows.
 * @param serverUrl the superuser's URL of the server, `inject('databaseUrl')`
 * @param name letters, digits and underscores; a random one when left out
 * @returns the URL of the new database, as superuser; it goes with the throw-away server
 */
export async function createDatabase(serverUrl: string, name?: string): Promise<string> {
  const database = name ?? `test_${randomBytes(6).toString('hex')}`
  if (!/^\w{1,63}$/.test(database)) throw new Error(`${database} cannot name a database`)
  const admin = new pg.Client({ connectionString: serverUrl })
  await admin.connect()
  try {
    await copyTemplate(admin, database)
  } finally {
    await admin.end()
  }
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}

/** PostgreSQL refuses to copy while another copy or a closing connection still uses the template: then it is asked again. */
async function copyTemplate(admin: pg.Client, database: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await admin.query(`CREATE DATABASE ${admin.escapeIdentifier(database)} TEMPLATE ${TEMPLATE}`)
      return
    } catch (error) {
      if (attempt === 100 || (error as { code?: string }).code !== TEMPLATE_IN_USE) throw error
      await admin.query('SELECT pg_sleep(0.05)')
    }
  }
}
