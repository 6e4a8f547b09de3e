import { buildApi } from '@culvert/api'
import {
  appendEvent,
  createApiKey,
  ensureOrganization,
  generateSealingKeyPair,
  newId,
  openPool,
  relayEvents,
  type Pool,
  type NewEvent,
} from '@culvert/db'
import { createClient } from '@culvert/sdk'
import { createDatabase, openDoor, waitFor } from '@culvert/testkit'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { runCommand } from './index.ts'
import { listen } from './listen.ts'

let pool: Pool
let api: Awaited<ReturnType<typeof buildApi>>
let url = ''
let key = ''
let organizationId = ''
let receiver: Server
let receiverUrl = ''
let status = 204
const received: { headers: Record<string, string>; body: string }[] = []

const listenOn = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

beforeAll(async () => {
  const databaseUrl = await createDatabase(inject('databaseUrl'))
  pool = openPool(databaseUrl)
  organizationId = (await ensureOrganization(pool, { name: 'Acme', slug: 'acme' })).id
  key = (await createApiKey(pool, { organizationId, name: 'cli', scopes: ['events:read'] })).key
  api = await buildApi({ databaseUrl, sealingPublicKey: (await generateSealingKeyPair()).publicKey })
  url = await api.listen({ host: '127.0.0.1', port: 0 })
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString() })
      response.writeHead(status).end()
    })
  })
  receiverUrl = `http://127.0.0.1:${await listenOn(receiver)}/hooks`
})
afterAll(async () => {
  receiver.closeAllConnections()
  receiver.close()
  await api.close()
  await pool.end()
})

async function happen(type = 'device.deleted'): Promise<string> {
  const id = await appendEvent(pool, { organizationId, type, resourceId: newId('dev'), data: {} } as NewEvent)
  await relayEvents(pool, [])
  return id
}

interface Run {
  readonly out: string[]
  readonly err: string[]
  stop(): Promise<number>
  readonly code: Promise<number>
}

function run(
  argv: readonly string[],
  env: Record<string, string> = { CULVERT_API_KEY: key, CULVERT_API_URL: url },
): Run {
  const [out, err, end] = [[] as string[], [] as string[], new AbortController()]
  const io = { env, out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) }
  const code = runCommand(argv, { ...io, signal: end.signal })
  return { out, err, code, stop: () => (end.abort(), code) }
}

const idsReceived = (): string[] => received.map(({ headers }) => headers['webhook-id'] ?? '')

describe('culvert listen', () => {
  it('sends each event as a webhook that the reference verifier accepts with the secret it prints, and says what came of it', async () => {
    const listening = run(['listen', '--forward-to', receiverUrl, '--types', 'device.*'])
    await waitFor(() => listening.out.length === 2)
    received.length = 0
    const first = await happen()
    await happen('network.deleted')
    await waitFor(() => received.length === 1)
    status = 500
    const second = await happen()
    await waitFor(() => listening.out.length === 4)
    expect(await listening.stop()).toBe(0)
    expect(idsReceived()).toEqual([first, second])
    const secret = listening.out[1]?.replace('Signed with ', '') ?? ''
    const [one] = received
    expect(new Webhook(secret).verify(one?.body ?? '', one?.headers ?? {})).toMatchObject({
      id: first,
      type: 'device.deleted',
      sequence: 1,
    })
    expect(() => new Webhook(secret).verify(`${one?.body} `, one?.headers ?? {})).toThrow('No matching signature')
    expect(listening.out[2]).toMatch(/^\S+Z device\.deleted dev_\w+ #1 -> 204 \d+ ms$/)
    expect(listening.out[3]).toContain('-> 500')
    expect(listening.out.join()).not.toContain(key)
    status = 204
  })

  it('sends also what happens between its promise and the stream', async () => {
    const end = new AbortController()
    let id = ''
    const culvert = createClient({
      baseUrl: url,
      key,
      fetch: async (request) => {
        const isFirstStream = id === '' && request.headers.get('accept') === 'text/event-stream'
        if (isFirstStream) id = await happen()
        return fetch(request)
      },
    })
    const options = { forwardTo: new URL(receiverUrl), types: [], since: 'now', secret: undefined, out: () => {} }
    const listening = listen(culvert, { ...options, signal: end.signal })
    await waitFor(() => id !== '' && idsReceived().includes(id))
    end.abort()
    await expect(listening).resolves.toBeUndefined()
  })

  it('goes on where it was when the connection breaks, with nothing lost and nothing twice', async () => {
    const door = await openDoor(url)
    const listening = run(['listen', '--forward-to', receiverUrl, '--url', door.url])
    await waitFor(() => listening.out.length === 2)
    received.length = 0
    const ids = [await happen()]
    await waitFor(() => received.length === 1)
    door.breakOff()
    ids.push(await happen(), await happen())
    await waitFor(() => received.length === 3)
    expect(await listening.stop()).toBe(0)
    expect(idsReceived()).toEqual(ids)
    await door.shut()
  })

  it('reads what was since a time, and goes on when the receiver is away', async () => {
    const since = new Date().toISOString()
    const id = await happen()
    const closed = createServer()
    const port = await listenOn(closed)
    closed.close()
    const listening = run(['listen', '--forward-to', `http://127.0.0.1:${port}/`, '--since', since])
    await waitFor(() => listening.out.some((line) => line.endsWith('-> failed: ECONNREFUSED')))
    await listening.stop()
    received.length = 0
    const again = run(['listen', '--forward-to', receiverUrl, '--since', since])
    await waitFor(() => idsReceived().includes(id))
    expect(await again.stop()).toBe(0)
  })

  it('takes the key out of a file that nobody else can read, and signs with a secret that is given', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'culvert-cli-'))
    const file = path.join(folder, 'key')
    await writeFile(file, `${key}\n`, { mode: 0o644 })
    const argv = ['listen', '--forward-to', receiverUrl, '--api-key-file', file]
    const env = { CULVERT_API_URL: url, CULVERT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }
    const open = run(argv, env)
    expect(await open.code).toBe(2)
    expect(open.err.join()).toContain('may be read by others')
    await chmod(file, 0o600)
    const listening = run(argv, env)
    await waitFor(() => listening.out.length === 2)
    expect(listening.out[1]).toBe(`Signed with ${env.CULVERT_WEBHOOK_SECRET}`)
    expect(await listening.stop()).toBe(0)
    await rm(folder, { recursive: true })
  })

  it.each([
    ['no key', ['listen', '--forward-to', 'http://127.0.0.1:1'], {}, 2, 'CULVERT_API_KEY'],
    ['no receiver', ['listen'], { CULVERT_API_KEY: 'x' }, 2, '--forward-to'],
    ['a file as receiver', ['listen', '--forward-to', 'file:///etc/passwd'], { CULVERT_API_KEY: 'x' }, 2, 'http'],
    ['another command', ['shout'], {}, 2, 'no command'],
    ['a key in the arguments', ['listen', '--api-key', 'x'], {}, 2, '--api-key'],
  ])('refuses %s with a sentence', async (_name, argv, env, code, sentence) => {
    const refused = run(argv, env)
    expect(await refused.code).toBe(code)
    expect(refused.err.join()).toContain(sentence)
  })

  it('says what the API refused', async () => {
    const argv = ['listen', '--forward-to', receiverUrl]
    const stranger = run(argv, { CULVERT_API_KEY: 'culvert_nobody', CULVERT_API_URL: url })
    expect([await stranger.code, stranger.err.join()]).toEqual([1, expect.stringContaining('unauthenticated')])
    const unknown = run([...argv, '--types', 'device.exploded'])
    expect([await unknown.code, unknown.err.join()]).toEqual([1, expect.stringContaining('validation_failed')])
  })
})
