/**
 * Writes attachments behind: a set of dirty devices, flushed in batches, newest state only.
 *
 * A device that comes alone is written at once; behind a batch there is a pause in which the next gathers, because a batch costs
 * its statements whatever is in it; the more came, the longer. Never in the way of a packet. While Postgres is away the set only holds device ids (bounded by the devices there are), and one
 * attempt a second finds out when it is back. `changed` says that an online or offline event is due.
 */
import type { AttachmentRecord, AttachmentRegistry } from '@culvert/concentrator-core'
import { transformText } from '@culvert/concentrator-core'
import { isDatabaseUnavailable, type AttachmentSnapshot } from '@culvert/db'
import { toText, type AttachmentKey } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'

const BATCH_DEVICES = 500
const RETRY_MS = 1000
const PAUSE_MS = 50
/** The pause grows with the batch before it, from `PAUSE_MS` to this. */
const CROWD_PAUSE_MS = 250
const PAUSE_PER_DEVICE_MS = 5

export interface StateWriter {
  /** @param changed the presence of the device began or ended. */
  touch(deviceId: string, changed: boolean): void
  /** Somebody else has changed the row: writes it anew, with event and notice, though nothing changed here. */
  rewrite(deviceId: string): void
  /** Resolves when everything touched so far is written, or when it cannot be within `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
  stop(): void
}

export function createStateWriter(options: {
  /** One transaction; at most one snapshot per device. */
  write: (batch: readonly AttachmentSnapshot[]) => Promise<void>
  registry: AttachmentRegistry
  log: Pick<Logger, 'warn' | 'error'>
  /** From the beginning of a small batch to the beginning of the next. */
  pauseMs?: number
}): StateWriter {
  const { write, registry, log, pauseMs = PAUSE_MS } = options
  const dirty = new Map<string, boolean>()
  /** The last presence written per device, so that a retry or a double touch makes one event. */
  const written = new Map<string, AttachmentKey>()
  let running: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let earliestMs = 0
  let stopped = false

  function schedule(): void {
    if (running || timer || stopped || dirty.size === 0) return
    timer = setTimeout(
      () => {
        timer = null
        running = flush().finally(() => {
          running = null
          schedule()
        })
      },
      Math.max(0, earliestMs - performance.now()),
    )
  }

  async function flush(): Promise<void> {
    const batch = [...dirty].slice(0, BATCH_DEVICES)
    earliestMs = performance.now() + pauseAfter(batch.length)
    for (const [deviceId] of batch) dirty.delete(deviceId)
    const taken: { record: AttachmentRecord; state: AttachmentRecord['state']; changed: boolean }[] = []
    for (const [deviceId, changed] of batch) {
      const record = registry.byDevice(deviceId)
      if (record) taken.push({ record, state: record.state, changed: changed && presenceChanged(record) })
    }
    const snapshots = taken.map(({ record, changed }) => snapshotOf(record, changed))
    try {
      await write(snapshots).catch((error: unknown) => {
        if (isDatabaseUnavailable(error)) throw error
        return writeOneByOne(snapshots, error)
      })
    } catch {
      for (const [deviceId, changed] of batch) dirty.set(deviceId, changed || (dirty.get(deviceId) ?? false))
      earliestMs = performance.now() + RETRY_MS
      return
    }
    for (const [index, { record, state }] of taken.entries()) {
      const { ike = 0, child = 0 } = snapshots[index]?.rekeyed ?? {}
      record.ikeRekeys -= ike
      record.childRekeys -= child
      if (state === 'attached') written.set(record.deviceId, record.key)
      else {
        written.delete(record.deviceId)
        registry.forget(record.deviceId, record.key)
      }
    }
  }

  function pauseAfter(devices: number): number {
    return Math.max(pauseMs, Math.min(CROWD_PAUSE_MS, pauseMs + PAUSE_PER_DEVICE_MS * (devices - 1)))
  }

  /** One refused row must not hold up the others; it is reported and left until its device changes again. */
  async function writeOneByOne(snapshots: readonly AttachmentSnapshot[], cause: unknown): Promise<void> {
    log.warn({ err: cause, devices: snapshots.length }, 'a batch of attachments was refused; writing them one by one')
    for (const snapshot of snapshots) {
      try {
        await write([snapshot])
      } catch (error) {
        if (isDatabaseUnavailable(error)) throw error
        log.error({ err: error, deviceId: snapshot.deviceId }, 'the attachment of a device could not be written')
      }
    }
  }

  function presenceChanged(record: AttachmentRecord): boolean {
    return record.state === 'attached' ? written.get(record.deviceId) !== record.key : true
  }

  function touch(deviceId: string, changed: boolean): void {
    dirty.set(deviceId, changed || (dirty.get(deviceId) ?? false))
    schedule()
  }

  return {
    touch,
    rewrite(deviceId) {
      written.delete(deviceId)
      touch(deviceId, true)
    },
    async drain(timeoutMs) {
      const deadline = performance.now() + timeoutMs
      while ((dirty.size > 0 || running) && performance.now() < deadline) {
        await (running ?? new Promise((done) => setTimeout(done, 20)))
      }
    },
    stop() {
      stopped = true
      if (timer) clearTimeout(timer)
    },
  }
}

/** Monotonic times become dates here, the only place where they leave the process. */
function snapshotOf(record: AttachmentRecord, changed: boolean): AttachmentSnapshot {
  const { ike } = record
  const attached = record.state === 'attached'
  return {
    deviceId: record.deviceId,
    organizationId: record.organizationId,
    state: record.state,
    address4: record.address4,
    address6: record.address6,
    credentialId: record.credentialId,
    remoteAddress: record.remote.address,
    remotePort: record.remote.port,
    behindNat: ike.peerBehindNat,
    attachedAt: dateOf(record.attachedAtMs),
    detachedAt: record.detachedAtMs === null ? null : dateOf(record.detachedAtMs),
    detachReason: record.detachReason,
    lastSeenAt: dateOf(record.lastSeenAtMs),
    changed,
    rekeyed: { ike: record.ikeRekeys, child: record.childRekeys },
    ikeSas: !attached
      ? []
      : [
          {
            spiI: ike.spiI,
            spiR: ike.spiR,
            initiator: record.initiatedIke,
            encryption: transformText(ike.encr),
            integrity: ike.integ ? transformText(ike.integ) : null,
            prf: transformText(ike.prf),
            keyExchange: transformText(ike.ke),
            additionalKeyExchanges: ike.additionalKe.map(transformText),
            tier: ike.tier,
            establishedAt: dateOf(record.ikeEstablishedAtMs),
            childSas: record.children.map(({ summary, installedAtMs }) => ({
              spiIn: summary.spiIn,
              spiOut: summary.spiOut,
              encryption: transformText(summary.encr),
              integrity: summary.integ ? transformText(summary.integ) : null,
              esn: summary.esn,
              selectorsLocal: summary.tsLocal.map(toText),
              selectorsRemote: summary.tsRemote.map(toText),
              installedAt: dateOf(installedAtMs),
            })),
          },
        ],
  }
}

function dateOf(monotonicMs: number): Date {
  return new Date(Math.round(performance.timeOrigin + monotonicMs))
}
