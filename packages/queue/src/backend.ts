/**
 * Where BullMQ keeps its jobs: Redis when there is a URL for it, else PostgreSQL in a schema of its own. One pool serves
 * all queues and workers of a process, because each would otherwise bring its own.
 */
import * as bullmq from 'bullmq'
import pg from 'pg'
import { areUpToDate, asQueueRole, makeQueueTables } from './tables.ts'

export type BullQueue = Pick<bullmq.Queue, 'add' | 'close' | 'waitUntilReady'> & {
  on(event: 'error', heard: (error: Error) => void): unknown
}
export type BullWorker = Pick<bullmq.Worker, 'close' | 'waitUntilReady'> & {
  on(event: 'error', heard: (error: Error) => void): unknown
}
export type Processor = (job: { readonly name: string; readonly data: unknown }) => Promise<void>

export interface Backend {
  readonly store: 'redis' | 'postgres'
  /** Makes the tables of the queues; rejects while the store is away. */
  prepare(): Promise<void>
  newQueue(name: string): BullQueue
  newWorker(name: string, processor: Processor): BullWorker
  close(): Promise<void>
}

export interface BackendOptions {
  readonly databaseUrl: string
  readonly redisUrl?: string | undefined
  /** Queues and workers in this process, for the size of the pool. */
  readonly expectedObjects: number
  readonly onError: (error: Error) => void
}

const workerSettings = {
  lockDuration: 15_000,
  stalledInterval: 5_000,
  maxStalledCount: 5,
  runRetryDelay: 1_000,
  drainDelay: 5,
  concurrency: 1,
}

const jobSettings = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 500 },
  removeOnComplete: { count: 100 },
  removeOnFail: { age: 86_400, count: 1_000 },
}

export function openBackend(options: BackendOptions): Backend {
  return options.redisUrl ? redisBackend(options.redisUrl) : postgresBackend(options)
}

function redisBackend(url: string): Backend {
  // A producer must not queue commands for a Redis that is away: the row is the truth, and the hint is repeated.
  const producer = { url, maxRetriesPerRequest: 1, enableOfflineQueue: false, connectTimeout: 2_000 }
  const consumer = { url, maxRetriesPerRequest: null, connectTimeout: 2_000 }
  return {
    store: 'redis',
    prepare: async () => {},
    newQueue: (name) => new bullmq.Queue(name, { connection: producer, defaultJobOptions: jobSettings }),
    newWorker: (name, processor) => new bullmq.Worker(name, processor, { connection: consumer, ...workerSettings }),
    close: async () => {},
  }
}

function postgresBackend({ databaseUrl, expectedObjects, onError }: BackendOptions): Backend {
  const bound = bullmq.withBackend(bullmq.createPostgresBackend)
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: expectedObjects + 4,
    application_name: 'culvert-queue',
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    options: asQueueRole,
  })
  pool.on('error', onError)
  // The pool listens only to idle connections: one that is lent out and breaks between two statements would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.setMaxListeners(0)
  let migrated = false
  const connection = pool as never
  return {
    store: 'postgres',
    prepare: async () => {
      if (migrated) return
      if (!(await areUpToDate(pool))) await makeQueueTables(databaseUrl)
      migrated = true
    },
    newQueue: (name) => new bound.Queue(name, { connection, defaultJobOptions: jobSettings }),
    newWorker: (name, processor) => new bound.Worker(name, processor, { connection, ...workerSettings }),
    close: () => pool.end(),
  }
}
