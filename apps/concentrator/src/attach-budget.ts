/**
 * How often one device may attach. Each attachment costs two rows, an event and a notice to every gateway; a device that flaps, or
 * wants to, must not make a storm of them. A burst is allowed, because radio is what it is.
 */
const BURST = 20
const EVERY_MS = 2000
/** More than a node holds; who falls out begins anew. */
const MOST_DEVICES = 100_000

export interface AttachBudget {
  /** @param nowMs of a monotonic clock @returns whether the device may attach now */
  take(deviceId: string, nowMs: number): boolean
  /** Devices it remembers. */
  readonly size: number
}

export function createAttachBudget(): AttachBudget {
  /** When the budget of a device is full again; one attachment moves it by `EVERY_MS`. */
  const fullAtMs = new Map<string, number>()
  return {
    take(deviceId, nowMs) {
      const spentUntilMs = Math.max(nowMs, fullAtMs.get(deviceId) ?? nowMs) + EVERY_MS
      if (spentUntilMs > nowMs + BURST * EVERY_MS) return false
      fullAtMs.delete(deviceId)
      fullAtMs.set(deviceId, spentUntilMs)
      for (const [oldest, atMs] of fullAtMs) {
        if (fullAtMs.size <= MOST_DEVICES && atMs > nowMs) break // a full budget is worth no memory
        fullAtMs.delete(oldest)
      }
      return true
    },
    get size() {
      return fullAtMs.size
    },
  }
}
