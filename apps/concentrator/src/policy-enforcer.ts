/**
 * Makes the node do what Postgres says: a deleted device, a revoked credential, a LAN that is not its any more, a detach request or
 * a newer owner ends the attachment here.
 *
 * What came since, a LAN or a pool of its network, is offered to a device that stays.
 *
 * A held device whose row says that it is attached nowhere (this node was taken for dead, but lives) is written again.
 *
 * One run at a time; a notice during a run leads to one more. Runs on a job, on a notice, on start, after the notice
 * connection came back, and every few seconds: a lost job heals by itself.
 */
import type { AttachmentRecord, AttachmentRegistry, CredentialCache } from '@culvert/concentrator-core'
import {
  isDatabaseUnavailable,
  markPolicyApplied,
  readHeldDevices,
  readPolicyWork,
  type PolicyWork,
  type Pool,
} from '@culvert/db'
import type { AttachmentKey, CloseReason } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'

const HELD_CHECK_DEVICES = 1000

export interface PolicyEnforcer {
  /** Looks at what changed; resolves when the run that saw this call's state is over. Rejects when Postgres is away. */
  reconcile(): Promise<void>
  /** Also compares every held device with its row, a slice at a time. */
  checkHeld(): Promise<void>
}

export function createPolicyEnforcer(options: {
  pool: Pool
  nodeName: string
  registry: AttachmentRegistry
  cache: CredentialCache
  close: (key: AttachmentKey, reason: CloseReason) => void
  /** Holds the traffic of a device that stays to what is said now. */
  update: (work: PolicyWork) => void
  /** Offers a device that stays what it may have since. */
  renew: (work: PolicyWork) => void
  /** Writes the device's row anew, with event and notice. */
  rewrite: (deviceId: string) => void
  log: Logger
}): PolicyEnforcer {
  const { pool, nodeName, registry, cache, log } = options
  let running: Promise<void> | null = null
  let again: Promise<void> | null = null
  let checked: string[] = []

  async function run(): Promise<void> {
    for (;;) {
      const work = await readPolicyWork(pool, nodeName)
      for (const item of work) enforce(item)
      await markPolicyApplied(pool, nodeName, work)
      if (work.length < 1000) return
    }
  }

  function enforce(work: PolicyWork): void {
    cache.forgetDevice(work.deviceId)
    const record = registry.byDevice(work.deviceId)
    if (!record || record.state !== 'attached') return
    const reason = reasonToClose(work, record)
    if (!reason) {
      options.update(work)
      options.renew(work)
      return
    }
    log.info({ deviceId: work.deviceId, reason }, 'ending an attachment')
    options.close(record.key, reason)
  }

  function reclaim(deviceId: string): void {
    log.info({ deviceId }, 'a device held here counts as detached; writing it again')
    options.rewrite(deviceId)
  }

  return {
    reconcile() {
      if (!running) {
        running = run().finally(() => {
          running = null
        })
        return running
      }
      again ??= running
        .catch(() => {})
        .then(() => {
          again = null
          running = run().finally(() => {
            running = null
          })
          return running
        })
      return again
    },
    async checkHeld() {
      if (checked.length === 0) checked = [...registry.attached()].map((record) => record.deviceId)
      const slice = checked.splice(0, HELD_CHECK_DEVICES)
      try {
        for (const work of await readHeldDevices(pool, nodeName, slice)) {
          const record = registry.byDevice(work.deviceId)
          if (record?.state !== 'attached') continue
          if (reasonToClose(work, record)) enforce(work)
          else {
            if (work.attachedNowhere) reclaim(work.deviceId)
            options.renew(work)
          }
        }
      } catch (error) {
        if (!isDatabaseUnavailable(error)) throw error
      }
    },
  }
}

function reasonToClose(work: PolicyWork, record: AttachmentRecord): CloseReason | null {
  if (work.deleted) return 'revoked'
  if (work.heldElsewhere) return 'superseded'
  if (work.detachRequested) return 'deletedLocally'
  const mayHave = [...record.lanPrefixes, ...(record.offered?.lanPrefixes ?? [])]
  if (mayHave.some((prefix) => !work.lanPrefixes.includes(prefix))) return 'revoked'
  if (!work.validCredentialIds.includes(record.credentialId)) return 'revoked'
  return record.ike.tier && !work.tiers.includes(record.ike.tier) ? 'revoked' : null
}
