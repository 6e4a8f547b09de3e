/**
 * The half-open SAs we answer for as responder, by the digest of their IKE_SA_INIT request and its source (C19).
 *
 * ```
 *   source with room                        added; when the table is full, the oldest of a source that holds more goes
 *   source at its share, or holding most    added in place of the oldest of its host that holds most, when that had its time or the
 *                                           newcomer's host holds clearly less, and as often as a budget allows; else dropped, and
 *                                           heard when it is repeated
 * ```
 *
 * A source is an IPv4 /24 or an IPv6 /48, a host in it an IPv4 address or an IPv6 /64. So no source takes the places of another, nor
 * a host those of its neighbours: who holds clearly less than the host that holds most takes a place from that one, out of a budget
 * that flooding hosts do not come to, as they soon hold alike. A source that floods costs us a bounded number of key exchanges.
 *
 * Where devices are attached, as many more places and renewals are for their like: behind the address of a carrier thousands may come
 * back at once. What such a source holds up to that number counts as nothing when places are short. What came to nothing keeps its
 * place until it expires; what was authenticated leaves at once, so many honest devices behind one address are not held up. Everything
 * is O(1), and a source is known only while it holds something.
 *
 * A public value that fails its tests costs a key exchange and leaves nothing to hold. Such waste is counted in total, and for those
 * that caused it last. Beyond a budget cookies are demanded: of all, or of the source that it seems to come from. Only who caused it
 * with a good cookie is not heard for a while, its host before its source: anybody can write the address of somebody else.
 */
import type { MonotonicMs } from './contract.ts'
import type { IkeSpi } from '../message/model.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import { createTokenBucket, hasToken, takeToken, type TokenBucket } from '../sa/token-bucket.ts'
import { Budgets } from './budgets.ts'
import { BySize } from './by-size.ts'
import { hostName, sourceName } from './source.ts'

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
/** Of a host; and of a source without a cookie, as no host has shown that it is there. */
const HOST_WASTE = { burst: 10, refillMs: 200, names: 256 }
const SOURCE_WASTE = { burst: WASTE_BURST, refillMs: WASTE_REFILL_MS, names: 256 }

/** Devices that are attached from one source. */
export interface Origin {
  readonly name: string
  devices: number
}

/** A host, or all of a source. */
interface Holder {
  readonly name: string
  /** When each came, oldest first. */
  readonly sas: Map<IkeSa, MonotonicMs>
}

interface Source extends Holder {
  readonly hosts: Map<string, Holder>
  readonly hostsBySize: BySize<Holder>
  readonly renewals: TokenBucket
  /** Places that hosts give up for neighbours who hold less. */
  readonly yields: TokenBucket
  /** Devices that were attached from here when it came into the table. */
  readonly devices: number
}

interface Entry {
  readonly sa: IkeSa
  readonly source: Source
  readonly host: Holder
  /** SPI and address. */
  readonly initiator: string
}

export class HalfOpenTable {
  readonly #entries = new Map<string, Entry>()
  readonly #sources = new Map<string, Source>()
  readonly #origins = new Map<string, Origin>()
  /** How many have this SPI and address. */
  readonly #initiators = new Map<string, number>()
  /** Sources by the number of SAs they hold beyond that of their devices. */
  readonly #bySize = new BySize<Source>()
  readonly #waste = createTokenBucket(WASTE_BURST, WASTE_REFILL_MS, 0)
  /** Who had a good cookie, by host and by source. */
  readonly #wastingHosts = new Budgets(HOST_WASTE)
  readonly #wastingSources = new Budgets(SOURCE_WASTE)
  /** Sources that anybody may have written. */
  readonly #suspects = new Budgets(HOST_WASTE)

  get size(): number {
    return this.#entries.size
  }

  get(digest: string): IkeSa | undefined {
    return this.#entries.get(digest)?.sa
  }

  /** Whether one is held that this address began with this SPI: the same request may come again. */
  hasOf(spiI: IkeSpi, address: string): boolean {
    return this.#initiators.has(initiatorOf(spiI, address))
  }

  /**
   * Whether one more from this address may be added.
   *
   * @param evict ends the SA whose place is needed, and takes it out with `delete`.
   * @returns false when the request is to be dropped.
   */
  makeRoom(address: string, limit: number, nowMs: MonotonicMs, evict: (sa: IkeSa) => void): boolean {
    const name = sourceName(address)
    if (!this.#wastingSources.has(name, nowMs) || !this.#wastingHosts.has(hostName(address), nowMs)) return false
    const source = this.#sources.get(name)
    const held = source?.sas.size ?? 0
    const devices = source?.devices ?? this.#origins.get(name)?.devices ?? 0
    const excess = Math.max(0, held - devices)
    const isFull = this.#entries.size >= limit
    const share = Math.max(1, Math.floor(Math.min(limit * MOST_SHARE, limit * SOURCE_SHARE + devices)))
    if (source !== undefined && (held >= share || (isFull && excess >= this.#bySize.largest))) {
      const giver = giverOf(source, hostName(address), nowMs)
      return giver !== undefined && evictOldest(giver, evict)
    }
    if (!isFull) return true
    const crowd = this.#bySize.first
    if (crowd === undefined || (excessOf(crowd) <= excess + 1 && !hadItsTime(crowd.hostsBySize.first, nowMs)))
      return false
    return evictOldest(crowd.hostsBySize.first, evict)
  }

  add(digest: string, address: string, sa: IkeSa, nowMs: MonotonicMs): void {
    const name = sourceName(address)
    const source = this.#sources.get(name) ?? this.#newSource(name, nowMs)
    const host = hostOf(source, hostName(address))
    this.#resize(source, host, ({ sas }) => sas.set(sa, nowMs))
    this.#entries.set(digest, { sa, source, host, initiator: initiatorOf(sa.spiI, address) })
    this.#count(initiatorOf(sa.spiI, address), 1)
  }

  delete(digest: string): void {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return
    const { sa, source, host, initiator } = entry
    this.#entries.delete(digest)
    this.#count(initiator, -1)
    this.#resize(source, host, ({ sas }) => sas.delete(sa))
  }

  /**
   * A key exchange with this address was computed for nothing.
   *
   * @param isThere a good cookie came with it.
   */
  noteWaste(address: string, nowMs: MonotonicMs, isThere: boolean): void {
    const name = sourceName(address)
    takeToken(this.#waste, nowMs)
    if (isThere) {
      this.#wastingHosts.take(hostName(address), nowMs)
      this.#wastingSources.take(name, nowMs)
    } else this.#suspects.take(name, nowMs)
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

  /** Whether few key exchanges were wasted of late: by anybody, and in the name of this address. */
  isCalm(address: string, nowMs: MonotonicMs): boolean {
    return hasToken(this.#waste, nowMs) && (this.#suspects.size === 0 || this.#suspects.has(sourceName(address), nowMs))
  }

  #newSource(name: string, nowMs: MonotonicMs): Source {
    const devices = this.#origins.get(name)?.devices ?? 0
    const renewals = createTokenBucket(RENEWAL_BURST + devices, RENEWAL_REFILL_MS, nowMs)
    const yields = createTokenBucket(RENEWAL_BURST, RENEWAL_REFILL_MS, nowMs)
    return { name, hosts: new Map(), hostsBySize: new BySize(), sas: new Map(), renewals, yields, devices }
  }

  #count(initiator: string, change: 1 | -1): void {
    const count = (this.#initiators.get(initiator) ?? 0) + change
    if (count === 0) this.#initiators.delete(initiator)
    else this.#initiators.set(initiator, count)
  }

  /** What is empty is forgotten. */
  #resize(source: Source, host: Holder, change: (holder: Holder) => void): void {
    const [held, all, excess] = [host.sas.size, source.sas.size, excessOf(source)]
    change(host)
    change(source)
    source.hostsBySize.move(host, held === 0 ? null : held, host.sas.size === 0 ? null : host.sas.size)
    if (host.sas.size === 0) source.hosts.delete(host.name)
    else source.hosts.set(host.name, host)
    this.#bySize.move(source, all === 0 ? null : excess, source.sas.size === 0 ? null : excessOf(source))
    if (source.sas.size === 0) this.#sources.delete(source.name)
    else this.#sources.set(source.name, source)
  }
}

function initiatorOf(spiI: IkeSpi, address: string): string {
  return `${spiI}/${address}`
}

function hostOf({ hosts }: Source, name: string): Holder {
  return hosts.get(name) ?? { name, sas: new Map() }
}

/**
 * Who gives one of its places to this host, of a source that has no more: its host that holds most, or else the host itself when it
 * holds as much, or else whoever came first of all. Undefined for nobody now.
 */
function giverOf(source: Source, name: string, nowMs: MonotonicMs): Holder | undefined {
  const { hosts, hostsBySize, yields, renewals } = source
  const held = hosts.get(name)?.sas.size ?? 0
  const { first, largest } = hostsBySize
  if (held + 1 < largest && takeToken(yields, nowMs)) return first
  const other = held === largest ? hosts.get(name) : source
  const giver = hadItsTime(first, nowMs) ? first : other
  return hadItsTime(giver, nowMs) && takeToken(renewals, nowMs) ? giver : undefined
}

function hadItsTime(holder: Holder | undefined, nowMs: MonotonicMs): boolean {
  const [oldestAtMs] = holder?.sas.values() ?? []
  return oldestAtMs !== undefined && nowMs >= oldestAtMs + HANDSHAKE_MS
}

function evictOldest(holder: Holder | undefined, evict: (sa: IkeSa) => void): boolean {
  const [oldest] = holder?.sas.keys() ?? []
  if (oldest === undefined) return false
  evict(oldest)
  return true
}

function excessOf({ sas, devices }: Pick<Source, 'sas' | 'devices'>): number {
  return Math.max(0, sas.size - devices)
}
