/**
 * The worker: tunnels expire, waiting tunnels open when their device comes, silent nodes are buried, forgotten hints repeated.
 *
 * Beside that it takes operations further (operations/), gives events their place in the feed (relay.ts), does what rules say
 * (automation/), delivers events (webhooks/), adds up usage (usage-keeper.ts), and, where the operator lets it, fetches lists of revoked
 * certificates (revocation-lists.ts).
 *
 * Woken by NOTIFY device_changed, by jobs on the queues `lifecycle` and `operations`, by the next expiry and by a timer; all of
 * them only say "look". While the database is away it waits and says so once.
 */
import {
  deviceChangedChannel,
  eventAppendedChannel,
  listen,
  nodeDeadAfterSec,
  openPool,
  ruleRunDueChannel,
  type KeyRing,
  type RelayConsumer,
} from '@culvert/db'
import { openEgress, type Egress } from '@culvert/egress'
import { createLogger, type Logger } from '@culvert/observability'
import type { CrlFetcher } from '@culvert/pki'
import { lifecycleQueue, mostHinted, openQueues, operationsQueue, webhooksQueue } from '@culvert/queue'
import { RuleRunner } from './automation/rule-runner.ts'
import { EventRetention } from './event-retention.ts'
import type { OperationHandlers } from './operations/operation-handler.ts'
import { operationHandlers } from './operations/operation-handlers.ts'
import { OperationRunner } from './operations/operation-runner.ts'
import { Outage } from './outage.ts'
import { relayConsumers } from './relay-consumers.ts'
import { Relay } from './relay.ts'
import { RevocationLists } from './revocation-lists.ts'
import { Sweeper } from './sweeper.ts'
import { Teller } from './teller.ts'
import { UsageKeeper } from './usage-keeper.ts'
import { webhookConsumer } from './webhooks/consumer.ts'
import { Dispatcher, type DispatcherOptions } from './webhooks/dispatcher.ts'

/** What it takes to deliver events. */
export interface WebhookSending extends Pick<
  DispatcherOptions,
  'slots' | 'pollMs' | 'timeoutMs' | 'slowMs' | 'random'
> {
  /** Opens the keys of endpoints. */
  readonly keys: KeyRing
  readonly egress: Egress
}

export interface WorkerOptions {
  readonly databaseUrl: string
  readonly redisUrl?: string | undefined
  readonly logger?: Logger | undefined
  /** Longest pause between two passes. */
  readonly sweepIntervalMs?: number | undefined
  /** Pause between two passes over usage. */
  readonly usageIntervalMs?: number | undefined
  /** Silence after which a node counts as dead. */
  readonly nodeDeadAfterMs?: number | undefined
  /** How long a device must be away before its `device.offline`; one that comes back earlier was not. */
  readonly offlineAfterMs?: number | undefined
  /** Other kinds of operations than there are. */
  readonly operationHandlers?: OperationHandlers | undefined
  /** Time of an operation before others come first. */
  readonly operationTurnMs?: number | undefined
  /** How long events are kept; 90 when left out. */
  readonly eventRetentionDays?: number | undefined
  /** How URLs of customers are called; to the public Internet alone when left out. */
  readonly egress?: Egress | undefined
  /** Others are told of events than usual. */
  readonly relayConsumers?: readonly RelayConsumer[] | undefined
  /** Fetches lists of revoked certificates; none are fetched when left out. */
  readonly crlFetcher?: CrlFetcher | undefined
  /** Longest pause between two looks at lists that are due. */
  readonly crlIntervalMs?: number | undefined
  /** Without it deliveries wait for another worker. */
  readonly webhooks?: WebhookSending | undefined
}

export interface RunningWorker {
  /** Resolves when everything that was due at the time of the call has been done. */
  sweep(): Promise<void>
  close(): Promise<void>
}

const shortestPauseMs = 50

/** Returns at once, also while the database is away. */
export function runWorker(options: WorkerOptions): RunningWorker {
  const { databaseUrl, redisUrl, logger = createLogger('worker', 'silent') } = options
  const intervalMs = options.sweepIntervalMs ?? 5_000
  const broken = (error: Error): void => logger.debug({ err: error }, 'a connection to the database broke')
  const pool = openPool(databaseUrl, {
    max: 8,
    applicationName: 'culvert-worker',
    role: 'culvert_worker',
    onError: broken,
  })
  const queues = openQueues({ databaseUrl, redisUrl, logger, expectedObjects: 7 })
  const sweeper = new Sweeper({
    pool,
    queues,
    logger,
    nodeDeadAfterMs: options.nodeDeadAfterMs ?? nodeDeadAfterSec * 1_000,
  })
  const told = tellOnce(logger)
  const teller = new Teller({ pool, offlineAfterMs: options.offlineAfterMs ?? 5_000, intervalMs, told })
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let last: Promise<void> = Promise.resolve()
  const changedDevices = new Set<string>()

  /** Passes follow one another; each looks at everything, so one that is asked for later sees what was due before. */
  const sweep = (): Promise<void> => {
    last = last.then(async () => {
      if (closed) return
      clearTimeout(timer)
      const dueMs = await told(() => sweeper.sweep())
      const pauseMs = Math.min(intervalMs * (0.75 + Math.random() / 4), Math.max(dueMs ?? intervalMs, shortestPauseMs))
      if (!closed) timer = setTimeout(() => void sweep(), pauseMs)
    })
    return last
  }

  /** Notices that come while a pass runs are one more pass. */
  const openWaiting = async (): Promise<void> => {
    const devices = [...changedDevices]
    changedDevices.clear()
    if (!closed) await told(() => sweeper.devicesChanged(devices))
  }

  const webhooks = webhookConsumer()
  const relay = new Relay({
    pool,
    logger,
    consumers: options.relayConsumers ?? [...relayConsumers, webhooks],
    relayed: () => {
      const endpoints = webhooks.takeTouched()
      for (let at = 0; at < endpoints.length; at += mostHinted)
        void queues.hint(webhooksQueue, 'deliveries.due', { about: endpoints.slice(at, at + mostHinted) })
    },
    pollMs: options.sweepIntervalMs,
  })
  const retention = new EventRetention({ pool, logger, days: options.eventRetentionDays ?? 90 })
  const egress = options.egress ?? openEgress()
  const rules = new RuleRunner({ pool, queues, egress, logger })
  const listener = listen(
    databaseUrl,
    [deviceChangedChannel, eventAppendedChannel, ruleRunDueChannel],
    (notice) => {
      if (closed) return
      if (notice === 'reconnected' || notice.channel === eventAppendedChannel) relay.wake()
      if (notice === 'reconnected' || notice.channel === ruleRunDueChannel) rules.wake()
      if (notice === 'reconnected') {
        teller.wake()
        return void sweep()
      }
      if (notice.channel !== deviceChangedChannel) return
      teller.wake()
      changedDevices.add(notice.payload)
      if (changedDevices.size === 1) last = last.then(openWaiting)
    },
    { applicationName: 'culvert-worker-listen', role: 'culvert_worker', onError: broken },
  )
  const operations = new OperationRunner({
    pool,
    queues,
    logger,
    handlers: options.operationHandlers ?? operationHandlers,
    turnMs: options.operationTurnMs,
    pollMs: options.sweepIntervalMs,
  })
  const usage = new UsageKeeper({ pool, logger, intervalMs: options.usageIntervalMs })
  const { crlFetcher = null, crlIntervalMs } = options
  const lists = new RevocationLists({ pool, queues, logger, fetcher: crlFetcher, intervalMs: crlIntervalMs })
  const dispatcher = options.webhooks && new Dispatcher({ pool, logger, ...options.webhooks })
  if (dispatcher) queues.workNode(webhooksQueue, async (_kind, about) => dispatcher.want(about))
  queues.workNode(lifecycleQueue, () => sweep())
  queues.workNode(operationsQueue, async () => operations.wake())
  void sweep()
  return {
    sweep: async () => {
      await sweep()
      await teller.pass()
    },
    close: async () => {
      closed = true
      clearTimeout(timer)
      await listener.close()
      await operations.close()
      await teller.close()
      await relay.close()
      await dispatcher?.close()
      await retention.close()
      await usage.close()
      await lists.close()
      await rules.close()
      await last
      clearTimeout(timer)
      await queues.close()
      await pool.end()
    },
  }
}

/** Runs work that may fail, and tells of it. */
function tellOnce(logger: Logger): <T>(work: () => Promise<T>) => Promise<T | null> {
  const outage = new Outage(logger, { waits: 'what is due waits', failed: 'a pass failed; it is repeated' })
  return async (work) => {
    try {
      const result = await work()
      outage.over()
      return result
    } catch (error) {
      outage.tell(error)
      return null
    }
  }
}
