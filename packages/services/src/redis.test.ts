import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { once } from 'node:events'
import { expect, inject, test } from 'vitest'
import { findRedis, startRedis } from './redis.ts'
import { scratchFolder } from './scratch.ts'

test('a run without a redis binary gets null and starts nothing', async () => {
  const folder = await scratchFolder()
  expect(await startRedis({ dataDir: path.join(folder, 'redis'), binary: null })).toBeNull()
  expect(fs.readdirSync(folder)).toEqual([])
  fs.rmSync(folder, { recursive: true })
})

test.runIf(inject('redisUrl'))('a durable server keeps its keys and never evicts', async () => {
  const binary = findRedis()
  const folder = await scratchFolder()
  const dataDir = path.join(folder, 'redis')
  const first = await startRedis({ dataDir, binary })
  expect(await command(first!.url, 'SET', 'kept', 'yes')).toBe('+OK')
  expect(await command(first!.url, 'CONFIG', 'GET', 'maxmemory-policy')).toContain('noeviction')
  await first!.stop()

  const second = await startRedis({ dataDir, binary })
  expect(second!.url).toBe(first!.url)
  expect(await command(second!.url, 'GET', 'kept')).toContain('yes')
  await second!.stop()
  fs.rmSync(folder, { recursive: true })
})

/** One command in Redis's wire format, one answer as text. */
async function command(url: string, ...words: string[]): Promise<string> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString().trim()
}
