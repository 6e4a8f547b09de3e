/**
 * The half-open SAs we answer for as responder, by the digest of their IKE_SA_INIT request and its source (C19).
 *
 * ```
 *   source with room                        added; when the table is full, the oldest of a source that holds more goes
 *   source at its share, or holding most    added in place of its own oldest, when that had its time and as often as a budget
 *                                           allows; else dropped, and heard when it is repeated
 * ```
 *
 * A source is an IPv4 /24 or an IPv6 /48. So no source takes the places of another, and one that floods costs us a bounded
 * number of key exchanges. Where devices are attached, as many more places and renewals are for their like: behind the address of
 * a carrier thousands may come back at once. What such a source holds up to that number counts as nothing when places are short. What came to nothing keeps its place until it expires; what was authenticated leaves at once, so many
 * honest devices behind one address are not held up. Everything is O(1), and a source is known only while it holds something.
 *
 * A public value that fails its tests costs a key exchange and leaves nothing to hold: such waste is counted in total, and beyond a
 * budget cookies are demanded, and for the sources that caused it last, which are then not heard for a while.
 */
import type { MonotonicMs } from './contract.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import { createTokenBucket, hasToken, takeToken, type TokenBucket } from '../sa/token-bucket.ts'
import { Budgets } from './budgets.ts'
import { sourceName } from './source.ts'

/** One source holds at most this part of the table. */
const SOURCE_SHARE = 1 / 4
/** The same with what is added for attached devices. */
const MOST_SHARE = 3 / 4
/** What is younger may be an honest handshake under way: many devices come back at once after an outage. */
const HANDSHAKE_MS = 2_000
const RENEWAL_BURST = 50
const RENEWAL_REFILL_MS = 20
const WASTE_BURST = 50
const WASTE_REFILL_MS = 20
const SOURCE_WASTE = { burst: 10, refillMs: 200, names: 256 }

/** Devices that are attached from one source. */
export interface Origin {
  readonly name: string
  devices: number
}

interface Source {
  readonly name: string
  /** When each came, oldest first. */
  readonly sas: Map<IkeSa, MonotonicMs>
  readonly renewals: TokenBucket
  /** Devices that were attached from here when it came into the table. */
  readonly devices: number
}

interface Entry {
  readonly sa: IkeSa
  readonly source: Source
}

export class HalfOpenTable {
  readonly #entries = new Map<string, Entry>()
  readonly #sources = new Map<string, Source>()
  readonly #origins = new Map<string, Origin>()
  /** Sources by the number of SAs they hold beyond that of their devices. */
  readonly #bySize: Set<Source>[] = []
  #largest = 0
  readonly #waste = createTokenBucket(WASTE_BURST, WASTE_REFILL_MS, 0)
  readonly #wasters = new Budgets(SOURCE_WASTE)

  get size(): number {
    return this.#entries.size
  }

  get(digest: string): IkeSa | undefined {
    return this.#entries.get(digest)?.sa
  }

  /**
   * Whether one more from this address may be added.
   *
   * @param evict ends the SA whose place is needed, and takes it out with `delete`.
   * @returns false when the request is to be dropped.
   */
  makeRoom(address: string, limit: number, nowMs: MonotonicMs, evict: (sa: IkeSa) => void): boolean {
    const name = sourceName(address)
    if (!this.#wasters.has(name, nowMs)) return false
    const source = this.#sources.get(name)
    const held = source?.sas.size ?? 0
    const devices = source?.devices ?? this.#origins.get(name)?.devices ?? 0
    const excess = Math.max(0, held - devices)
    const isFull = this.#entries.size >= limit
    const share = Math.max(1, Math.floor(Math.min(limit * MOST_SHARE, limit * SOURCE_SHARE + devices)))
    if (source !== undefined && (held >= share || (isFull && excess >= this.#largest))) {
      return hadItsTime(source, nowMs) && takeToken(source.renewals, nowMs) && evictOldest(source, evict)
    }
    if (!isFull) return true
    const [crowd] = this.#bySize[this.#largest] ?? []
    if (crowd === undefined || (excessOf(crowd) <= excess + 1 && !hadItsTime(crowd, nowMs))) return false
    return evictOldest(crowd, evict)
  }

  add(digest: string, address: string, sa: IkeSa, nowMs: MonotonicMs): void {
    const name = sourceName(address)
    const known = this.#sources.get(name)
    const source = known ?? this.#newSource(name, nowMs)
    this.#resize(source, () => source.sas.set(sa, nowMs))
    this.#entries.set(digest, { sa, source })
  }

  delete(digest: string): void {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return
    this.#entries.delete(digest)
    this.#resize(entry.source, () => entry.source.sas.delete(entry.sa))
  }

  /** A key exchange with this address was computed for nothing. */
  noteWaste(address: string, nowMs: MonotonicMs): void {
    const name = sourceName(address)
    takeToken(this.#waste, nowMs)
    this.#wasters.take(name, nowMs)
  }

  /** A device has authenticated from this address. @returns what to hand to `detached` when it is gone. */
  attached(address: string): Origin {
    const name = sourceName(address)
    const origin = this.#origins.get(name) ?? { name, devices: 0 }
    origin.devices += 1
    this.#origins.set(name, origin)
    return origin
  }

  detached(origin: Origin): void {
    origin.devices -= 1
    if (origin.devices === 0) this.#origins.delete(origin.name)
  }

  /** Whether few key exchanges were wasted of late, by anybody. */
  isCalm(nowMs: MonotonicMs): boolean {
    return hasToken(this.#waste, nowMs)
  }

  #newSource(name: string, nowMs: MonotonicMs): Source {
    const devices = this.#origins.get(name)?.devices ?? 0
    const renewals = createTokenBucket(RENEWAL_BURST + devices, RENEWAL_REFILL_MS, nowMs)
    return { name, sas: new Map(), renewals, devices }
  }

  #resize(source: Source, change: () => void): void {
    this.#bySize[excessOf(source)]?.delete(source)
    change()
    const excess = excessOf(source)
    if (source.sas.size === 0) this.#sources.delete(source.name)
    else {
      this.#sources.set(source.name, source)
      const group = (this.#bySize[excess] ??= new Set())
      group.add(source)
    }
    this.#largest = Math.max(this.#largest, excess)
    while (this.#largest > 0 && (this.#bySize[this.#largest]?.size ?? 0) === 0) this.#largest -= 1
  }
}

function hadItsTime({ sas }: Source, nowMs: MonotonicMs): boolean {
  const [oldestAtMs] = sas.values()
  return oldestAtMs !== undefined && nowMs >= oldestAtMs + HANDSHAKE_MS
}

function evictOldest({ sas }: Source, evict: (sa: IkeSa) => void): boolean {
  const [oldest] = sas.keys()
  if (oldest === undefined) return false
  evict(oldest)
  return true
}

function excessOf({ sas, devices }: Source): number {
  return Math.max(0, sas.size - devices)
}
