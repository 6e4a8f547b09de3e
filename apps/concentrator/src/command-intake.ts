/**
 * The three ways a command reaches this node: a Postgres notice (fast), its BullMQ queue (second path), and a timer elsewhere.
 *
 * None carries content that is trusted: each only makes the node look at the desired state.
 */
import type { CredentialCache } from '@culvert/concentrator-core'
import { concentratorChannel, isDatabaseUnavailable, listen } from '@culvert/db'
import type { Logger } from '@culvert/observability'
import { concentratorQueue, openQueues } from '@culvert/queue'
import type { HostKeeper } from './host-keeper.ts'
import type { PolicyEnforcer } from './policy-enforcer.ts'
import type { Redirector } from './redirector.ts'
import type { LivingRealm } from './realm.ts'
import type { ConcentratorSettings } from './settings.ts'

export interface CommandIntake {
  stop(): Promise<void>
}

export function startCommandIntake(options: {
  settings: ConcentratorSettings
  enforcer: PolicyEnforcer
  hosts: Pick<HostKeeper, 'reconcile'>
  redirector: Redirector
  cache: CredentialCache
  realm: Pick<LivingRealm, 'refresh'>
  log: Logger
}): CommandIntake {
  const { settings, enforcer, hosts, redirector, cache, realm, log } = options
  const own = concentratorChannel(settings.nodeName)

  function look(): void {
    for (const part of [enforcer, hosts, redirector]) {
      part.reconcile().catch((error: unknown) => {
        if (!isDatabaseUnavailable(error)) log.error({ err: error }, 'reconciling failed')
      })
    }
  }

  const listener = listen(
    settings.databaseUrl,
    [own],
    (notice) => {
      if (notice === 'reconnected') cache.clear() // notices may have been lost
      else if (notice.payload) cache.forgetDevice(notice.payload)
      // About no device: perhaps about our certificate.
      if (notice === 'reconnected' || !notice.payload) void realm.refresh()
      look()
    },
    { role: 'culvert_concentrator' },
  )
  const queues = openQueues({
    databaseUrl: settings.databaseUrl,
    redisUrl: settings.redisUrl ?? undefined,
    logger: log,
  })
  queues.workNode(concentratorQueue(settings.nodeName), async () => {
    await Promise.all([enforcer, hosts, redirector].map((part) => part.reconcile()))
  })
  look()
  return {
    async stop() {
      await listener.close()
      await queues.close()
    },
  }
}
