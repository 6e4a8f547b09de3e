/** Repeating calls: what may be done twice, how often, and after how long. Time is the test's. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createClient, CulvertError, type Culvert } from './index.ts'

type Reply = () => Response | Promise<Response>
const problem = (status: number, code: string, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ code, title: 'T', detail: 'D', status, requestId: 'req_1' }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })
const ok = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } })

interface Scene {
  readonly culvert: Culvert
  readonly sent: { method: string; url: string; key: string | null; authorization: string | null; body: string }[]
}

/** An API that gives these answers, one after the other. */
function scene(...replies: Reply[]): Scene {
  const sent: Scene['sent'] = []
  const fetch = async (request: Request): Promise<Response> => {
    const { method, url, headers } = request
    const [key, authorization] = [headers.get('idempotency-key'), headers.get('authorization')]
    sent.push({ method, url, key, authorization, body: await request.text() })
    const reply = replies[sent.length - 1]
    if (!reply) throw new Error('nobody expects this call')
    return reply()
  }
  return { culvert: createClient({ baseUrl: 'https://api.example/', key: 'culvert_test', fetch }), sent }
}

/** Lets all pauses pass. */
async function through<T>(work: Promise<T>): Promise<T> {
  const settled = work.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error
    },
  )
  await vi.runAllTimersAsync()
  return (await settled)()
}

const away = (): Response => problem(503, 'database_unavailable', { 'retry-after': '2' })
const device = { iccid: '89490000000000000015' }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

describe('a call', () => {
  it('carries the key, and a POST one Idempotency-Key for all of its attempts', async () => {
    const { culvert, sent } = scene(away, () => ok({ id: 'dev_1' }, 201))
    expect(await through(culvert.post('/v1/devices', { body: device }))).toEqual({ id: 'dev_1' })
    expect(sent.map(({ authorization }) => authorization)).toEqual(['Bearer culvert_test', 'Bearer culvert_test'])
    expect(sent[0]).toEqual(sent[1])
    expect(sent[0]?.key).toMatch(/^[0-9a-f-]{36}$/)
    expect(JSON.parse(sent[1]?.body ?? '')).toEqual(device)
  })

  it('has the Idempotency-Key of the caller when it has one, and another one for every call without', async () => {
    const { culvert, sent } = scene(...Array.from({ length: 3 }, () => () => ok({}, 201)))
    await culvert.post('/v1/devices', { body: device, headers: { 'Idempotency-Key': 'order-7' } })
    await culvert.post('/v1/devices', { body: device })
    await culvert.post('/v1/devices', { body: device })
    expect(sent[0]?.key).toBe('order-7')
    expect(new Set(sent.map(({ key }) => key)).size).toBe(3)
  })

  it('is repeated after Retry-After, after more and more time without it, and not for ever', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const { culvert, sent } = scene(away, () => problem(502, 'internal_error'), away, away, away)
    const begin = performance.now()
    const error = await through(culvert.get('/v1/organization')).catch((fault: unknown) => fault as CulvertError)
    expect(error).toBeInstanceOf(CulvertError)
    expect([(error as CulvertError).code, (error as CulvertError).retryAfterSec]).toEqual(['database_unavailable', 2])
    expect(sent).toHaveLength(4)
    expect(performance.now() - begin).toBe(2_250 + 500 + 3_000)
  })

  it('is repeated when the connection broke, because it is not known whether it was done', async () => {
    const broken = (): Response => {
      throw new TypeError('fetch failed')
    }
    const { culvert } = scene(broken, () => ok({ data: [], nextCursor: null }))
    expect(await through(culvert.get('/v1/tunnels'))).toEqual({ data: [], nextCursor: null })
    const { culvert: never, sent } = scene(broken, broken, broken, broken)
    await expect(through(never.post('/v1/devices', { body: device }))).rejects.toMatchObject({
      code: 'connection_failed',
      status: null,
      detail: 'POST /v1/devices at https://api.example was not answered.',
    })
    expect(sent).toHaveLength(4)
  })

  it('is not repeated when that could do something twice: PATCH', async () => {
    const { culvert, sent } = scene(away)
    const change = culvert.patch('/v1/organization', { body: { name: 'Acme' } })
    await expect(through(change)).rejects.toMatchObject({ code: 'database_unavailable' })
    expect(sent).toHaveLength(1)
  })

  it.each([400, 401, 403, 404, 409, 412, 422])(
    'is not repeated after %i: it would be the same again',
    async (status) => {
      const { culvert, sent } = scene(() => problem(status, 'not_found'))
      await expect(through(culvert.get('/v1/organization'))).rejects.toMatchObject({ status, requestId: 'req_1' })
      expect(sent).toHaveLength(1)
    },
  )

  it('is repeated after a 409 that says when: the same POST is still at work', async () => {
    const { culvert, sent } = scene(
      () => problem(409, 'idempotency_in_progress', { 'retry-after': '1' }),
      () => ok({ id: 'dev_1' }, 201),
    )
    expect(await through(culvert.post('/v1/devices', { body: device }))).toEqual({ id: 'dev_1' })
    expect(sent).toHaveLength(2)
  })

  it('tells at once when it is to wait for longer than a minute', async () => {
    const { culvert, sent } = scene(() => problem(429, 'rate_limited', { 'retry-after': '3600' }))
    await expect(through(culvert.get('/v1/organization'))).rejects.toMatchObject({ retryAfterSec: 3_600 })
    expect(sent).toHaveLength(1)
  })

  it('ends when its signal is aborted, in a pause too', async () => {
    const { culvert, sent } = scene(away)
    const gone = new AbortController()
    const call = culvert.get('/v1/organization', { signal: gone.signal })
    const ended = call.catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(1_000)
    gone.abort(new Error('enough'))
    expect(await ended).toEqual(new Error('enough'))
    expect(sent).toHaveLength(1)
  })

  it('says so when the answer is not of the API, and shows no key in any error', async () => {
    const { culvert } = scene(() => new Response('<h1>nginx</h1>', { status: 404 }))
    const error = (await through(culvert.get('/v1/organization')).catch((fault: unknown) => fault)) as CulvertError
    expect([error.code, error.status]).toEqual(['unexpected_answer', 404])
    expect(JSON.stringify(Object.entries(error)) + error.stack).not.toContain('culvert_test')
    expect(JSON.stringify(culvert)).not.toContain('culvert_test')
  })
})

describe('a list', () => {
  const pages = [
    { data: [{ id: 'a' }, { id: 'b' }], nextCursor: 'c1' },
    { data: [{ id: 'c' }], nextCursor: null },
  ].map((page) => () => ok(page))

  it('is read page after page, with its filters on each', async () => {
    const { culvert, sent } = scene(...pages)
    const ids: string[] = []
    for await (const { id } of culvert.list('/v1/devices', { params: { query: { tag: 'x', limit: 2 } } })) ids.push(id)
    expect(ids).toEqual(['a', 'b', 'c'])
    expect(sent.map(({ url }) => url)).toEqual([
      'https://api.example/v1/devices?tag=x&limit=2',
      'https://api.example/v1/devices?tag=x&limit=2&cursor=c1',
    ])
  })

  it('fetches nothing before it is read, and nothing after who reads has enough', async () => {
    const { culvert, sent } = scene(...pages)
    const list = culvert.list('/v1/devices')
    expect(sent).toHaveLength(0)
    expect(await list.toArray({ most: 1 })).toEqual([{ id: 'a' }])
    expect(sent).toHaveLength(1)
  })
})

describe('opening a tunnel', () => {
  const tunnel = (state: string, more: object = {}): object => ({
    id: 'tun_1',
    deviceId: 'dev_1',
    state,
    host: null,
    port: null,
    closedAt: null,
    reason: null,
    ...more,
  })
  const input = { deviceId: 'dev_1', port: 22 }

  it('waits until there is something to connect to', async () => {
    const open = tunnel('open', { host: 'gw', port: 20_000 })
    const { culvert, sent } = scene(
      () => ok(tunnel('opening'), 202),
      () => ok(tunnel('opening')),
      () => ok(open),
    )
    expect(await through(culvert.tunnels.open(input))).toEqual(open)
    expect(sent[0]?.url).toBe('https://api.example/v1/tunnels?wait=30')
  })

  it('that fails is an error with its reason', async () => {
    const { culvert } = scene(
      () => ok(tunnel('opening'), 202),
      () => ok(tunnel('failed', { reason: 'no_free_port', closedAt: 'now' })),
    )
    await expect(through(culvert.tunnels.open(input))).rejects.toMatchObject({
      code: 'tunnel_failed',
      detail: 'Tunnel tun_1 is failed: no_free_port.',
    })
  })

  it('that takes too long is given up, and the tunnel is closed', async () => {
    const opening = (): Response => ok(tunnel('waiting_for_device'))
    const { culvert, sent } = scene(opening, opening, opening, () => new Response(null, { status: 204 }))
    await expect(through(culvert.tunnels.open(input, { timeoutMs: 900 }))).rejects.toMatchObject({ code: 'timeout' })
    expect(sent.at(-1)).toMatchObject({ method: 'DELETE', url: 'https://api.example/v1/tunnels/tun_1?wait=0' })
  })
})

describe('an operation', () => {
  const operation =
    (more: object): Reply =>
    () =>
      ok({ id: 'op_1', done: true, error: null, state: 'succeeded', ...more })

  it('is waited for', async () => {
    const { culvert, sent } = scene(operation({ done: false, state: 'running' }), operation({}))
    expect(await through(culvert.operations.wait('op_1'))).toMatchObject({ state: 'succeeded' })
    expect(sent[0]?.url).toBe('https://api.example/v1/operations/op_1?wait=30')
  })

  it('that failed or was cancelled is an error', async () => {
    const failed = scene(operation({ error: { code: 'unreadable_rows', title: 'T', detail: 'row 7', status: 422 } }))
    await expect(through(failed.culvert.operations.wait({ id: 'op_1' }))).rejects.toMatchObject({
      code: 'unreadable_rows',
    })
    const cancelled = scene(
      operation({ state: 'cancelled', error: { code: 'operation_cancelled', title: 'T', detail: 'D' } }),
    )
    await expect(through(cancelled.culvert.operations.wait('op_1'))).rejects.toMatchObject({
      code: 'operation_cancelled',
    })
  })
})
