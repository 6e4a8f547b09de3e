/**
 * Small numbers for the devices of a node, by which the packet path keeps what it must know about each of them.
 *
 * A device keeps its number while any attachment of it holds one, and afterwards until the number is needed for another: whoever
 * comes back finds its buckets as it left them. Never-used numbers are given first, then the one that is free for longest.
 */
export interface SubjectTable {
  /**
   * Holds the number of a device once more.
   *
   * @returns the number, and the device whose number it was before and whose state must go; null when every number is held
   */
  hold(deviceId: string): { readonly subject: number; readonly evicted: string | null } | null
  /** Lets go of one `hold`; does nothing for a device without. */
  release(deviceId: string): void
  /** The number of a device that has one, held or not. */
  subjectOf(deviceId: string): number | undefined
  deviceOf(subject: number): string | undefined
}

interface Entry {
  readonly subject: number
  holders: number
}

/** @param capacity numbers are 1 to this */
export function createSubjectTable(capacity: number): SubjectTable {
  const entries = new Map<string, Entry>()
  /** Those without a holder, in the order in which they lost it. */
  const idle = new Set<string>()
  const devices: (string | undefined)[] = [undefined]

  function take(deviceId: string): { subject: number; evicted: string | null } | null {
    if (devices.length <= capacity) {
      devices.push(deviceId)
      return { subject: devices.length - 1, evicted: null }
    }
    const oldest = idle.values().next()
    const entry = oldest.done ? undefined : entries.get(oldest.value)
    if (oldest.done || entry === undefined) return null
    idle.delete(oldest.value)
    entries.delete(oldest.value)
    devices[entry.subject] = deviceId
    return { subject: entry.subject, evicted: oldest.value }
  }

  return {
    hold(deviceId) {
      const entry = entries.get(deviceId)
      if (entry !== undefined) {
        entry.holders++
        idle.delete(deviceId)
        return { subject: entry.subject, evicted: null }
      }
      const taken = take(deviceId)
      if (taken !== null) entries.set(deviceId, { subject: taken.subject, holders: 1 })
      return taken
    },
    release(deviceId) {
      const entry = entries.get(deviceId)
      if (entry === undefined || entry.holders === 0) return
      entry.holders--
      if (entry.holders === 0) idle.add(deviceId)
    },
    subjectOf: (deviceId) => entries.get(deviceId)?.subject,
    deviceOf: (subject) => devices[subject],
  }
}
