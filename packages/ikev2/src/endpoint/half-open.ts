/**
 * The half-open SAs we answer for as responder, by the digest of their IKE_SA_INIT request and its source (C19).
 *
 * ```
 *   source with room                        added; when the table is full, the oldest of a source that holds more goes
 *   no room, but a known device             added to the reserve (`reserve.ts`)
 *   source at its share, or holding most    added in place of the oldest of its host that holds most, when that had its time or the
 *                                           newcomer's host holds clearly less, in one host likewise for its ports, and as often as
 *                                           a budget allows; else dropped, and heard when it is repeated
 * ```
 *
 * Sources, hosts and ports are those of `holders.ts`. So no source takes the places of another, nor a host those of its neighbours, nor
 * a device those of others behind the address of its carrier: who holds clearly less than who holds most takes a place from that one,
 * out of a budget that those who flood do not come to, as they soon hold alike. A source that floods costs us a bounded number of key
 * exchanges. A port whose handshakes came to nothing again and again waits until there is room: so neither do many ports of one flooder
 * keep using up what their neighbours need.
 *
 * Where devices are attached, as many more places and renewals are for their like: behind the address of a carrier thousands may come
 * back at once. What such a source holds up to that number counts as nothing when places are short. What came to nothing keeps its
 * place until it expires; what was authenticated leaves at once, so many honest devices behind one address are not held up. Everything
 * is O(1), and a source is known only while it holds something.
 */
import type { MonotonicMs, SocketAddress } from './contract.ts'
import type { IkeSpi } from '../message/model.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import { createTokenBucket, takeToken } from '../sa/token-bucket.ts'
import { BySize } from './by-size.ts'
import { createHost, createPort, heldBy, type Holder, type Host, oldestOf, resize, type Source } from './holders.ts'
import { type Presence, Presences } from './presences.ts'
import { Reserve } from './reserve.ts'
import { hostName, portName, sourceName } from './source.ts'
import { Wastes } from './wastes.ts'

/** One source holds at most this part of the table. */
const SOURCE_SHARE = 1 / 4
/** The same with what is added for attached devices. */
const MOST_SHARE = 3 / 4
/** What is younger may be an honest handshake under way: many devices come back at once after an outage. */
const HANDSHAKE_MS = 2_000
const RENEWAL_BURST = 50
const RENEWAL_REFILL_MS = 20

/** Who asks for a place. */
export interface Newcomer {
  readonly remote: SocketAddress
  /** It was asked for a cookie and brought it. */
  readonly isThere: boolean
  /** The device whose good ticket it came with; null without. */
  readonly ticketOf: string | null
}

/** Room for one, to be used at once. */
export interface Place {
  readonly remote: SocketAddress
  readonly isThere: boolean
  /** Whose place of the reserve it is; null for one of those that are for everybody. */
  readonly reservedFor: string | null
}

interface Entry extends Place {
  readonly sa: IkeSa
  /** SPI and address. */
  readonly initiator: string
  /** Who holds it: in the table while it is, as they hold something; null for a place of the reserve. */
  readonly holders: Holders | null
}

interface Holders {
  readonly source: Source
  readonly host: Host
  readonly port: Holder
}

export class HalfOpenTable {
  readonly #entries = new Map<string, Entry>()
  readonly #sources = new Map<string, Source>()
  /** How many have this SPI and address. */
  readonly #initiators = new Map<string, number>()
  /** Sources by the number of SAs they hold beyond that of their devices. */
  readonly #bySize = new BySize<Source>()
  readonly #presences = new Presences()
  readonly #wastes = new Wastes()
  readonly #reserve = new Reserve()

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
   * Whether one more of this newcomer may be added.
   *
   * @param evict ends the SA whose place is needed, and takes it out with `delete`.
   * @returns null when the request is to be dropped.
   */
  makeRoom(newcomer: Newcomer, limit: number, nowMs: MonotonicMs, evict: (sa: IkeSa) => void): Place | null {
    const { remote, isThere } = newcomer
    const known = isThere ? this.#knownAs(newcomer) : null
    if (!this.#wastes.isHeard({ remote, isKnown: known !== null }, nowMs)) return null
    const name = sourceName(remote.address)
    const source = this.#sources.get(name)
    const held = source?.sas.size ?? 0
    const devices = source?.devices ?? this.#presences.devicesOf(name)
    const excess = Math.max(0, held - devices)
    const isFull = this.#entries.size - this.#reserve.size >= limit
    const share = Math.max(1, Math.floor(Math.min(limit * MOST_SHARE, limit * SOURCE_SHARE + devices)))
    const isCrowded = source !== undefined && (held >= share || (isFull && excess >= this.#bySize.largest))
    if (!isCrowded && !isFull) return { remote, isThere, reservedFor: null }
    if (known !== null && this.#reserve.hasRoom(known, limit)) return { remote, isThere, reservedFor: known }
    const oldest = isCrowded ? this.#ofItsOwn(source, remote, nowMs) : this.#ofTheGreediest(excess, nowMs)
    if (oldest === null) return null
    evict(oldest)
    return { remote, isThere, reservedFor: null }
  }

  add(digest: string, place: Place, sa: IkeSa, nowMs: MonotonicMs): void {
    const initiator = initiatorOf(sa.spiI, place.remote.address)
    const holders = place.reservedFor === null ? this.#holdersAt(place.remote, nowMs) : null
    this.#entries.set(digest, { ...place, sa, initiator, holders })
    this.#count(initiator, 1)
    if (place.isThere) this.#wastes.noteAttempt(place.remote, nowMs)
    if (holders !== null) this.#resize(holders, ({ sas }) => sas.set(sa, nowMs))
    else if (place.reservedFor !== null) this.#reserve.add(place.reservedFor)
  }

  /** It came to nothing. */
  delete(digest: string): void {
    this.#take(digest)
  }

  /** Who was half-open has authenticated, and is at this place. @returns what to hand to `detached` when it is gone. */
  attached(digest: string | null, remote: SocketAddress): Presence {
    const entry = digest === null ? null : this.#take(digest)
    if (entry?.isThere === true) this.#wastes.noteSuccess(entry.remote)
    return this.#presences.enter(remote, entry && portName(entry.remote))
  }

  /** An attached device is elsewhere now, beyond doubt. @returns what to hand to `detached` in place of the former. */
  moved(presence: Presence, remote: SocketAddress): Presence {
    this.#presences.leave(presence)
    return this.#presences.enter(remote, null)
  }

  detached(presence: Presence): void {
    this.#presences.leave(presence)
  }

  /**
   * A key exchange with this address was computed for nothing.
   *
   * @param isThere a good cookie came with it.
   */
  noteWaste(remote: SocketAddress, nowMs: MonotonicMs, isThere: boolean): void {
    this.#wastes.note(remote, nowMs, isThere)
  }

  /** Whether few key exchanges were wasted of late: by anybody, and in the name of this address. */
  isCalm(address: string, nowMs: MonotonicMs): boolean {
    return this.#wastes.isCalm(address, nowMs)
  }

  /** Who comes back: a ticket shows it, or a port where a device is attached. */
  #knownAs({ remote, ticketOf }: Newcomer): string | null {
    if (ticketOf !== null) return `#${ticketOf}`
    const port = portName(remote)
    return this.#presences.isAt(port) ? port : null
  }

  /** Whose place a newcomer gets in a source that has no more of its own; null for nobody's now. */
  #ofItsOwn(source: Source, remote: SocketAddress, nowMs: MonotonicMs): IkeSa | null {
    if (!this.#wastes.isPromising(remote, nowMs)) return null
    return oldestOf(giverOf(source, { host: hostName(remote.address), port: portName(remote) }, nowMs))
  }

  #ofTheGreediest(excess: number, nowMs: MonotonicMs): IkeSa | null {
    const crowd = this.#bySize.first
    if (crowd === undefined) return null
    const giver = greediestIn(crowd.bySize.first)
    return excessOf(crowd) > excess + 1 || hadItsTime(giver, nowMs) ? oldestOf(giver) : null
  }

  #take(digest: string): Entry | null {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return null
    this.#entries.delete(digest)
    this.#count(entry.initiator, -1)
    if (entry.holders !== null) this.#resize(entry.holders, ({ sas }) => sas.delete(entry.sa))
    else if (entry.reservedFor !== null) this.#reserve.delete(entry.reservedFor)
    return entry
  }

  #newSource(name: string, nowMs: MonotonicMs): Source {
    const devices = this.#presences.devicesOf(name)
    const renewals = createTokenBucket(RENEWAL_BURST + devices, RENEWAL_REFILL_MS, nowMs)
    const yields = createTokenBucket(RENEWAL_BURST, RENEWAL_REFILL_MS, nowMs)
    return { ...createSourceCrowd(name), renewals, yields, devices }
  }

  #count(initiator: string, change: 1 | -1): void {
    const count = (this.#initiators.get(initiator) ?? 0) + change
    if (count === 0) this.#initiators.delete(initiator)
    else this.#initiators.set(initiator, count)
  }

  /** Those who hold something, or new ones that are not in the table yet. */
  #holdersAt(remote: SocketAddress, nowMs: MonotonicMs): Holders {
    const ofSource = sourceName(remote.address)
    const source = this.#sources.get(ofSource) ?? this.#newSource(ofSource, nowMs)
    const ofHost = hostName(remote.address)
    const host = source.parts.get(ofHost) ?? createHost(ofHost)
    const ofPort = portName(remote)
    return { source, host, port: host.parts.get(ofPort) ?? createPort(ofPort) }
  }

  /** Who holds something is in the table, who holds nothing more is forgotten. */
  #resize({ source, host, port }: Holders, change: (holder: Holder) => void): void {
    const all = source.sas.size
    const excess = excessOf(source)
    resize(host, port, change)
    resize(source, host, change)
    change(source)
    this.#bySize.move(source, all === 0 ? null : excess, source.sas.size === 0 ? null : excessOf(source))
    if (source.sas.size === 0) this.#sources.delete(source.name)
    else if (all === 0) this.#sources.set(source.name, source)
  }
}

function initiatorOf(spiI: IkeSpi, address: string): string {
  return `${spiI}/${address}`
}

function createSourceCrowd(name: string): Pick<Source, 'name' | 'sas' | 'parts' | 'bySize'> {
  return { name, sas: new Map(), parts: new Map(), bySize: new BySize() }
}

/**
 * Who gives one of its places to this port, of a source that has no more: the host that holds most, or in the newcomer's own host the
 * port that holds most, when the newcomer holds clearly less; or else the host itself when it holds as much, or else whoever came first
 * of all. Undefined for nobody now.
 */
function giverOf(
  source: Source,
  newcomer: { readonly host: string; readonly port: string },
  nowMs: MonotonicMs,
): Holder | undefined {
  const { bySize, yields, renewals } = source
  const { largest } = bySize
  const first = greediestIn(bySize.first)
  const host = source.parts.get(newcomer.host)
  const own = greediestIn(host)
  const held = host?.sas.size ?? 0
  const hasLittle = host !== undefined && heldBy(host, newcomer.port) + 1 < host.bySize.largest
  if (held + 1 < largest && takeToken(yields, nowMs)) return first
  if (hasLittle && takeToken(yields, nowMs)) return own
  const other = held === largest ? own : source
  const giver = hadItsTime(first, nowMs) ? first : other
  return hadItsTime(giver, nowMs) && takeToken(renewals, nowMs) ? giver : undefined
}

/** The port of a host that holds most. */
function greediestIn(host: Host | undefined): Holder | undefined {
  return host?.bySize.first
}

function hadItsTime(holder: Holder | undefined, nowMs: MonotonicMs): boolean {
  const oldest = oldestOf(holder)
  const atMs = oldest === null ? undefined : holder?.sas.get(oldest)
  return atMs !== undefined && nowMs >= atMs + HANDSHAKE_MS
}

function excessOf({ sas, devices }: Pick<Source, 'sas' | 'devices'>): number {
  return Math.max(0, sas.size - devices)
}
