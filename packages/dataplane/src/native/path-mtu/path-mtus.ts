/**
 * How long an outer packet may be on the way to each peer (RFC 4301 8.2: the path MTU belongs to the SA), and what is believed of
 * those who say that it is less.
 *
 * It begins as the MTU of the route. A router's message lowers it, for ten minutes (RFC 1191 6.3). Messages of routers are not
 * authenticated, so they have to prove that they saw our packet: it was sent by us, to the address and port of an SA, and the
 * quoted SPI and sequence number are among the last 2^16 of that SA; then it may go down to 576 (IPv6: 1280). Routers that quote
 * too little for that are believed down to 1280 only.
 *
 * The value in force lies in the SA's line of shared fields, 0 for "whatever fits a datagram".
 */
import { ahBytes, largestInnerBytes } from '@culvert/esp'
import type { SocketAddress } from '@culvert/ikev2'
import type { NativeSa } from '../sa/native-sa.ts'
import { AF_INET, type PacketMemory } from '../../foreign/index.ts'
import { type PathError, PROTOCOL_UDP } from './path-error.ts'
import { SaField, type SharedState } from '../shared-memory/shared-state.ts'
import { decodeSocketAddress } from '../sockets/socket-address.ts'

export interface PathMtuSite {
  readonly memory: PacketMemory
  readonly shared: SharedState
  /** MTU of the route to the socket address at this offset; 0 when nobody knows. */
  routeMtu(destination: number): number
  /** Addresses and ports the sockets are bound to. */
  readonly locals: readonly SocketAddress[]
}

/** RFC 1191 6.3 and RFC 8201 4: not sooner than five minutes, ten are recommended. */
const LIFETIME_MS = 600_000
/** Below it a route is believed only when the kernel has refused a packet. */
const BELIEVED_BYTES = 1280
const IPV4_FLOOR_BYTES = 576
const IPV6_FLOOR_BYTES = 1280
/** As far back as a quoted packet may lie. */
const RECENT_PACKETS = 0x10000
const IPV4_HEADER_BYTES = 20
const IPV6_HEADER_BYTES = 40
const UDP_HEADER_BYTES = 8
const LONGEST_INNER_BYTES = 65_535

export class PathMtus {
  readonly #site: PathMtuSite
  /** By `keyOf`: the SAs of one peer, or of all peers without UDP behind one address. */
  readonly #byDestination = new Map<string, Set<NativeSa>>()
  /** When to forget what a router said, oldest first. */
  readonly #learned = new Map<NativeSa, number>()

  constructor(site: PathMtuSite) {
    this.#site = site
  }

  /** An SA was installed, or moved to another address: begins with the route. */
  add(record: NativeSa): void {
    const key = this.#keyOf(record)
    const others = this.#byDestination.get(key)
    if (others === undefined) this.#byDestination.set(key, new Set([record]))
    else others.add(record)
    this.#begin(record)
  }

  /** Before its address changes, or when it is removed. */
  remove(record: NativeSa): void {
    const key = this.#keyOf(record)
    const all = this.#byDestination.get(key)
    all?.delete(record)
    if (all?.size === 0) this.#byDestination.delete(key)
    this.#learned.delete(record)
  }

  /** Octets of the longest inner packet that fits on the way of this SA. */
  largestInner(record: NativeSa): number {
    const { memory, shared } = this.#site
    const pathMtu = shared.sas[record.line + SaField.pathMtu]!
    if (pathMtu === 0) return LONGEST_INNER_BYTES
    const isIp4 = memory.bytes[record.destination] === AF_INET
    const outerBytes = isIp4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES
    const { ah, transport } = record.sa
    if (ah !== null) return pathMtu - ahBytes(ah.sealer.icvBytes, isIp4 ? 4 : 6) - (transport === null ? outerBytes : 0)
    return largestInnerBytes(pathMtu - outerBytes - (record.sa.udpEncap ? UDP_HEADER_BYTES : 0), record.sealer)
  }

  /** @returns whether it was believed */
  noteRouterError(error: PathError, nowMs: number): boolean {
    if (!this.#isFromUs(error)) return false
    const { address, port } = error.remote
    let isBelieved = false
    for (const record of this.#byDestination.get(keyText(address, port)) ?? []) {
      if (!this.#lower(record, error)) continue
      isBelieved = true
      this.#learned.delete(record)
      this.#learned.set(record, nowMs + LIFETIME_MS)
    }
    return isBelieved
  }

  /** The kernel refused a datagram to this SA as too long: asks for the route again, which may only lower what is known. */
  noteRefused(record: NativeSa, nowMs: number): void {
    const route = this.#site.routeMtu(record.destination)
    const now = this.#site.shared.sas[record.line + SaField.pathMtu]!
    const wanted = Math.max(route, this.#floorOf(record))
    if (route === 0 || (now !== 0 && wanted >= now)) return
    this.#set(record, wanted)
    this.#learned.delete(record)
    this.#learned.set(record, nowMs + LIFETIME_MS)
  }

  /** Forgets what was learned long ago. */
  advanceTo(nowMs: number): void {
    for (const [record, untilMs] of this.#learned) {
      if (untilMs > nowMs) return
      this.#learned.delete(record)
      this.#begin(record)
    }
  }

  #isFromUs({ local, protocol }: PathError): boolean {
    return this.#site.locals.some(
      ({ address, port }) =>
        (protocol !== PROTOCOL_UDP || port === local.port) &&
        (address === local.address || address === '0.0.0.0' || address === '::'),
    )
  }

  #lower(record: NativeSa, { esp, mtuBytes }: PathError): boolean {
    const isProven = esp !== null && this.#hasSent(record, esp)
    if (esp !== null && !isProven) return false
    const least = this.#floorOf(record)
    if (least === IPV6_FLOOR_BYTES && mtuBytes < least) return false // RFC 8201 4
    const floor = isProven ? least : BELIEVED_BYTES
    const now = this.#site.shared.sas[record.line + SaField.pathMtu]!
    // A router older than RFC 1191 names no MTU: what every IPv6 link carries is a fair guess, then the least.
    const named = mtuBytes === 0 && now > BELIEVED_BYTES ? BELIEVED_BYTES : mtuBytes
    const wanted = Math.max(named, floor)
    if (now !== 0 && wanted >= now) return false
    this.#set(record, wanted)
    return true
  }

  #hasSent({ sa }: NativeSa, { spi, sequenceLow }: NonNullable<PathError['esp']>): boolean {
    return spi === sa.spiOut && (sa.sequence.lastLow - sequenceLow) >>> 0 < RECENT_PACKETS
  }

  #begin(record: NativeSa): void {
    const route = this.#site.routeMtu(record.destination)
    this.#set(record, route === 0 ? 0 : Math.max(route, BELIEVED_BYTES))
  }

  #set(record: NativeSa, pathMtuBytes: number): void {
    this.#site.shared.sas[record.line + SaField.pathMtu] = pathMtuBytes
  }

  #floorOf(record: NativeSa): number {
    return this.#site.memory.bytes[record.destination] === AF_INET ? IPV4_FLOOR_BYTES : IPV6_FLOOR_BYTES
  }

  #keyOf(record: NativeSa): string {
    const { address, port } = decodeSocketAddress(this.#site.memory.bytes, record.destination)
    return keyText(address, record.sa.udpEncap ? port : 0)
  }
}

function keyText(address: string, port: number): string {
  return `${port} ${address}`
}
