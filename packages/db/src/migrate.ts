/**
 * Applies prisma/migrations as `prisma migrate deploy` does (same table, same advisory lock, same checksums), without
 * Prisma's command line, so that any process can do it at start; then roles, privileges and policies (`access/`). A login that
 * may not change the schema finds out that there is nothing to do.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { forgetAccess, planAccess, protect } from './access/protect.ts'

const folder = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url))
const prismaLock = 72_707_369

/**
 * @returns the names of the migrations applied now
 * @throws when a migration failed earlier or was changed after it was applied
 */
export async function migrate(url: string): Promise<string[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'culvert-migrate',
    connectionTimeoutMillis: 5_000,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    if (await isUpToDate(client)) return []
    await client.query('SELECT pg_advisory_lock($1)', [prismaLock])
    await client.query(`CREATE TABLE IF NOT EXISTS _prisma_migrations (
      id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
      migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
      started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`)
    const applied = await applyMissing(client)
    const plan = await planAccess(client)
    if (!plan.isDone) await protect(client, plan)
    return applied
  } finally {
    await client.end()
  }
}

/** Without a lock or a change. */
async function isUpToDate(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>(
    `SELECT to_regclass('public._prisma_migrations') IS NOT NULL AND to_regclass('public._culvert_access') IS NOT NULL AS known`,
  )
  return rows[0]?.known === true && (await missing(client)).length === 0 && (await planAccess(client)).isDone
}

async function applyMissing(client: pg.Client): Promise<string[]> {
  const migrations = await missing(client)
  // Functions of a migration are everybody's until they are protected.
  if (migrations.length > 0) await forgetAccess(client)
  for (const { name, checksum, sql } of migrations) await apply(client, name, checksum, sql)
  return migrations.map(({ name }) => name)
}

interface Migration {
  readonly name: string
  readonly checksum: string
  readonly sql: string
}

/** @throws when one failed earlier or is not what was applied */
async function missing(client: pg.Client): Promise<Migration[]> {
  const { rows } = await client.query<{ migration_name: string; checksum: string; finished_at: Date | null }>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  )
  const known = new Map(rows.map((row) => [row.migration_name, row]))
  const found: Migration[] = []
  for (const name of await migrationNames()) {
    const sql = await readFile(`${folder}/${name}/migration.sql`, 'utf8')
    const checksum = createHash('sha256').update(sql).digest('hex')
    const row = known.get(name)
    if (row && !row.finished_at)
      throw new Error(`migration ${name} failed earlier: repair it, then prisma migrate resolve`)
    if (row && row.checksum !== checksum) throw new Error(`migration ${name} was changed after it was applied`)
    if (!row) found.push({ name, checksum, sql })
  }
  return found
}

async function migrationNames(): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
}

/** One simple query: the server runs the whole script as one transaction. */
async function apply(client: pg.Client, name: string, checksum: string, sql: string): Promise<void> {
  const id = randomUUID()
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ])
  try {
    await client.query(sql)
  } catch (error) {
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, String(error)])
    throw new Error(`migration ${name} failed: ${String(error)}`, { cause: error })
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id])
}
