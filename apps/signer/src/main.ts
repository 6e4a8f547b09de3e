#!/usr/bin/env node
/** Entry point of the signer process. */
import { loadConfig } from '@culvert/config'
import { isDatabaseUnavailable, openPool, unreachableSentence } from '@culvert/db'
import { createLogger } from '@culvert/observability'
import { requireQueueStore } from '@culvert/queue'
import { loadAuthority, loadFormer, readPassphrase, type LoadedAuthority } from './load-authority.ts'
import { runSigner } from './run-signer.ts'
import { SignerSettings } from './settings.ts'

const DAY_MS = 86_400_000

try {
  const settings = loadConfig(SignerSettings, process.env)
  const { authority, former } = await load(settings)
  await requireQueueStore({ redisUrl: settings.REDIS_URL })
  const logger = createLogger('signer', settings.LOG_LEVEL)
  const signer = runSigner({
    databaseUrl: settings.DATABASE_URL,
    redisUrl: settings.REDIS_URL,
    authority,
    former: former ?? undefined,
    lifetimes: {
      deviceMs: settings.SIGNER_DEVICE_DAYS * DAY_MS,
      gatewayMs: settings.SIGNER_GATEWAY_DAYS * DAY_MS,
    },
    crlUrl: settings.SIGNER_CRL_URL,
    logger,
  })
  logger.info({ authority: authority.id, isNew: authority.isNew }, 'the signer runs')
  const stop = (): void => {
    signer.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exit(1)
}

async function load(
  settings: SignerSettings,
): Promise<{ readonly authority: LoadedAuthority; readonly former: LoadedAuthority | null }> {
  const { DATABASE_URL, SIGNER_KEY_FILE, SIGNER_FORMER_KEY_FILE, SIGNER_PASSPHRASE_FILE } = settings
  const pool = openPool(DATABASE_URL, { max: 1, applicationName: 'culvert-signer', role: 'culvert_signer' })
  try {
    const passphrase = SIGNER_PASSPHRASE_FILE === undefined ? null : await readPassphrase(SIGNER_PASSPHRASE_FILE)
    const former =
      SIGNER_FORMER_KEY_FILE === undefined ? null : await loadFormer(SIGNER_FORMER_KEY_FILE, pool, passphrase)
    return { authority: await loadAuthority(SIGNER_KEY_FILE, pool, { passphrase, former }), former }
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error
    throw new Error(unreachableSentence('The signer', DATABASE_URL), { cause: error })
  } finally {
    await pool.end()
  }
}
