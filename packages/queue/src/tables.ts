/**
 * The tables of the queues on PostgreSQL, in a schema of their own.
 *
 * Whoever owns the database makes them: the role of the queues uses them, and makes nothing but a sequence for each queue. Where each
 * process has a login of its own, none of them is the owner, so that somebody has to call {@link makeQueueTables} before.
 */
import * as bullmq from 'bullmq'
import pg from 'pg'

const INSUFFICIENT_PRIVILEGE = '42501'
const CONNECT_TIMEOUT_MS = 2_000

/** How a connection begins that works with these tables. */
export const asQueueRole = '-c search_path=bullmq -c role=culvert_queue'

/**
 * Makes them, or brings them up to date, as the user of the URL; looks only, where nothing is to be done.
 *
 * @throws with code 42501 when something is to be done and that user does not own the database
 */
export async function makeQueueTables(databaseUrl: string): Promise<void> {
  const isDone = await connected({ connectionString: databaseUrl, options: asQueueRole }, areUpToDate).catch(
    (error: unknown) => {
      if (isForbidden(error)) return false
      throw error
    },
  )
  if (!isDone) await connected({ connectionString: databaseUrl }, make)
}

/** @param client one that began {@link asQueueRole} */
export async function areUpToDate(client: pg.Client | pg.Pool): Promise<boolean> {
  try {
    return (await bullmq.assertSchemaCompatibility(client as never)) >= bullmq.LATEST_SCHEMA_VERSION
  } catch (error) {
    if (error instanceof bullmq.SchemaMigrationRequiredError || isForbidden(error)) return false
    throw error
  }
}

async function make(client: pg.Client): Promise<void> {
  await bullmq.runMigrations(client as never)
  await client.query(`GRANT USAGE, CREATE ON SCHEMA bullmq TO culvert_queue;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bullmq TO culvert_queue;
    GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA bullmq TO culvert_queue;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA bullmq TO culvert_queue`)
}

async function connected<T>(settings: pg.ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...settings, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  client.on('error', () => undefined) // what breaks between two calls is told by the next one
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end()
  }
}

function isForbidden(error: unknown): boolean {
  return (error as { code?: string }).code === INSUFFICIENT_PRIVILEGE
}
