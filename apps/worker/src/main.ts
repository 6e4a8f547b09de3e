#!/usr/bin/env node
/** Entry point of the worker process. */
import { ConfigError, loadConfig, readSealingKeys } from '@culvert/config'
import { createKeyRing, isDatabaseUnavailable, openPool, unreachableSentence } from '@culvert/db'
import { egressOptions, openEgress } from '@culvert/egress'
import { createLogger } from '@culvert/observability'
import { requireQueueStore } from '@culvert/queue'
import { openCrlFetcher } from './crl-fetcher.ts'
import { runWorker, type WebhookSending } from './run-worker.ts'
import { WorkerSettings } from './settings.ts'

try {
  const settings = loadConfig(WorkerSettings, process.env)
  await checkDatabase(settings.DATABASE_URL)
  await requireQueueStore({ redisUrl: settings.REDIS_URL })
  const logger = createLogger('worker', settings.LOG_LEVEL)
  const worker = runWorker({
    databaseUrl: settings.DATABASE_URL,
    redisUrl: settings.REDIS_URL,
    eventRetentionDays: settings.EVENT_RETENTION_DAYS,
    webhooks: await webhookSending(settings),
    egress: openEgress(egressOptions(settings)),
    ...(settings.CRL_HOSTS !== undefined && {
      crlFetcher: openCrlFetcher(settings.CRL_HOSTS, egressOptions(settings)),
    }),
    offlineAfterMs: settings.OFFLINE_AFTER_SEC * 1_000,
    logger,
  })
  logger.info({}, 'the worker runs')
  const stop = (): void => {
    worker.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : (error as Error).message}\n`)
  process.exit(1)
}

async function webhookSending(settings: WorkerSettings): Promise<WebhookSending | undefined> {
  const { WEBHOOK_SEALING_KEY_FILE: file } = settings
  if (file === undefined) return undefined
  const keys = createKeyRing(await readSealingKeys(file, 'WEBHOOK_SEALING_KEY_FILE'))
  return { keys, egress: openEgress({ ...egressOptions(settings), maxSockets: 1_024 }) }
}

/** At start a database that cannot be reached is one clear sentence; later it is waited for. */
async function checkDatabase(url: string): Promise<void> {
  const pool = openPool(url, { max: 1, applicationName: 'culvert-worker', role: 'culvert_worker' })
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error
    throw new Error(unreachableSentence('The worker', url), { cause: error })
  } finally {
    await pool.end()
  }
}
