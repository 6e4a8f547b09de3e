/**
 * Typed queues for commands to nodes. `hint` never fails: what could not be said now is said once the store is back, one
 * hint per queue and kind, and a sweeper repeats what is still undone. `workNode` runs one handler at a time.
 */
import { openBackend, type BullQueue, type BullWorker } from './backend.ts'
import { jobKinds, type JobKind, type NodeQueue } from './names.ts'
import { keepAlive, withTimeout, type Reviving } from './reviving.ts'

/** What this package says to a log; pino fits. */
export interface QueueLogger {
  warn(fields: object, message: string): void
  debug(fields: object, message: string): void
}

export interface QueuesOptions {
  readonly databaseUrl: string
  readonly redisUrl?: string | undefined
  readonly logger: QueueLogger
  /** Queues and workers this process will use, for the size of its pool; 4 when left out. */
  readonly expectedObjects?: number
}

export interface HintOptions {
  /** Hints with the same id become one while one waits; the kind when left out. */
  readonly dedup?: string
  /** Ids of what to look at, {@link mostHinted} at most; hints about the same things become one. */
  readonly about?: readonly string[]
}

/** Most ids of one hint. */
export const mostHinted = 20

export interface WorkHandle {
  /** Resolves when the worker takes jobs for the first time. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

export interface Queues {
  readonly store: 'redis' | 'postgres'
  /** @returns true when the hint is in the store, false when it will be repeated later */
  hint(queue: NodeQueue, kind: JobKind, options?: HintOptions): Promise<boolean>
  /** `handler` must be idempotent; when it rejects, the job is repeated with back-off. */
  workNode(queue: NodeQueue, handler: (kind: JobKind, about: readonly string[]) => Promise<void>): WorkHandle
  close(): Promise<void>
}

const hintTimeoutMs = 2_000

/** Returns at once, also while the store is away. */
export function openQueues(options: QueuesOptions): Queues {
  const onError = quietly(options.logger)
  const backend = openBackend({ ...options, expectedObjects: options.expectedObjects ?? 4, onError })
  const producers = new Map<NodeQueue, Producer>()
  const workers: Reviving<BullWorker>[] = []

  const producerOf = (name: NodeQueue): Producer => {
    const known = producers.get(name)
    if (known) return known
    const producer = openProducer(async () => {
      await backend.prepare()
      const queue = backend.newQueue(name)
      queue.on('error', onError)
      return queue
    }, onError)
    producers.set(name, producer)
    return producer
  }

  return {
    store: backend.store,
    hint: (queue, kind, { about = [], dedup = [kind, ...about].join(' ') } = {}) =>
      producerOf(queue).say({ kind, about }, dedup),
    workNode: (queue, handler) => {
      const worker = keepAlive<BullWorker>(
        async () => {
          await backend.prepare()
          const made = backend.newWorker(queue, async ({ name, data }) => {
            if (isJobKind(name)) await handler(name, idsOf(data))
          })
          made.on('error', onError)
          return made
        },
        () => options.logger.debug({ queue, store: backend.store }, 'taking jobs'),
        onError,
      )
      workers.push(worker)
      return { ready: worker.object.then(() => {}), close: worker.close }
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()))
      await Promise.all([...producers.values()].map((producer) => producer.close()))
      await backend.close()
    },
  }
}

interface Said {
  readonly kind: JobKind
  readonly about: readonly string[]
}

interface Producer {
  say(said: Said, dedup: string): Promise<boolean>
  close(): Promise<void>
}

/** Hints that could not be added wait in a map: bounded, because equal ones are one. */
function openProducer(build: () => Promise<BullQueue>, onError: (error: Error) => void): Producer {
  const unsaid = new Map<string, Said>()
  const maxUnsaid = 1_000
  let retry: NodeJS.Timeout | undefined
  let closed = false
  const holder = keepAlive<BullQueue>(build, () => void repeat(), onError)

  const add = async ({ kind, about }: Said, dedup: string): Promise<boolean> => {
    try {
      const queue = await withTimeout(holder.object, hintTimeoutMs)
      await withTimeout(
        queue.add(kind, about.length === 0 ? {} : { about }, { deduplication: { id: dedup, keepLastIfActive: true } }),
        hintTimeoutMs,
      )
      return true
    } catch (error) {
      if (!closed) onError(error as Error)
      return false
    }
  }
  const later = (said: Said, dedup: string): void => {
    if (closed || unsaid.size >= maxUnsaid) return
    unsaid.set(dedup, said)
    retry ??= setTimeout(() => {
      retry = undefined
      void repeat()
    }, 1_000).unref()
  }
  const repeat = async (): Promise<void> => {
    for (const [dedup, said] of new Map(unsaid)) {
      unsaid.delete(dedup)
      if (!(await add(said, dedup))) return later(said, dedup)
    }
  }
  return {
    say: async (said, dedup) => {
      const isSaid = await add(said, dedup)
      if (!isSaid) later(said, dedup)
      return isSaid
    },
    close: async () => {
      closed = true
      clearTimeout(retry)
      await holder.close()
    },
  }
}

/** Characters of an id. */
const longestId = 64

/** Jobs outlive releases, and whoever reaches the store can write one: what is no list of ids is none, and no job has more than a hint. */
function idsOf(data: unknown): readonly string[] {
  const { about } = (data ?? {}) as { about?: unknown }
  if (!Array.isArray(about)) return []
  const ids = about.slice(0, mostHinted).filter((id) => typeof id === 'string')
  return ids.filter((id) => id.length <= longestId)
}

function isJobKind(name: string): name is JobKind {
  return (jobKinds as readonly string[]).includes(name)
}

/** One warning per message and half minute: a store that is away would otherwise fill the log. */
function quietly(logger: QueueLogger): (error: Error) => void {
  const told = new Map<string, number>()
  return (error) => {
    const text = error.message || error.name
    const nowMs = Date.now()
    if (nowMs - (told.get(text) ?? 0) < 30_000) return
    if (told.size > 100) told.clear()
    told.set(text, nowMs)
    logger.warn({ err: error }, 'the job queue has trouble; rows stay the truth and hints are repeated')
  }
}
