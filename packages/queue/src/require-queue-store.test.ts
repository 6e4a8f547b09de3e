import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { QueueStoreError, requireQueueStore } from './index.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A server that is not Redis, or a Redis of this one behaviour. */
async function listenLike(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    serve(socket)
    server.on('close', () => socket.destroy())
  })
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function sentenceFor(redisUrl: string, timeoutMs?: number): Promise<string> {
  const error = await requireQueueStore({ redisUrl, ...(timeoutMs === undefined ? {} : { timeoutMs }) }).then(
    () => null,
    (failure: unknown) => failure,
  )
  expect(error).toBeInstanceOf(QueueStoreError)
  const { message } = error as Error
  expect(message).not.toMatch(/hush|\n/)
  expect(message).toContain('REDIS_URL')
  expect(message).toContain('Redis')
  return message
}

describe('the store of jobs at start', () => {
  it('is not asked when jobs go through PostgreSQL', async () => {
    await expect(requireQueueStore({ redisUrl: null })).resolves.toBeUndefined()
    await expect(requireQueueStore({ redisUrl: '' })).resolves.toBeUndefined()
  })

  it('names host and port, never user or password, when nobody listens', async () => {
    expect(await sentenceFor('redis://user:hush@127.0.0.1:1')).toBe(
      'Redis cannot be reached at 127.0.0.1:1 (ECONNREFUSED): check REDIS_URL and that the server runs.',
    )
  })

  it('does not wait for a server that accepts and says nothing', async () => {
    const port = await listenLike(() => undefined)
    expect(await sentenceFor(`redis://:hush@127.0.0.1:${port}`, 100)).toContain(`127.0.0.1:${port}`)
  })

  it('does not take a server of another kind for Redis', async () => {
    const port = await listenLike((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(await sentenceFor(`redis://127.0.0.1:${port}`)).toContain('cannot be reached')
  })

  it('tells that the password is refused', async () => {
    const refusal = '-WRONGPASS invalid username-password pair or user is disabled.\r\n'
    const port = await listenLike((socket) => {
      // One answer for each command: RESP begins every one with the count of its words.
      socket.on('data', (bytes) => socket.write(refusal.repeat(bytes.toString('latin1').match(/^\*\d/gm)?.length ?? 0)))
    })
    expect(await sentenceFor(`redis://user:hush@127.0.0.1:${port}`)).toBe(
      `Redis at 127.0.0.1:${port} refuses the user or password of REDIS_URL.`,
    )
  })

  it('refuses what is no URL, without repeating it', async () => {
    expect(await sentenceFor('redis://user:hush@host:99999')).toContain('not a URL')
  })

  it.skipIf(!inject('redisUrl'))('is content with a Redis that answers', async () => {
    await expect(requireQueueStore({ redisUrl: inject('redisUrl') })).resolves.toBeUndefined()
  })
})
