import { appendEvent, appendEvents, newId, relayEvents, removeOldEvents } from '@culvert/db'
import { waitFor } from '@culvert/testkit'
import { once } from 'node:events'
import net from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { newDevice, openHarness, type Harness } from './testing/harness.ts'

interface Told {
  readonly id: string
  readonly type: string
  readonly resourceId: string
}
interface Page {
  readonly data: readonly Told[]
  readonly nextCursor: string
  readonly hasMore: boolean
}

let harness: Harness
let url = ''

beforeAll(async () => {
  harness = await openHarness(inject('databaseUrl'), {
    stream: { organization: 4, caller: 3, heartbeatMs: 150, stallMs: 400 },
  })
  url = await harness.api.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => harness.close())

const relay = async (): Promise<void> => {
  while ((await relayEvents(harness.pool, [])).isFull);
}
const read = (query: string, key?: string) =>
  harness.call<Page & { code: string; detail: string }>('GET', `/v1/events?${query}`, key ? { key } : {})
const now = async (key?: string): Promise<string> => (await read('since=now', key)).body.nextCursor
const idsOf = ({ data }: Page): string[] => data.map(({ resourceId }) => resourceId)

/** @returns the id of a device whose registration has its place in the feed */
async function happen(key?: string): Promise<string> {
  const id = await newDevice(harness.call, key)
  await relay()
  return id
}

describe('the feed', () => {
  it('is read in pages that go on where the last one ended, and shows nothing of another organization', async () => {
    const start = await now()
    const theirs = await now(harness.other.key)
    const devices: string[] = []
    for (let count = 0; count < 5; count++) devices.push(await happen(), await happen(harness.other.key))
    const own = devices.filter((_, index) => index % 2 === 0)
    const found: string[] = []
    let [after, hasMore] = [start, true]
    while (hasMore) {
      const { body } = await read(`after=${after}&limit=2`)
      found.push(...idsOf(body))
      ;({ nextCursor: after, hasMore } = body)
    }
    expect(found).toEqual(own)
    expect((await read(`after=${after}`)).body).toEqual({ data: [], nextCursor: after, hasMore: false })
    expect(idsOf((await read(`after=${theirs}`, harness.other.key)).body)).toHaveLength(5)
    expect((await read('limit=1')).body.data[0]).toMatchObject({ sequence: 1 })
  })

  it('is filtered by types, device and resource', async () => {
    const start = await now()
    const [one, two] = [await happen(), await happen()]
    const path = `/v1/devices/${one}`
    const issued = await harness.call<{ id: string }>('POST', `${path}/credentials`, { body: { kind: 'psk' } })
    await harness.call('PATCH', path, { body: { name: 'one' } })
    await relay()
    const typesOf = async (query: string): Promise<string[]> =>
      (await read(`after=${start}&${query}`)).body.data.map(({ type }) => type)
    expect(await typesOf('types=device.*')).toEqual(['device.created', 'device.created', 'device.updated'])
    expect(await typesOf('types=credential.created,device.updated')).toEqual(['credential.created', 'device.updated'])
    expect(await typesOf(`deviceId=${one}`)).toEqual(['device.created', 'credential.created', 'device.updated'])
    expect(await typesOf(`deviceId=${one}&types=credential.*`)).toEqual(['credential.created'])
    expect(await typesOf(`resourceId=${issued.body.id}`)).toEqual(['credential.created'])
    expect(await typesOf(`resourceId=${two}`)).toEqual(['device.created'])
    const unknown = await read('types=device.*,device.exploded')
    expect([unknown.status, unknown.body.detail]).toEqual([400, expect.stringContaining('`device.exploded`')])
    expect((await read('types=nothing.*')).status).toBe(400)
  })

  it('begins at a time, or now, and at one of them', async () => {
    const start = new Date().toISOString()
    const device = await happen()
    expect(idsOf((await read(`since=${start}&limit=200`)).body)).toContain(device)
    expect((await read('since=2999-01-01T00:00:00Z')).body.data).toEqual([])
    expect(await read(`since=now&after=${await now()}`)).toMatchObject({ status: 400 })
  })

  it('refuses cursors that were made elsewhere, or for another organization', async () => {
    const cursor = await now()
    const forged = `${cursor.startsWith('A') ? 'B' : 'A'}${cursor.slice(1)}`
    for (const wrong of [forged, cursor.slice(1), `${cursor}A`, 'x'.repeat(100), '1'])
      expect([wrong, (await read(`after=${wrong}`)).body.code]).toEqual([wrong, 'invalid_cursor'])
    expect((await read(`after=${cursor}`, harness.other.key)).body.code).toBe('invalid_cursor')
    const headers = { 'last-event-id': forged }
    expect((await harness.call('GET', '/v1/events', { headers })).body['code']).toBe('invalid_cursor')
  })

  it('shows an event by its id, to its organization alone', async () => {
    const { id } = (await read(`resourceId=${await happen()}`)).body.data[0] as Told
    expect((await harness.call('GET', `/v1/events/${id}`)).body).toMatchObject({ id, type: 'device.created' })
    const theirs = await harness.call('GET', `/v1/events/${id}`, { key: harness.other.key })
    expect(theirs.status).toBe(404)
  })
})

describe('a call that waits for events', () => {
  it('is answered by the first one, or without any when the time is up', async () => {
    const start = await now()
    let answered = false
    const waiting = read(`after=${start}&wait=30`).finally(() => (answered = true))
    await newDevice(harness.call, harness.other.key)
    await relay()
    expect(answered).toBe(false)
    const device = await happen()
    expect(idsOf((await waiting).body)).toEqual([device])
    const { body } = await read(`since=now&wait=1`)
    expect(body).toMatchObject({ data: [], hasMore: false })
  })

  it('has a place among few, which it gives back', async () => {
    const start = await now()
    // One of them may meet the one call too many below, which has its place for a second.
    const seated = (): ReturnType<typeof read> =>
      waitFor(async () => {
        const answer = await read(`after=${start}&wait=30`)
        return answer.status === 429 ? null : answer
      })
    const waiting = [1, 2, 3].map(seated)
    const refused = await waitFor(async () => {
      const answer = await read(`after=${await now()}&wait=1`)
      return answer.status === 200 ? null : answer
    })
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([429, 'stream_limit', '5'])
    // Who does not wait needs no place.
    expect((await read(`after=${start}`)).status).toBe(200)
    await happen()
    for (const answer of await Promise.all(waiting)) expect(answer.body.data).toHaveLength(1)
    expect((await read('since=now&wait=1')).status).toBe(200)
  })
})

interface Stream {
  readonly response: Response
  /** What has come so far. */
  readonly text: () => string
  readonly events: () => (Told & { readonly cursor: string })[]
  /** Resolves when the other side has ended it. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

const open: Stream[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((stream) => stream.close()))
})

async function stream(query: string, headers: Record<string, string> = {}, key = harness.organization.key) {
  const abort = new AbortController()
  const response = await fetch(`${url}/v1/events?${query}`, {
    headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers },
    signal: abort.signal,
  })
  let text = ''
  const ended = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString()
  })().catch(() => {})
  const made: Stream = {
    response,
    text: () => text,
    events: () =>
      [...text.matchAll(/^id: (\S+)\ndata: (.*)\n\n/gm)].map(([, cursor = '', data = '']) => ({
        ...(JSON.parse(data) as Told),
        cursor,
      })),
    ended,
    close: async () => {
      abort.abort()
      await ended
    },
  }
  open.push(made)
  return made
}

describe('a stream of events', () => {
  it('tells what was and what comes, and goes on after Last-Event-ID without loss or repeat', async () => {
    const query = `after=${await now()}&types=device.*`
    const devices = [await happen(), await happen()]
    const first = await stream(query)
    expect(first.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    await waitFor(() => first.events().length === 2)
    devices.push(await happen())
    await waitFor(() => first.events().length === 3)
    const told = first.events()
    expect(told.map(({ resourceId }) => resourceId)).toEqual(devices)
    await first.close()
    devices.push(await happen())
    const second = await stream(query, { 'last-event-id': told[1]?.cursor ?? '' })
    await waitFor(() => second.events().length === 2)
    expect(second.events().map(({ resourceId }) => resourceId)).toEqual(devices.slice(2))
  })

  it('beats, and the id of a beat goes past what the filter left out', async () => {
    const quiet = await stream('since=now&types=network.deleted')
    const device = await happen()
    const beats = (): string[] => [...quiet.text().matchAll(/^id: (\S+)\n:\n\n/gm)].map(([, id = '']) => id)
    const end = await now()
    await waitFor(() => beats().at(-1) === end)
    expect(quiet.events()).toEqual([])
    expect(idsOf((await read(`after=${beats().at(-1)}`)).body)).not.toContain(device)
  })

  it('ends when its key is revoked, and tells it nothing more', async () => {
    const body = { name: 'ear', scopes: ['events:read'] }
    const { id, key } = (await harness.call<{ id: string; key: string }>('POST', '/v1/api-keys', { body })).body
    const listening = await stream('since=now', {}, key)
    await happen()
    await waitFor(() => listening.events().length > 0)
    const told = listening.events().length
    await harness.call('DELETE', `/v1/api-keys/${id}`)
    await happen()
    await listening.ended
    expect(listening.events()).toHaveLength(told)
    expect((await stream('since=now', {}, key)).response.status).toBe(401)
  })

  it('has a place among few, which it gives back when the reader leaves', async () => {
    const listening = await Promise.all([1, 2, 3].map(() => stream('since=now')))
    const refused = await stream('since=now')
    expect(refused.response.status).toBe(429)
    await waitFor(() => refused.text().includes('"stream_limit"'))
    await listening[0]?.close()
    const status = await waitFor(async () => {
      const again = await stream('since=now')
      return again.response.status === 200 ? 200 : null
    })
    expect(status).toBe(200)
  })

  it('ends for a reader that does not read', async () => {
    const start = await now()
    const changed = ['x'.repeat(8_000)]
    const organizationId = harness.organization.id
    for (let batch = 0; batch < 5; batch++) {
      const events = Array.from({ length: 500 }, () => ({
        organizationId,
        type: 'device.updated' as const,
        resourceId: newId('dev'),
        data: { changed },
      }))
      await appendEvents(harness.pool, events)
    }
    await relay()
    const accepted = once(harness.api.server, 'connection') as Promise<net.Socket[]>
    const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    socket.write(
      `GET /v1/events?after=${start} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${harness.organization.key}\r\nAccept: text/event-stream\r\n\r\n`,
    )
    const [ours] = await accepted
    await waitFor(() => ours?.destroyed)
    // Its place is free again.
    const listening = await Promise.all([1, 2, 3].map(() => stream('since=now')))
    expect(listening.map(({ response }) => response.status)).toEqual([200, 200, 200])
    socket.destroy()
  })
})

describe('a cursor from before the oldest event that is kept', () => {
  it('is told where to go on', async () => {
    const start = await now()
    await happen()
    await relay()
    await harness.pool.query(`UPDATE events SET created_at = now() - interval '91 days'`)
    while ((await removeOldEvents(harness.pool, 90)).isFull);
    const device = await happen()
    const gone = await read(`after=${start}&types=device.*`)
    expect([gone.status, gone.body.code]).toEqual([410, 'cursor_expired'])
    const [, next = ''] = /^<(.*)>; rel="next"$/.exec(String(gone.headers['link'])) ?? []
    expect(next).toContain('types=device.*')
    expect(idsOf((await harness.call<Page>('GET', next)).body)).toEqual([device])
    expect((await stream(`after=${start}`)).response.status).toBe(410)
  })
})

it('events that have no place in the feed yet are shown by their id alone', async () => {
  const cursor = await now()
  const organizationId = harness.organization.id
  const event = { organizationId, type: 'device.deleted' as const, resourceId: newId('dev'), data: {} }
  const id = await appendEvent(harness.pool, event)
  expect((await read(`after=${cursor}`)).body.data).toEqual([])
  expect((await harness.call('GET', `/v1/events/${id}`)).status).toBe(200)
})
