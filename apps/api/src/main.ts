#!/usr/bin/env node
/** Entry point of the API process. */
import { ConfigError, loadConfig } from '@culvert/config'
import { runApi, StartError } from './run-api.ts'
import { ApiSettings } from './settings.ts'

try {
  const api = await runApi(loadConfig(ApiSettings, process.env))
  const stop = (): void => {
    api.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
} catch (error) {
  const known = error instanceof ConfigError || error instanceof StartError
  process.stderr.write(`${known ? error.message : String((error as Error).stack ?? error)}\n`)
  process.exit(1)
}
