/**
 * Inbound ESP (RFC 4303 3.4): SPI, cheap replay check, ICV, window, trailer, inner selectors, leased source. In that order, and nothing behind
 * the ICV is looked at before it was verified (CONFORMANCE C62, C63, N17).
 */
import type { ChildSa } from './child-sa.ts'
import { DropCode } from './drop-code.ts'
import { ESP_HEADER_BYTES } from './esp-transform.ts'
import type { HostMappings } from './host-mappings.ts'
import { translateInbound } from './host-translation.ts'
import { createInnerPacket, parseInnerPacket, type InnerPacket } from './inner-packet.ts'
import { readUint32 } from './octets.ts'
import { Commit } from './replay-window.ts'
import type { Sad } from './sad.ts'
import { highHalf } from './sequence-number.ts'
import type { TransportMode } from './transport-mode.ts'

const NEXT_HEADER_IP4 = 4
const NEXT_HEADER_IP6 = 41
const NEXT_HEADER_NONE = 59
const TRAILER_BYTES = 2

/** Reused record. */
export interface Decapsulated {
  /** Owned by the caller after the call; made by the crypto provider. */
  buffer: Uint8Array
  offset: number
  length: number
  /** The SA that authenticated the packet, also when it was dropped afterwards; null before that. */
  sa: ChildSa | null
  /** The packet moved the top of the replay window. */
  hasAdvanced: boolean
  /** The SA that the SPI names and the sequence number by it: nothing is proven yet. */
  candidate: ChildSa | null
  sequenceHigh: number
  sequenceLow: number
  readonly inner: InnerPacket
}

export function createDecapsulated(): Decapsulated {
  return {
    buffer: new Uint8Array(0),
    offset: 0,
    length: 0,
    sa: null,
    hasAdvanced: false,
    candidate: null,
    sequenceHigh: 0,
    sequenceLow: 0,
    inner: createInnerPacket(),
  }
}

/**
 * The three steps below in one, on arrays of their own.
 *
 * @param datagram one ESP packet, without UDP header; borrowed for the call
 * @param out overwritten; `buffer`, `offset` and `length` hold the inner packet only on `none`
 * @returns `none`, or the reason from `runt` to `selectorMismatch`, or `sourceNotLeased`, `noHostMapping`
 */
export function decapsulate(sad: Sad, datagram: Uint8Array, out: Decapsulated): DropCode {
  const refused = inspectEspHeader(sad, datagram, 0, datagram.length, out)
  if (refused !== DropCode.none || out.candidate === null) return refused
  const plaintext = out.candidate.opener.open(datagram, out.sequenceHigh)
  if (plaintext === null) return DropCode.badIcv
  const replayed = commitAuthentic(out)
  if (replayed !== DropCode.none) return replayed
  const headroom = out.candidate.transport?.headerBytes ?? 0
  if (headroom === 0) return acceptPlaintext(plaintext, 0, plaintext.length, out, sad.hosts)
  const packet = new Uint8Array(headroom + plaintext.length)
  packet.set(plaintext, headroom)
  return acceptPlaintext(packet, headroom, plaintext.length, out, sad.hosts)
}

/**
 * Before the ICV: finds the SA, checks lengths and looks into the replay window.
 *
 * @param length octets of the ESP packet at `offset`
 * @returns `none` with `out.candidate` and the sequence number set, or the reason from `runt` to `replayed`
 */
export function inspectEspHeader(
  sad: Sad,
  bytes: Uint8Array,
  offset: number,
  length: number,
  out: Decapsulated,
): DropCode {
  out.sa = null
  out.candidate = null
  out.hasAdvanced = false
  if (length < ESP_HEADER_BYTES) return DropCode.runt
  const sa = sad.inbound(readUint32(bytes, offset))
  if (sa === undefined || sa.ah !== null) return DropCode.unknownSpi
  if (sa.isSpent) return DropCode.lifetimeOver
  const { opener, replayWindow } = sa
  const textBytes = length - ESP_HEADER_BYTES - opener.ivBytes - opener.icvBytes
  if (textBytes < TRAILER_BYTES) return DropCode.truncated
  if (textBytes % opener.alignBytes !== 0) return DropCode.misaligned
  const low = readUint32(bytes, offset + 4)
  const high = sa.esn ? highHalf(replayWindow.topHigh, replayWindow.topLow, replayWindow.windowPackets, low) : 0
  if (high === 0 && low === 0) return DropCode.zeroSequence
  if (high < 0 || !replayWindow.check(high, low)) return DropCode.replayed
  out.candidate = sa
  out.sequenceHigh = high
  out.sequenceLow = low
  return DropCode.none
}

/** The ICV was right: marks the number as seen and sets `out.sa`. @returns `none` or `replayed` */
export function commitAuthentic(out: Decapsulated): DropCode {
  const sa = out.candidate
  if (sa === null) return DropCode.unknownSpi
  const commit = sa.replayWindow.commit(out.sequenceHigh, out.sequenceLow)
  if (commit === Commit.replayed) return DropCode.replayed
  out.sa = sa
  out.hasAdvanced = commit === Commit.advanced
  return DropCode.none
}

/**
 * Behind the ICV: trailer, inner headers, selectors, leased source or mapped host. Counts what passes.
 *
 * @param offset of the plaintext; in transport mode the IP header is written in front of it, which must be free
 * @param length octets of plaintext with its trailer
 * @param hosts of LANs behind devices: their packets leave here with synthetic addresses; null: there are none
 * @returns `none` with the inner packet in `out`, or the reason from `badPadding` to `selectorMismatch`, `sourceNotLeased`,
 * `noHostMapping`, `notForTransportMode`
 */
export function acceptPlaintext(
  bytes: Uint8Array,
  offset: number,
  length: number,
  out: Decapsulated,
  hosts: HostMappings | null = null,
): DropCode {
  const { sa } = out
  if (sa === null) return DropCode.badIcv
  const payloadEnd = length - TRAILER_BYTES
  if (payloadEnd < 0) return DropCode.badPadding
  const payloadBytes = payloadEnd - bytes[offset + payloadEnd]!
  if (payloadBytes < 0) return DropCode.badPadding
  const nextHeader = bytes[offset + payloadEnd + 1]!
  if (nextHeader === NEXT_HEADER_NONE) return DropCode.dummy
  return acceptPayload(bytes, { offset, length: payloadBytes, nextHeader }, out, hosts)
}

/** What ESP or AH protected, behind its integrity check. */
export interface Payload {
  offset: number
  length: number
  nextHeader: number
}

/** The part of `acceptPlaintext` that AH shares. */
export function acceptPayload(
  bytes: Uint8Array,
  payload: Payload,
  out: Decapsulated,
  hosts: HostMappings | null,
): DropCode {
  const { sa } = out
  if (sa === null) return DropCode.badIcv
  const code = sa.transport === null ? readTunnelled(bytes, payload, out) : rebuild(bytes, payload, sa.transport, out)
  return code === DropCode.none ? admitInner(bytes, out, hosts) : code
}

/** The last part: selectors, checksum behind a NAT, source; counts the packet that `out.inner` was read from. */
export function admitInner(bytes: Uint8Array, out: Decapsulated, hosts: HostMappings | null): DropCode {
  const { sa } = out
  if (sa === null) return DropCode.badIcv
  if (!sa.tsRemote.matchesSource(out.inner) || !sa.tsLocal.matchesDestination(out.inner)) {
    return DropCode.selectorMismatch
  }
  sa.transport?.fixChecksum(bytes, out.inner)
  const refused = placeSource(bytes, sa, out.inner, hosts)
  if (refused !== DropCode.none) return refused
  out.buffer = bytes
  out.offset = out.inner.packetOffset
  out.length = out.inner.totalBytes
  sa.packetsIn++
  sa.bytesIn += out.length
  return DropCode.none
}

/** C63: a device speaks for its leased addresses, and for hosts behind it that somebody asked for. */
function placeSource(bytes: Uint8Array, sa: ChildSa, inner: InnerPacket, hosts: HostMappings | null): DropCode {
  if (sa.leased === null) return DropCode.none
  const isLeased = sa.leased.holdsSource(inner)
  if (hosts !== null && sa.reachesLan && inner.version === 4) {
    return translateInbound(bytes, inner, hosts, sa.subject, isLeased)
  }
  return isLeased ? DropCode.none : DropCode.sourceNotLeased
}

function readTunnelled(bytes: Uint8Array, { offset, length, nextHeader }: Payload, { inner }: Decapsulated): DropCode {
  if (nextHeader !== NEXT_HEADER_IP4 && nextHeader !== NEXT_HEADER_IP6) return DropCode.badNextHeader
  const code = parseInnerPacket(bytes, offset, length, inner)
  if (code !== DropCode.none) return code
  return (inner.version === 4) === (nextHeader === NEXT_HEADER_IP4) ? DropCode.none : DropCode.innerMalformed
}

/** A packet within the packet would get around the selectors: tunnels are for tunnel mode. */
function rebuild(
  bytes: Uint8Array,
  { offset, length, nextHeader }: Payload,
  transport: TransportMode,
  { inner }: Decapsulated,
): DropCode {
  if (nextHeader === NEXT_HEADER_IP4 || nextHeader === NEXT_HEADER_IP6) return DropCode.badNextHeader
  const at = offset - transport.headerBytes
  if (transport.headerBytes + length > 0xffff) return DropCode.innerMalformed
  transport.writeHeader(bytes, at, length, nextHeader)
  const code = parseInnerPacket(bytes, at, transport.headerBytes + length, inner)
  return code === DropCode.none ? refuseNested(inner) : code
}

/** Transport mode carries neither fragments nor a packet within the packet, which may stand behind destination options, too. */
export function refuseNested({ isFragment, protocol }: InnerPacket): DropCode {
  if (isFragment) return DropCode.notForTransportMode
  return protocol === NEXT_HEADER_IP4 || protocol === NEXT_HEADER_IP6 ? DropCode.badNextHeader : DropCode.none
}
