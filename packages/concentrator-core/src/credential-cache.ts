/**
 * Devices and their credentials looked up by IKE identity, kept for a while so that a reconnecting fleet does not ask Postgres each time.
 *
 * Bounded, oldest out first. An entry is fresh for `freshMs`; a stale one may still be used when the database is away, up to
 * `staleMs`. Unknown identities are remembered too, so that a guesser does not reach the database each time, and apart, so that he
 * cannot push out the known ones; a notice about any device that is not known here ends that, for it may be theirs. The cache keeps copies of secrets, gives out copies, and zeroes its own when they go.
 * A lookup that began before its device was forgotten must not come back as an entry: `watch` tells.
 */
import { copyOfDevice, type CachedDevice, wipeDevice } from './cached-device.ts'

export interface CredentialCacheLimits {
  /** Known identities, and as many unknown ones. */
  readonly entries: number
  readonly freshMs: number
  readonly staleMs: number
  readonly unknownMs: number
}

export type CacheAnswer =
  | { readonly kind: 'fresh' | 'stale'; readonly device: CachedDevice | null }
  | { readonly kind: 'miss' }

/** Notes what is forgotten from `watch` until `end`. */
export interface ForgettingWatch {
  hasForgotten(deviceId: string): boolean
  readonly hasForgottenAny: boolean
  end(): void
}

export interface CredentialCache {
  /** Secrets in the answer are the caller's copies. */
  get(identity: string, nowMs: number): CacheAnswer
  put(identity: string, device: CachedDevice | null, nowMs: number): void
  forgetDevice(deviceId: string): void
  /** Everything must be asked again, e.g. after notices may have been lost; stale use ends too. */
  clear(): void
  watch(): ForgettingWatch
  readonly size: number
}

export function createCredentialCache(limits: CredentialCacheLimits): CredentialCache {
  const known = new Map<string, { readonly device: CachedDevice; readonly atMs: number }>()
  /** When nobody was found under this identity. */
  const unknown = new Map<string, number>()
  const identities = new Map<string, string>()
  const watches = new Set<{ readonly devices: Set<string>; hasCleared: boolean }>()

  function remove(identity: string): void {
    unknown.delete(identity)
    const entry = known.get(identity)
    if (!entry) return
    known.delete(identity)
    identities.delete(entry.device.deviceId)
    wipeDevice(entry.device)
  }

  function removeDevice(deviceId: string): void {
    const identity = identities.get(deviceId)
    if (identity !== undefined) remove(identity)
  }

  return {
    get(identity, nowMs) {
      const unknownSinceMs = unknown.get(identity)
      if (unknownSinceMs !== undefined) {
        if (nowMs - unknownSinceMs <= limits.unknownMs) return { kind: 'fresh', device: null }
        unknown.delete(identity)
      }
      const entry = known.get(identity)
      if (!entry) return { kind: 'miss' }
      const ageMs = nowMs - entry.atMs
      if (ageMs <= limits.staleMs) {
        return { kind: ageMs <= limits.freshMs ? 'fresh' : 'stale', device: copyOfDevice(entry.device) }
      }
      remove(identity)
      return { kind: 'miss' }
    },
    put(identity, device, nowMs) {
      remove(identity)
      if (!device) {
        unknown.set(identity, nowMs)
        dropOldest(unknown, limits.entries, (oldest) => unknown.delete(oldest))
        return
      }
      removeDevice(device.deviceId) // under the identity it had before
      known.set(identity, { device: copyOfDevice(device), atMs: nowMs })
      identities.set(device.deviceId, identity)
      dropOldest(known, limits.entries, remove)
    },
    forgetDevice(deviceId) {
      if (identities.has(deviceId)) removeDevice(deviceId)
      else unknown.clear()
      for (const { devices } of watches) devices.add(deviceId)
    },
    clear() {
      for (const identity of known.keys()) remove(identity)
      unknown.clear()
      for (const watch of watches) watch.hasCleared = true
    },
    watch() {
      const watch = { devices: new Set<string>(), hasCleared: false }
      watches.add(watch)
      return {
        hasForgotten: (deviceId) => watch.hasCleared || watch.devices.has(deviceId),
        get hasForgottenAny() {
          return watch.hasCleared || watch.devices.size > 0
        },
        end: () => void watches.delete(watch),
      }
    },
    get size() {
      return known.size + unknown.size
    },
  }
}

function dropOldest(entries: ReadonlyMap<string, unknown>, most: number, drop: (identity: string) => void): void {
  for (const identity of entries.keys()) {
    if (entries.size <= most) return
    drop(identity)
  }
}
