import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { startPostgres } from './postgres.ts'
import type { Service } from './process.ts'
import { scratchFolder } from './scratch.ts'

const folders: string[] = []
const services: Service[] = []

afterEach(async () => {
  for (const service of services.splice(0)) await service.stop()
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true })
})

test('keeps rows, password and port from one run to the next', async () => {
  const dataDir = await freshDataDir()
  const first = await start(dataDir)
  await query(first.url, 'CREATE TABLE kept AS SELECT 41 + 1 AS answer')
  await first.stop()
  expect(await first.ended).toBe('exit code 0')

  const second = await start(dataDir)
  expect(second.url).toBe(first.url)
  expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
})

test('asks for the password, allows 200 connections and listens on the loopback address alone', async () => {
  const { url } = await start(await freshDataDir())
  const wrong = new URL(url)
  wrong.password = 'guess'
  await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed')
  expect(await query(url, 'SHOW max_connections')).toEqual([{ max_connections: '200' }])
  expect(await query(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
})

test('refuses a data folder that a living run uses', async () => {
  const dataDir = await freshDataDir()
  await start(dataDir)
  await expect(startPostgres({ dataDir, durable: false })).rejects.toThrow(`in use by process ${process.pid}`)
})

test('ends the server that a killed run left behind, and keeps its rows', async () => {
  const dataDir = await freshDataDir()
  const script = `
    import { startPostgres } from ${JSON.stringify(path.join(import.meta.dirname, 'postgres.ts'))}
    const service = await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, durable: false })
    console.log(service.pid, service.url)
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  const [pid = '', url = ''] = line.toString().trim().split(' ')
  await query(url, 'CREATE TABLE survivor AS SELECT 7 AS number')
  const gone = once(owner, 'exit')
  owner.kill('SIGKILL')
  await gone
  expect(serves(pid, dataDir)).toBe(true)

  const next = await start(dataDir)
  expect(serves(pid, dataDir)).toBe(false)
  expect(await query(next.url, 'SELECT number FROM survivor')).toEqual([{ number: 7 }])
})

/** A server that ended but that nobody waited for still has a number, and no working folder any more. */
function serves(pid: string, dataDir: string): boolean {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`) === dataDir
  } catch {
    return false
  }
}

async function freshDataDir(): Promise<string> {
  const folder = await scratchFolder()
  folders.push(folder)
  return path.join(folder, 'postgres')
}

async function start(dataDir: string): Promise<Service> {
  const service = await startPostgres({ dataDir, durable: false })
  services.push(service)
  return service
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}
