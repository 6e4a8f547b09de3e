/**
 * PostgreSQL and the store of jobs: DATABASE_URL or the embedded server; REDIS_URL, or a redis-server that is installed, or
 * PostgreSQL itself.
 */
import { migrate } from '@culvert/db'
import { makeQueueTables } from '@culvert/queue'
import { redisOnPath, type Service, startPostgres, startRedis } from '@culvert/services'
import { once } from 'node:events'
import net from 'node:net'
import pg from 'pg'
import type { Folders } from './folders.ts'
import { Problem } from './problem.ts'
import { progress } from './screen.ts'
import type { LaunchSettings } from './settings.ts'
import type { Teardown } from './teardown.ts'

const CONNECT_TIMEOUT_MS = 5_000
const DATABASE = 'culvert'
const DUPLICATE_DATABASE = '42P04'
const INSUFFICIENT_PRIVILEGE = '42501'

export interface Servers {
  readonly databaseUrl: string
  /** Null: jobs go through PostgreSQL. */
  readonly redisUrl: string | null
}

/** @param onDeath told when an embedded server ends by itself */
export async function startServers(
  settings: LaunchSettings,
  folders: Folders,
  teardown: Teardown,
  onDeath: (name: string, how: string) => void,
): Promise<Servers> {
  const databaseUrl = settings.DATABASE_URL ?? (await embeddedDatabase(folders, teardown, onDeath))
  const applied = await migrateDatabase(databaseUrl)
  progress(`Database schema up to date${applied.length > 0 ? ` (${applied.length} migrations applied)` : ''}`)
  const redisUrl = await jobStore(settings.REDIS_URL, folders, teardown, onDeath)
  if (!redisUrl) await prepareJobTables(databaseUrl)
  return { databaseUrl, redisUrl }
}

async function embeddedDatabase(
  folders: Folders,
  teardown: Teardown,
  onDeath: (name: string, how: string) => void,
): Promise<string> {
  const service = await startPostgres({ dataDir: folders.postgres })
  watch('PostgreSQL', service, teardown, onDeath)
  const url = new URL(service.url)
  progress(`PostgreSQL runs, embedded, on port ${url.port}`)
  const admin = new pg.Client({ connectionString: service.url })
  admin.on('error', () => undefined) // what breaks between two calls is told by the next one
  await admin.connect()
  try {
    await admin.query(`CREATE DATABASE ${DATABASE}`)
  } catch (error) {
    if ((error as { code?: string }).code !== DUPLICATE_DATABASE) throw error
  } finally {
    await admin.end()
  }
  url.pathname = `/${DATABASE}`
  return url.href
}

async function migrateDatabase(databaseUrl: string): Promise<string[]> {
  try {
    return await migrate(databaseUrl)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const { host, pathname } = new URL(databaseUrl)
    const where = `PostgreSQL at ${host} (DATABASE_URL)`
    if (code === '3D000')
      throw new Problem(`${where} has no database ${pathname.slice(1)}: create it with \`createdb\`.`, error)
    if (code === '28P01' || code === '28000')
      throw new Problem(`${where} refuses the user or password of DATABASE_URL.`, error)
    if (message.startsWith('migration ')) {
      const mend = 'run the version that made it, or begin anew with another database or without .data'
      throw new Problem(`The database does not belong to this version (${message}): ${mend}.`, error)
    }
    if (code === undefined && !/timeout|terminated/i.test(message)) throw error
    throw new Problem(
      `${where} cannot be reached (${code ?? message}): start it, or unset DATABASE_URL to use the embedded one.`,
      error,
    )
  }
}

async function jobStore(
  given: string | undefined,
  folders: Folders,
  teardown: Teardown,
  onDeath: (name: string, how: string) => void,
): Promise<string | null> {
  if (given) {
    await reachRedis(given)
    progress('Jobs go through Redis (REDIS_URL)')
    return given
  }
  const redis = await startRedis({ dataDir: folders.redis, binary: redisOnPath() })
  if (!redis) {
    progress('Jobs go through PostgreSQL (no REDIS_URL, no redis-server installed)')
    return null
  }
  watch('Redis', redis, teardown, onDeath)
  progress(`Jobs go through Redis, started on port ${new URL(redis.url).port}`)
  return redis.url
}

/** Before the programs have logins of their own, which may not make tables. */
async function prepareJobTables(databaseUrl: string): Promise<void> {
  try {
    await makeQueueTables(databaseUrl)
  } catch (error) {
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error
    const mend = 'run `npm run migrate` with the URL of one who does'
    throw new Problem(
      `The user of DATABASE_URL does not own the database and cannot make the job tables: ${mend}.`,
      error,
    )
  }
}

async function reachRedis(url: string): Promise<void> {
  const { hostname, port, host } = new URL(url)
  const socket = net.connect(Number(port || 6379), hostname)
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
  } catch (error) {
    const sentence = `Redis at ${host} (REDIS_URL) cannot be reached: start it, or unset REDIS_URL to send jobs through PostgreSQL.`
    throw new Problem(sentence, error)
  } finally {
    socket.destroy()
  }
}

function watch(name: string, service: Service, teardown: Teardown, onDeath: (name: string, how: string) => void): void {
  let stopping = false
  void service.ended.then((how) => {
    if (!stopping) onDeath(name, how)
  })
  teardown.add(name, () => {
    stopping = true
    return service.stop()
  })
}
