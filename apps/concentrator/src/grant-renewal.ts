/**
 * Offers devices that stay attached what they may have since: a LAN behind them, a pool of their network, the other devices in it.
 *
 * The IKE core is told of the new grant, and offers it in a rekey of the Child SA (RFC 7296 2.9.2). A device whose own configuration
 * knows nothing of it narrows it again and loses nothing; when it asks later, it is granted.
 * What is taken away is nothing of this: a LAN ends the attachment, and other devices are out of reach by the policy of the data plane.
 *
 * One change may be about all devices of a node, so at most so many are told in a moment; each waits in line once, with what was read last.
 * Organizations take turns: the single change of one does not wait for the thousands of another.
 *
 * ```
 *   offered     the core may grant it from now on: a LAN that is taken away meanwhile ends the attachment
 *   answered    a rekey is through, whatever the device took of it: granted, and not offered again
 *   no answer   refused, or lost: offered again after a while
 * ```
 */
import type { AttachmentRecord, AttachmentRegistry, CachedDevice } from '@culvert/concentrator-core'
import type { Command, IkeEvent, TrafficSelector } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { neighboursOf, selectorsOfLease, type Reach, type ServicePrefixes } from './lease.ts'
import { WaitingLine } from './waiting-line.ts'

/** A rekey costs two key exchanges of the core, which handshakes wait for. */
const AT_ONCE = 20
const PAUSE_MS = 100
/** An offer that was not answered costs one more rekey. */
const OFFER_AGAIN_MS = 600_000

/** Of a device, as Postgres says it now. */
export type Allowed = Pick<CachedDevice, 'deviceId' | 'lanPrefixes' | 'pools' | 'limits'>

export interface GrantRenewal {
  /** Does nothing for a device that was granted all of it, or is not here. */
  consider(allowed: Allowed): void
  /** After admission has heard of it. */
  onEvent(event: IkeEvent): void
  stop(): void
}

export function createGrantRenewal(options: {
  registry: Pick<AttachmentRegistry, 'byDevice' | 'byKey'>
  servicePrefixes: ServicePrefixes
  /** For an address or a prefix. */
  hostSelector: (address: string) => TrafficSelector
  command: (command: Command) => void
  nowMs: () => number
  log: Logger
}): GrantRenewal {
  const { registry, servicePrefixes, hostSelector, command, nowMs, log } = options
  const waiting = new WaitingLine<Allowed>()
  let timer: NodeJS.Timeout | null = null

  function newReachOf(allowed: Allowed): { record: AttachmentRecord; reach: Reach } | null {
    const record = registry.byDevice(allowed.deviceId)
    if (record?.state !== 'attached') return null
    const reach = { lanPrefixes: allowed.lanPrefixes, neighbours: neighboursOf(record, allowed) }
    return hasMore(reach, record) && !isOffered(reach, record) ? { record, reach } : null
  }

  function isOffered(reach: Reach, { offered }: AttachmentRecord): boolean {
    return offered !== null && nowMs() < offered.atMs + OFFER_AGAIN_MS && !hasMore(reach, offered)
  }

  function renew(allowed: Allowed): void {
    const found = newReachOf(allowed)
    if (found === null) return
    const { record, reach } = found
    record.offered = { ...reach, lanPrefixes: withEarlier(reach.lanPrefixes, record), atMs: nowMs() }
    const selectors = selectorsOfLease(record, servicePrefixes, reach, hostSelector)
    command({ kind: 'regrant', key: record.key, ...selectors })
    log.info({ deviceId: record.deviceId }, 'a device may reach or speak for more; offering it')
  }

  function drain(): void {
    timer = null
    for (let told = 0; told < AT_ONCE; told++) {
      const allowed = waiting.next()
      if (allowed === undefined) break
      renew(allowed)
    }
    if (!waiting.isEmpty) timer = setTimeout(drain, PAUSE_MS)
  }

  return {
    consider(allowed) {
      const { deviceId } = allowed
      const organizationId = registry.byDevice(deviceId)?.organizationId
      if (organizationId === undefined) return
      if (newReachOf(allowed) === null) {
        waiting.delete(organizationId, deviceId)
        return
      }
      waiting.add(organizationId, deviceId, allowed)
      timer ??= setTimeout(drain, 0)
    },
    onEvent(event) {
      if (event.kind !== 'childRekeyed') return
      const record = registry.byKey(event.key)
      if (!record?.offered) return
      const { lanPrefixes, neighbours } = record.offered
      Object.assign(record, { lanPrefixes, neighbours, offered: null })
    },
    stop() {
      if (timer !== null) clearTimeout(timer)
      waiting.clear()
    },
  }
}

/** A LAN that was offered before without an answer may be taken all the same. */
function withEarlier(lanPrefixes: readonly string[], { offered }: AttachmentRecord): readonly string[] {
  return offered === null ? lanPrefixes : [...new Set([...lanPrefixes, ...offered.lanPrefixes])]
}

function hasMore(reach: Reach, granted: Reach): boolean {
  return isBeyond(reach.lanPrefixes, granted.lanPrefixes) || isBeyond(reach.neighbours, granted.neighbours)
}

function isBeyond(prefixes: readonly string[], granted: readonly string[]): boolean {
  return prefixes !== granted && prefixes.some((prefix) => !granted.includes(prefix))
}
