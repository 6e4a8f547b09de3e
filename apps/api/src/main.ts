#!/usr/bin/env node
/** Entry point of the API process. */
import { ConfigError, loadConfig } from '@culvert/config'
import { QueueStoreError, requireQueueStore } from '@culvert/queue'
import { runApi, StartError } from './run-api.ts'
import { ApiSettings } from './settings.ts'

try {
  const settings = loadConfig(ApiSettings, process.env)
  await requireQueueStore({ redisUrl: settings.REDIS_URL })
  const api = await runApi(settings)
  const stop = (): void => {
    api.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
} catch (error) {
  const known = [ConfigError, QueueStoreError, StartError].some((kind) => error instanceof kind)
  process.stderr.write(`${known ? (error as Error).message : String((error as Error).stack ?? error)}\n`)
  process.exit(1)
}
