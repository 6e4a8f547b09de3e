/**
 * A Redis or Valkey server of this process's own: one on PATH, or Debian's binary unpacked into .cache (never installed).
 *
 * Invariants: loopback only; nothing is evicted (`noeviction`, queues would lose jobs); durable means an append-only file
 * synced every second; one run per data folder, the server of a killed run is ended first.
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { debianTree, type DebianTree } from './debian.ts'
import { accepting, endChild, ending, keptPort, type Service, takeOver } from './process.ts'

/** Debian packages that together hold redis-server with the libraries a bare system lacks. */
export const REDIS_PACKAGES = ['redis-tools', 'libjemalloc2', 'liblzf1'] as const

const NAMES = ['redis-server', 'valkey-server']
const START_ATTEMPTS = 3

export interface RedisBinary {
  readonly file: string
  readonly env: NodeJS.ProcessEnv
}

/** @returns the redis-server or valkey-server of PATH, else the unpacked Debian one, else null. */
export function findRedis(): RedisBinary | null {
  return redisOnPath() ?? unpackedRedis(debianTree('redis', REDIS_PACKAGES))
}

/** @returns the redis-server or valkey-server that the system has installed, or null. */
export function redisOnPath(): RedisBinary | null {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    for (const name of NAMES) {
      const file = path.join(folder, name)
      if (folder && fs.existsSync(file)) return { file, env: process.env }
    }
  }
  return null
}

/** Debian ships one binary for all of Redis's tools; the name it is called by chooses which one it is. */
function unpackedRedis(tree: DebianTree | null): RedisBinary | null {
  if (!tree) return null
  const original = path.join(tree.root, 'usr/bin/redis-check-rdb')
  const file = path.join(tree.root, 'usr/bin/redis-server')
  if (!fs.existsSync(original)) return null
  try {
    fs.symlinkSync('redis-check-rdb', file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return { file, env: tree.env }
}

export interface RedisOptions {
  readonly dataDir: string
  /** false keeps nothing on disk. */
  readonly durable?: boolean
  /** Defaults to {@link findRedis}. */
  readonly binary?: RedisBinary | null
}

/** Starts a Redis of this process's own, or returns null where the machine has none. */
export async function startRedis({
  dataDir,
  durable = true,
  binary = findRedis(),
}: RedisOptions): Promise<Service | null> {
  if (!binary) return null
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  await takeOver(dataDir, `${dataDir}.owner`, path.join(dataDir, 'redis.pid'))
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(binary, dataDir, durable)
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw new Error(`${String(error)}; see ${dataDir}.log`, { cause: error })
    }
  }
}

async function launch(binary: RedisBinary, dataDir: string, durable: boolean): Promise<Service> {
  const port = await keptPort(`${dataDir}.port`)
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir: dataDir,
    save: '',
    appendonly: durable ? 'yes' : 'no',
    'maxmemory-policy': 'noeviction',
    pidfile: path.join(dataDir, 'redis.pid'),
    daemonize: 'no',
    logfile: `${dataDir}.log`,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn(binary.file, args, { env: binary.env, cwd: dataDir, stdio: 'ignore', detached: true })
  const ended = ending(child)
  try {
    await accepting(child, port, 'redis-server')
    return { url: `redis://127.0.0.1:${port}`, pid: child.pid ?? 0, ended, stop: () => endChild(child, 'SIGTERM') }
  } catch (error) {
    await endChild(child, 'SIGTERM')
    throw error
  }
}
