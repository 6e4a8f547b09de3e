/**
 * Offers devices that stay attached what they may have since: a LAN behind them, a pool of their network, the other devices in it.
 *
 * The IKE core is told of the new grant, and offers it in a rekey of the Child SA (RFC 7296 2.9.2). A device whose own configuration
 * knows nothing of it narrows it again and loses nothing; when it asks later, it is granted.
 * What is taken away is nothing of this: a LAN ends the attachment, and other devices are out of reach by the policy of the data plane.
 *
 * One change may be about all devices of a node, so at most so many are told in a moment; each waits in line once, with what was read last.
 */
import type { AttachmentRecord, AttachmentRegistry, CachedDevice } from '@culvert/concentrator-core'
import type { Command, TrafficSelector } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { neighboursOf, selectorsOfLease, type Reach, type ServicePrefixes } from './lease.ts'

/** A rekey costs two key exchanges of the core, which handshakes wait for. */
const AT_ONCE = 20
const PAUSE_MS = 100

/** Of a device, as Postgres says it now. */
export type Allowed = Pick<CachedDevice, 'deviceId' | 'lanPrefixes' | 'pools' | 'limits'>

export interface GrantRenewal {
  /** Does nothing for a device that was granted all of it, or is not here. */
  consider(allowed: Allowed): void
  stop(): void
}

export function createGrantRenewal(options: {
  registry: Pick<AttachmentRegistry, 'byDevice'>
  servicePrefixes: ServicePrefixes
  /** For an address or a prefix. */
  hostSelector: (address: string) => TrafficSelector
  command: (command: Command) => void
  log: Logger
}): GrantRenewal {
  const { registry, servicePrefixes, hostSelector, command, log } = options
  const waiting = new Map<string, Allowed>()
  let timer: NodeJS.Timeout | null = null

  function newReachOf(allowed: Allowed): { record: AttachmentRecord; reach: Reach } | null {
    const record = registry.byDevice(allowed.deviceId)
    if (record?.state !== 'attached') return null
    const reach = { lanPrefixes: allowed.lanPrefixes, neighbours: neighboursOf(record, allowed) }
    return hasMore(reach, record) ? { record, reach } : null
  }

  function renew(allowed: Allowed): void {
    const found = newReachOf(allowed)
    if (found === null) return
    const { record, reach } = found
    record.lanPrefixes = reach.lanPrefixes
    record.neighbours = reach.neighbours
    const selectors = selectorsOfLease(record, servicePrefixes, reach, hostSelector)
    command({ kind: 'regrant', key: record.key, ...selectors })
    log.info({ deviceId: record.deviceId }, 'a device may reach or speak for more; offering it')
  }

  function drain(): void {
    timer = null
    for (const [deviceId, allowed] of [...waiting].slice(0, AT_ONCE)) {
      waiting.delete(deviceId)
      renew(allowed)
    }
    if (waiting.size > 0) timer = setTimeout(drain, PAUSE_MS)
  }

  return {
    consider(allowed) {
      if (newReachOf(allowed) === null) {
        waiting.delete(allowed.deviceId)
        return
      }
      waiting.set(allowed.deviceId, allowed)
      timer ??= setTimeout(drain, 0)
    },
    stop() {
      if (timer !== null) clearTimeout(timer)
      waiting.clear()
    },
  }
}

function hasMore(reach: Reach, granted: Reach): boolean {
  return isBeyond(reach.lanPrefixes, granted.lanPrefixes) || isBeyond(reach.neighbours, granted.neighbours)
}

function isBeyond(prefixes: readonly string[], granted: readonly string[]): boolean {
  return prefixes !== granted && prefixes.some((prefix) => !granted.includes(prefix))
}
