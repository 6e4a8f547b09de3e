/**
 * The node's pulse: its row every five seconds, counters of its Child SAs every ten, and a slice of its devices compared with
 * their rows, so that what notices missed is found.
 */
import type { AttachmentRegistry } from '@culvert/concentrator-core'
import type { DataPlane } from '@culvert/dataplane'
import {
  beatConcentrator,
  isDatabaseUnavailable,
  writeChildCounters,
  type ConcentratorState,
  type Pool,
} from '@culvert/db'
import type { Logger } from '@culvert/observability'
import type { DevicePolicies } from './device-policies.ts'
import type { HostKeeper } from './host-keeper.ts'
import type { PolicyEnforcer } from './policy-enforcer.ts'
import type { Redirector } from './redirector.ts'
import { createSaCounting } from './sa-counting.ts'

const BEAT_MS = 5000

export interface Heartbeat {
  beat(state: ConcentratorState): Promise<void>
  stop(): void
}

export function startHeartbeat(options: {
  pool: Pool
  nodeName: string
  registry: AttachmentRegistry
  dataPlane: DataPlane
  enforcer: PolicyEnforcer
  hosts: Pick<HostKeeper, 'reconcile'>
  redirector: Redirector
  policies: Pick<DevicePolicies, 'count'>
  log: Logger
}): Heartbeat {
  const { pool, nodeName, registry, dataPlane, enforcer, hosts, redirector, policies, log } = options
  const counting = createSaCounting({ registry, dataPlane, write: (counters) => writeChildCounters(pool, counters) })
  let busy = false
  let beats = 0

  async function beat(state: ConcentratorState): Promise<void> {
    const { attachedCount } = registry
    await beatConcentrator(pool, { id: nodeName, state, attachedCount, dataPlane: dataPlane.description })
  }

  const timer = setInterval(() => {
    if (busy) return
    busy = true
    beats++
    // One that fails does not hold up the others: a revocation must not wait for counters.
    const steps = [
      () => beat('ready'),
      ...(beats % 2 === 0 ? [counting.count, policies.count] : []),
      enforcer.reconcile,
      enforcer.checkHeld,
      hosts.reconcile,
      redirector.reconcile,
    ]
    void inOrder(steps).finally(() => {
      busy = false
    })
  }, BEAT_MS)

  async function inOrder(steps: readonly (() => Promise<void>)[]): Promise<void> {
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        if (isDatabaseUnavailable(error)) return
        log.error({ err: error }, 'a step of the heartbeat failed')
      }
    }
  }

  return { beat, stop: () => clearInterval(timer) }
}
