/**
 * Temporary folders for throw-away servers, named after the process that made them.
 *
 * A run that was killed cannot clean up: the next run ends the servers it left behind and removes its folders.
 */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { markIsAlive, processMark, takeOver } from './process.ts'

const PREFIX = 'culvert-scratch-'
const SERVERS = { postgres: 'postmaster.pid', redis: 'redis.pid' }

/** @returns a fresh private folder for servers in `postgres/` and `redis/`; the caller removes it after stopping them. */
export async function scratchFolder(): Promise<string> {
  const prefix = `${PREFIX}${processSpace()}-`
  for (const name of fs.readdirSync(tmpdir())) {
    if (!name.startsWith(prefix) || markIsAlive(ownerOf(name))) continue
    // Another run may be sweeping the same folder: whoever comes second has nothing left to do.
    await sweep(path.join(tmpdir(), name)).catch(() => {})
  }
  return fs.mkdtempSync(path.join(tmpdir(), `${prefix}${processMark().replace(':', '.')}-`))
}

/** Folder names end in `-<pid>.<start time>-<random>`. */
function ownerOf(name: string): string {
  return name.split('-').at(-2)?.replace('.', ':') ?? ''
}

async function sweep(folder: string): Promise<void> {
  for (const [name, pidFile] of Object.entries(SERVERS)) {
    const dataDir = path.join(folder, name)
    if (fs.existsSync(dataDir)) await takeOver(dataDir, `${dataDir}.owner`, path.join(dataDir, pidFile))
  }
  fs.rmSync(folder, { recursive: true, force: true })
}

/** Containers may share a temporary folder but not process numbers: the process namespace's number tells them apart. */
function processSpace(): string {
  try {
    return fs.readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '')
  } catch {
    return '0'
  }
}
