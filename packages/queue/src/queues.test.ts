import { createDatabase, openDoor } from '@culvert/testkit'
import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { gatewayQueue, mostHinted, openQueues, type JobKind, type NodeQueue, type Queues } from './index.ts'

const silent = { warn: () => {}, debug: () => {} }
const redisUrl = inject('redisUrl')
const backends = [
  { store: 'postgres', url: undefined as string | undefined },
  ...(redisUrl ? [{ store: 'redis', url: redisUrl }] : []),
]
const until = { timeout: 20_000, interval: 20 }
let databaseUrl = ''
const closers: (() => Promise<void> | void)[] = []

beforeAll(async () => {
  databaseUrl = await createDatabase(inject('databaseUrl'))
})

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

function open(overrides: { databaseUrl?: string; redisUrl?: string | undefined }): Queues {
  const queues = openQueues({ databaseUrl, logger: silent, ...overrides })
  closers.push(() => queues.close())
  return queues
}

function newQueueName(): NodeQueue {
  return gatewayQueue(`t-${randomUUID()}`)
}

describe.each(backends)('queues on $store', ({ store, url }) => {
  it('brings a hint to the node it is for, and to no other', async () => {
    const queues = open({ redisUrl: url })
    expect(queues.store).toBe(store)
    const [mine, other] = [newQueueName(), newQueueName()]
    const seen: [NodeQueue, JobKind][] = []
    for (const queue of [mine, other]) await queues.workNode(queue, async (kind) => void seen.push([queue, kind])).ready
    await vi.waitUntil(() => queues.hint(mine, 'device.detach'), until)
    await vi.waitUntil(() => seen.length > 0, until)
    expect(seen).toEqual([[mine, 'device.detach']])
  })

  it('A07 a hint delivered twice while its handler runs is one more run', async () => {
    const queues = open({ redisUrl: url })
    const queue = newQueueName()
    const gate = Promise.withResolvers<void>()
    let runs = 0
    await queues.workNode(queue, async () => {
      runs += 1
      if (runs === 1) await gate.promise
    }).ready
    expect(await queues.hint(queue, 'listeners.changed')).toBe(true)
    await vi.waitUntil(() => runs === 1, until)
    for (let i = 0; i < 4; i++) expect(await queues.hint(queue, 'listeners.changed')).toBe(true)
    gate.resolve()
    await vi.waitUntil(() => runs === 2, until)
    // A last hint passes behind the others: had they been more than one run, it would count more than three.
    await vi.waitUntil(() => queues.hint(queue, 'policy.changed'), until)
    await vi.waitUntil(() => runs >= 3, until)
    expect(runs).toBe(3)
  })

  it('A07 a job has no more ids, and no longer ones, than a hint may have, whoever wrote it', async () => {
    const queues = open({ redisUrl: url })
    const queue = newQueueName()
    const seen: (readonly string[])[] = []
    await queues.workNode(queue, async (_kind, about) => void seen.push(about)).ready
    const many = Array.from({ length: 1_000 }, (_, index) => `id_${index}`)
    await queues.hint(queue, 'deliveries.due', { about: ['x'.repeat(100_000), ...many], dedup: 'many' })
    await vi.waitUntil(() => seen.length > 0, until)
    expect(seen).toEqual([many.slice(0, mostHinted - 1)])
  })

  it('A07 a handler that failed is repeated', async () => {
    const queues = open({ redisUrl: url })
    const queue = newQueueName()
    let runs = 0
    await queues.workNode(queue, async () => {
      runs += 1
      if (runs < 3) throw new Error('not yet')
    }).ready
    expect(await queues.hint(queue, 'policy.changed')).toBe(true)
    await vi.waitUntil(() => runs >= 3, until)
    expect(runs).toBe(3)
  })

  it('A07 a poison job keeps no other job of its queue from being done', async () => {
    const queues = open({ redisUrl: url })
    const queue = newQueueName()
    const done: JobKind[] = []
    await queues.workNode(queue, async (kind) => {
      if (kind === 'policy.changed') throw new Error('poison')
      done.push(kind)
    }).ready
    expect(await queues.hint(queue, 'policy.changed')).toBe(true)
    expect(await queues.hint(queue, 'listeners.changed')).toBe(true)
    await vi.waitUntil(() => done.length > 0, until)
    expect(done).toEqual(['listeners.changed'])
  })

  it('A07 hints of one kind for two nodes do not collide, and one that waits is not there twice', async () => {
    const queues = open({ redisUrl: url })
    const [first, second] = [newQueueName(), newQueueName()]
    for (const queue of [first, second, first, second]) expect(await queues.hint(queue, 'policy.changed')).toBe(true)
    const runs: NodeQueue[] = []
    const last = Promise.withResolvers<void>()
    for (const queue of [first, second]) {
      await queues.workNode(queue, async (kind) => {
        if (kind === 'device.detach') last.resolve()
        else runs.push(queue)
      }).ready
    }
    await queues.hint(first, 'device.detach')
    await last.promise
    await vi.waitUntil(() => runs.includes(second), until)
    expect(runs.toSorted((a, b) => a.localeCompare(b))).toEqual([first, second].toSorted((a, b) => a.localeCompare(b)))
  })

  it('starts while the store is away, says so, and delivers once it is back', async () => {
    const door = await openDoor(url ?? databaseUrl)
    closers.push(() => door.shut())
    await door.shut()
    const queues = open(url ? { redisUrl: door.url } : { databaseUrl: door.url })
    const queue = newQueueName()
    const seen: JobKind[] = []
    const worker = queues.workNode(queue, async (kind) => void seen.push(kind))
    expect(await queues.hint(queue, 'listeners.changed')).toBe(false)
    await door.open()
    await worker.ready
    await vi.waitUntil(() => seen.includes('listeners.changed'), until)
  })

  it('A07 a store that was away, with all its jobs, loses no hint that was given meanwhile', async () => {
    const door = await openDoor(url ?? databaseUrl)
    closers.push(() => door.shut())
    const queues = open(url ? { redisUrl: door.url } : { databaseUrl: door.url })
    const queue = newQueueName()
    const seen: JobKind[] = []
    await queues.workNode(queue, async (kind) => void seen.push(kind)).ready
    await vi.waitUntil(() => queues.hint(queue, 'listeners.changed'), until)
    await vi.waitUntil(() => seen.includes('listeners.changed'), until)
    await door.shut()
    expect(await queues.hint(queue, 'policy.changed')).toBe(false)
    await door.open()
    await vi.waitUntil(() => seen.includes('policy.changed'), until)
    await vi.waitUntil(() => queues.hint(queue, 'device.detach'), until)
    await vi.waitUntil(() => seen.includes('device.detach'), until)
  })
})

it.runIf(redisUrl)(
  'A07 jobs say no more than what to look at, and the next hint comes through after Redis lost them all',
  async () => {
    const redis = new Redis(redisUrl ?? '')
    closers.push(() => redis.disconnect())
    const queues = open({ redisUrl: redisUrl ?? undefined })
    const queue = newQueueName()
    await vi.waitUntil(() => queues.hint(queue, 'policy.changed'), until)
    const keys = await redis.keys(`*${queue}*`)
    const jobs = (await Promise.all(keys.map((key) => redis.hget(key, 'data').catch(() => null)))).filter(
      (data) => data !== null,
    )
    expect(jobs).toEqual(['{}'])
    await redis.del(...keys)
    const seen: JobKind[] = []
    await queues.workNode(queue, async (kind) => void seen.push(kind)).ready
    await vi.waitUntil(() => queues.hint(queue, 'listeners.changed'), until)
    await vi.waitUntil(() => seen.length > 0, until)
    expect(seen).toEqual(['listeners.changed'])
  },
)
