/** The API as a process: migrates, builds, listens. A database that cannot be reached at start is one clear sentence. */
import { allotPools6, databasePlace, isDatabaseUnavailable, migrate, openPool, unreachableSentence } from '@culvert/db'
import { egressOptions, openEgress } from '@culvert/egress'
import { createLogger, redactText, type Logger } from '@culvert/observability'
import { makeQueueTables } from '@culvert/queue'
import { buildApi } from './build-api.ts'
import { loginSettings, webhookSettings, type ApiSettings } from './settings.ts'

export interface RunningApi {
  /** Where it listens, such as http://127.0.0.1:8080. */
  readonly url: string
  close(): Promise<void>
}

export class StartError extends Error {}

export async function runApi(settings: ApiSettings): Promise<RunningApi> {
  const logger = createLogger('api', settings.LOG_LEVEL)
  await prepareOrExplain(settings)
  const pool6Prefix = settings.POOL_PREFIX6 === 'none' ? null : settings.POOL_PREFIX6
  if (pool6Prefix !== null) await extendToIpv6(settings.DATABASE_URL, pool6Prefix, logger)
  const api = await buildApi({
    databaseUrl: settings.DATABASE_URL,
    redisUrl: settings.REDIS_URL,
    sealingPublicKey: settings.SEALING_PUBLIC_KEY,
    zone: settings.CULVERT_ZONE,
    servicePrefix: settings.SERVICE_PREFIX,
    servicePrefix6: settings.SERVICE_PREFIX6,
    pool6Prefix,
    trustProxy: settings.API_TRUST_PROXY,
    egress: openEgress(egressOptions(settings)),
    login: loginSettings(settings) ?? undefined,
    webhooks: webhookSettings(settings) ?? undefined,
    publicUrl: settings.API_PUBLIC_URL,
    rateLimits: {
      organization: settings.RATE_LIMIT_ORGANIZATION,
      key: settings.RATE_LIMIT_KEY,
      address: settings.RATE_LIMIT_ADDRESS,
    },
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

const insufficientPrivilege = '42501'

/** Networks from before there was a prefix for them. */
async function extendToIpv6(databaseUrl: string, pool6Prefix: string, logger: Logger): Promise<void> {
  const pool = openPool(databaseUrl, { max: 1, applicationName: 'culvert-api' })
  try {
    const networks = await allotPools6(pool, pool6Prefix)
    if (networks > 0) logger.info({ networks }, 'networks from before got IPv6 pools')
  } catch (error) {
    // A login that is a member of the API's role alone sees no networks of others: the owner's next start does it.
    if ((error as { code?: string }).code !== insufficientPrivilege) throw error
    logger.debug({ err: error }, 'networks from before keep IPv4 alone: this login may not change them')
  } finally {
    await pool.end()
  }
}

async function prepareOrExplain({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl }: ApiSettings): Promise<void> {
  try {
    await migrate(databaseUrl)
    if (!redisUrl) await prepareJobTables(databaseUrl)
  } catch (error) {
    const text = isDatabaseUnavailable(error)
      ? unreachableSentence('The API', databaseUrl)
      : `The API cannot prepare the database at ${databasePlace(databaseUrl)}: ${redactText((error as Error).message)}.`
    throw new StartError(text, { cause: error })
  }
}

/** For processes whose logins may not make them. */
async function prepareJobTables(databaseUrl: string): Promise<void> {
  try {
    await makeQueueTables(databaseUrl)
  } catch (error) {
    // The API's own login may not either: the queue warns for as long as they are missing.
    if ((error as { code?: string }).code !== insufficientPrivilege) throw error
  }
}
