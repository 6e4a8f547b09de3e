/** The API as a process: migrates, builds, listens. A database that cannot be reached at start is one clear sentence. */
import { isDatabaseUnavailable, migrate } from '@culvert/db'
import { createLogger, redactText } from '@culvert/observability'
import { buildApi } from './build-api.ts'
import type { ApiSettings } from './settings.ts'

export interface RunningApi {
  /** Where it listens, such as http://127.0.0.1:8080. */
  readonly url: string
  close(): Promise<void>
}

export class StartError extends Error {}

export async function runApi(settings: ApiSettings): Promise<RunningApi> {
  const logger = createLogger('api', settings.LOG_LEVEL)
  await migrateOrExplain(settings.DATABASE_URL)
  const api = await buildApi({
    databaseUrl: settings.DATABASE_URL,
    redisUrl: settings.REDIS_URL,
    sealingPublicKey: settings.SEALING_PUBLIC_KEY,
    zone: settings.CULVERT_ZONE,
    servicePrefix: settings.SERVICE_PREFIX,
    trustProxy: settings.API_TRUST_PROXY,
    logger,
  })
  try {
    const url = await api.listen({ host: settings.API_HOST, port: settings.API_PORT })
    logger.info({ url }, 'the API listens')
    return { url, close: () => api.close() }
  } catch (error) {
    await api.close()
    const code = (error as { code?: string }).code ?? String(error)
    throw new StartError(`The API cannot listen on ${settings.API_HOST}:${settings.API_PORT} (${code}).`, {
      cause: error,
    })
  }
}

async function migrateOrExplain(databaseUrl: string): Promise<void> {
  try {
    await migrate(databaseUrl)
  } catch (error) {
    const { hostname, port } = new URL(databaseUrl)
    const where = `${hostname}:${port === '' ? 5432 : port}`
    const text = isDatabaseUnavailable(error)
      ? `The API cannot reach PostgreSQL at ${where}: check DATABASE_URL and that the server runs.`
      : `The API cannot prepare the database at ${where}: ${redactText((error as Error).message)}.`
    throw new StartError(text, { cause: error })
  }
}
