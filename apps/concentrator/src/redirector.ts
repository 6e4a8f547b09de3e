/**
 * Sends devices to another gateway while the operator wants this node empty (RFC 5685): newcomers in IKE_SA_INIT, those that are
 * attached some at a time, or the other gateway hears of all of them in one moment. Who does not follow redirects stays.
 *
 * What shall be is read from the database; a notice only says that it may have changed.
 */
import type { AttachmentRegistry } from '@culvert/concentrator-core'
import { parseIp } from '@culvert/bytes'
import type { AttachmentKey, Command, GatewayIdentity } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'

/** Devices sent away in one pass, and how long after it the next one may be. */
const MOST_IN_PASS = 100
const PASS_MS = 1000

export interface Redirector {
  reconcile(): Promise<void>
}

export function createRedirector(options: {
  /** Address or name of the other gateway; null: devices stay. */
  read: () => Promise<string | null>
  registry: Pick<AttachmentRegistry, 'attached'>
  command: (command: Command) => void
  nowMs: () => number
  log: Pick<Logger, 'info'>
}): Redirector {
  const { registry, command, nowMs, log } = options
  let to: string | null = null
  /** Attachments that were told. */
  let told = new Set<AttachmentKey>()
  let earliestMs = -Infinity
  let running: Promise<void> | null = null

  async function look(): Promise<void> {
    const wanted = await options.read()
    if (wanted !== to) {
      to = wanted
      told = new Set()
      command({ kind: 'redirectNewcomers', to: wanted === null ? null : gatewayOf(wanted) })
      log.info({ to: wanted }, wanted === null ? 'devices stay here again' : 'devices are sent to another gateway')
    }
    if (to === null || nowMs() < earliestMs) return
    earliestMs = nowMs() + PASS_MS
    sendSome(gatewayOf(to))
  }

  function sendSome(gateway: GatewayIdentity): void {
    const present = new Set<AttachmentKey>()
    let left = MOST_IN_PASS
    for (const { key } of registry.attached()) {
      if (told.has(key)) present.add(key)
      else if (left > 0) {
        left--
        present.add(key)
        command({ kind: 'redirect', key, to: gateway })
      }
    }
    told = present
  }

  return {
    reconcile() {
      running ??= look().finally(() => {
        running = null
      })
      return running
    },
  }
}

function gatewayOf(text: string): GatewayIdentity {
  const octets = parseIp(text)
  if (octets === undefined) return { kind: 'fqdn', name: text }
  return { kind: octets.length === 4 ? 'ip4' : 'ip6', address: text }
}
