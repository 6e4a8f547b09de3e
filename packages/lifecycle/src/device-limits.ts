/** What a device may use: rates, a quota of octets in a period, and how much of it is used. Days and months are those of UTC. */
export const quotaPeriods = ['day', 'month', 'total'] as const
export type QuotaPeriod = (typeof quotaPeriods)[number]

/** Octets per second; null: any. Up is from the device. */
export interface RateLimit {
  readonly upBytesPerSec: number | null
  readonly downBytesPerSec: number | null
}

export interface Quota {
  /** Of both directions. */
  readonly bytes: number
  readonly period: QuotaPeriod
}

/** Octets of both directions in the day and month of reading, and ever. */
export type Usage = Readonly<Record<QuotaPeriod, number>>

export interface DeviceLimits {
  readonly networkId: string
  /** Devices of its network may reach each other. */
  readonly deviceToDevice: boolean
  readonly rateLimit: RateLimit | null
  readonly quota: Quota | null
  readonly usage: Usage
}

export const NO_USAGE: Usage = { day: 0, month: 0, total: 0 }

/** What may still pass; at least 0, null without a quota. @param usedBytes in its period */
export function remainingBytes(quota: Quota | null, usedBytes: number): number | null {
  return quota === null ? null : Math.max(0, quota.bytes - usedBytes)
}

/** Names the period a moment lies in; usage of another one does not count. */
export function periodOf(period: QuotaPeriod, now: Date): string {
  const day = now.toISOString().slice(0, 10)
  return period === 'day' ? day : period === 'month' ? day.slice(0, 7) : ''
}
