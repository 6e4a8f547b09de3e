/**
 * Holds devices to what Postgres says of their traffic: rates, quotas, whether they may reach their network. And counts it.
 *
 * The data plane counts octets per subject; every few seconds what is new goes to Postgres, and what Postgres then knows, other nodes
 * included, says what is left of a quota. So a process that is killed forgets at most what passed since the last count, and a
 * device that moves between nodes may use that much more than its quota.
 */
import type { SubjectTable } from '@culvert/concentrator-core'
import type { DataPlane } from '@culvert/dataplane'
import type { Rate } from '@culvert/esp'
import { type DeviceLimits, periodOf, remainingBytes, type Usage } from '@culvert/lifecycle'
import type { Logger } from '@culvert/observability'

type PolicyPlane = Pick<DataPlane, 'setSubject' | 'removeSubject' | 'readSubjects'>

export interface DevicePolicies {
  /**
   * A device got this number, or comes back to the one it had; whoever had it before has left. What it may was read just now: it may
   * have changed while another node held the device.
   */
  admit(
    device: { readonly deviceId: string; readonly limits: DeviceLimits },
    subject: number,
    evicted: string | null,
  ): void
  /** What Postgres says now; ignored for devices without a number. */
  update(deviceId: string, limits: DeviceLimits): void
  /** Writes what passed since the last time; also begins quotas anew whose period has. */
  count(): Promise<void>
  /** A quota stopped this subject. */
  exhausted(subject: number): void
}

interface Entry {
  readonly subject: number
  limits: DeviceLimits
  usage: Usage
  /** Of which day and month `usage` is. */
  periods: Periods
  /** What the data plane had counted when `usage` was read. */
  counted: number
  /** The quota that was last told to be used up. */
  told: string | null
}

/** One object for all that were read in one day. */
interface Periods {
  readonly day: string
  readonly month: string
}

interface Left {
  readonly deviceId: string
  readonly entry: Entry
  /** What the data plane had counted in the end. */
  readonly used: number
}

const WRITTEN_AT_ONCE = 5000
const DAY_MS = 86_400_000
/** Room for what a device does in a second, and for a superpacket. */
const LEAST_BURST_BYTES = 65_536
const LONGEST_PACKET_BYTES = 65_536

export function createDevicePolicies(options: {
  plane: () => PolicyPlane | null
  subjects: Pick<SubjectTable, 'deviceOf'>
  /** Adds octets to the usage of devices. @returns what is used then */
  write: (used: readonly { deviceId: string; bytes: number }[]) => Promise<ReadonlyMap<string, Usage>>
  /** A quota stopped a device. @returns whether nobody knew that yet */
  tell: (deviceId: string) => Promise<boolean>
  now: () => Date
  log: Logger
}): DevicePolicies {
  const { subjects, log } = options
  const entries = new Map<string, Entry>()
  /** Devices that lost their number: what is not counted of them yet is written with the next count, or the one that is under way. */
  const left: Left[] = []
  /** Grows with the networks this node has seen. */
  const groups = new Map<string, number>()
  let running: Promise<void> | null = null
  let today: { readonly dayNumber: number; readonly periods: Periods } | null = null

  function groupOf(networkId: string): number {
    const group = groups.get(networkId) ?? groups.size + 1
    groups.set(networkId, group)
    return group
  }

  /** @param usedBytes what the data plane has counted by now */
  function enforce(entry: Entry, usedBytes: number): void {
    const { subject, limits, usage, counted } = entry
    const { quota, rateLimit } = limits
    const used = quota === null ? 0 : usage[quota.period] + usedBytes - counted
    options.plane()?.setSubject(subject, {
      group: groupOf(limits.networkId),
      mayReachGroup: limits.deviceToDevice,
      rateIn: rateOf(rateLimit?.upBytesPerSec ?? null),
      rateOut: rateOf(rateLimit?.downBytesPerSec ?? null),
      quotaBytes: remainingBytes(quota, used),
    })
  }

  function periodsNow(): Periods {
    const now = options.now()
    const dayNumber = Math.floor(now.getTime() / DAY_MS)
    if (today?.dayNumber !== dayNumber) {
      today = { dayNumber, periods: { day: periodOf('day', now), month: periodOf('month', now) } }
    }
    return today.periods
  }

  function evict(deviceId: string): void {
    const entry = entries.get(deviceId)
    const plane = options.plane()
    if (entry === undefined || plane === null) return
    entries.delete(deviceId)
    const read = plane.readSubjects([entry.subject])
    plane.removeSubject(entry.subject)
    read.then(
      ([used = 0]) => {
        left.push({ deviceId, entry, used })
      },
      (error: unknown) => log.error({ err: error }, 'what a device used could not be read'),
    )
  }

  async function refresh(of: readonly Entry[]): Promise<void> {
    const counters = (await options.plane()?.readSubjects(of.map(({ subject }) => subject))) ?? []
    for (const [index, entry] of of.entries()) enforce(entry, counters[index] ?? 0)
  }

  async function countOnce(): Promise<void> {
    const all = [...entries]
    const counters = (await options.plane()?.readSubjects(all.map(([, { subject }]) => subject))) ?? []
    const news = all.flatMap(([deviceId, entry], index) => {
      const seen = counters[index] ?? 0
      return entries.get(deviceId) === entry && seen > entry.counted
        ? [{ deviceId, entry, seen, bytes: seen - entry.counted }]
        : []
    })
    for (let from = 0; from < news.length; from += WRITTEN_AT_ONCE) {
      const batch = news.slice(from, from + WRITTEN_AT_ONCE)
      const usage = await options.write(batch.map(({ deviceId, bytes }) => ({ deviceId, bytes })))
      for (const { deviceId, entry, seen } of batch) {
        entry.counted = seen
        entry.usage = usage.get(deviceId) ?? entry.usage
        entry.periods = periodsNow()
      }
    }
    await refresh(news.filter(({ entry }) => entry.limits.quota !== null).map(({ entry }) => entry))
    await countLeft()
    await beginPeriods()
  }

  async function countLeft(): Promise<void> {
    const uncounted = new Map<string, number>()
    const gone = [...left]
    for (const { deviceId, entry, used } of gone) {
      if (used > entry.counted) uncounted.set(deviceId, (uncounted.get(deviceId) ?? 0) + used - entry.counted)
    }
    if (uncounted.size > 0) await options.write([...uncounted].map(([deviceId, bytes]) => ({ deviceId, bytes })))
    left.splice(0, gone.length) // others may have left meanwhile
  }

  async function beginPeriods(): Promise<void> {
    const now = periodsNow()
    const { day, month } = now
    const begun: Entry[] = []
    for (const entry of entries.values()) {
      const { periods, usage, limits } = entry
      if (periods.day === day && periods.month === month) continue
      entry.usage = {
        ...usage,
        day: periods.day === day ? usage.day : 0,
        month: periods.month === month ? usage.month : 0,
      }
      entry.periods = now
      if (limits.quota !== null) begun.push(entry)
    }
    if (begun.length > 0) await refresh(begun)
  }

  function update(deviceId: string, limits: DeviceLimits): void {
    const entry = entries.get(deviceId)
    if (entry === undefined) return
    entry.limits = limits
    refresh([entry]).catch((error: unknown) => log.error({ err: error }, 'a changed policy could not be applied'))
  }

  function count(): Promise<void> {
    running ??= countOnce().finally(() => {
      running = null
    })
    return running
  }

  async function tellExhausted(deviceId: string | undefined): Promise<void> {
    const entry = deviceId === undefined ? undefined : entries.get(deviceId)
    const quota = entry?.limits.quota
    if (deviceId === undefined || entry === undefined || !quota) return
    if (quota.bytes - entry.usage[quota.period] >= LONGEST_PACKET_BYTES) return
    const wording = `${quota.period} ${periodOf(quota.period, options.now())} ${quota.bytes}`
    if (entry.told === wording) return
    try {
      if (await options.tell(deviceId)) log.info({ deviceId }, 'the quota of a device is used up')
      entry.told = wording
    } catch (error) {
      log.warn({ err: error }, 'that the quota of a device is used up could not be told')
    }
  }

  return {
    admit({ deviceId, limits }, subject, evicted) {
      if (evicted !== null) evict(evicted)
      if (entries.has(deviceId)) return update(deviceId, limits)
      const entry: Entry = { subject, limits, usage: limits.usage, periods: periodsNow(), counted: 0, told: null }
      entries.set(deviceId, entry)
      enforce(entry, 0)
    },
    update,
    count,
    exhausted(subject) {
      const deviceId = subjects.deviceOf(subject)
      const counted = count().catch((error: unknown) => {
        log.warn({ err: error }, 'what a device used could not be written')
      })
      // Told by what is known then: it may have a larger quota by now.
      void counted.then(() => tellExhausted(deviceId))
    },
  }
}

function rateOf(bytesPerSec: number | null): Rate | null {
  if (bytesPerSec === null) return null
  return { bytes: { perSec: bytesPerSec, burst: Math.max(LEAST_BURST_BYTES, bytesPerSec) }, packets: null }
}
