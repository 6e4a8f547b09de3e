/**
 * Outbound ESP (RFC 4303 3.3): finds the SA of an inner packet, pads, numbers and seals it.
 *
 * In two halves, so that a policy can look at the parsed packet in between: `findOutbound`, then `sealInto`.
 */
import type { ChildSa } from './child-sa.ts'
import { DropCode } from './drop-code.ts'
import { ESP_HEADER_BYTES, type EspLayout } from './esp-transform.ts'
import { createInnerPacket, parseInnerPacket, type InnerPacket } from './inner-packet.ts'
import { writeUint32 } from './octets.ts'
import { spendPathCredit } from './path-trial.ts'
import type { Sad } from './sad.ts'

const NEXT_HEADER_IP4 = 4
const NEXT_HEADER_IP6 = 41

/** Room a caller leaves behind an inner packet for padding, pad length and next header. */
export const TRAILER_ROOM_BYTES = 18

/** Where an inner packet lies. */
export interface PacketSlice {
  bytes: Uint8Array
  offset: number
  length: number
}

/** Reused record. The caller sets `buffer` and `offset` (headroom) before each call. */
export interface Encapsulated {
  /** The ESP packet is written here; owned by the caller; must not overlap the inner packet. */
  buffer: Uint8Array
  offset: number
  length: number
  sa: ChildSa | null
  readonly inner: InnerPacket
}

export function createEncapsulated(): Encapsulated {
  return { buffer: new Uint8Array(0), offset: 0, length: 0, sa: null, inner: createInnerPacket() }
}

/** `findOutbound`, then `sealInto`: for callers without a policy of their own. */
export function encapsulate(sad: Sad, packet: PacketSlice, out: Encapsulated): DropCode {
  const code = findOutbound(sad, packet, out)
  return code === DropCode.none ? sealInto(packet, out) : code
}

/**
 * Reads the inner packet and finds its SA.
 *
 * @param packet borrowed, only read
 * @returns `none` with `out.sa` and `out.inner` set, `innerMalformed`, `noOutboundSa` or `outboundSelectorMismatch`
 */
export function findOutbound(sad: Sad, packet: PacketSlice, out: Encapsulated): DropCode {
  out.sa = null
  const code = parseInnerPacket(packet.bytes, packet.offset, packet.length, out.inner)
  if (code !== DropCode.none) return code
  const found = sad.outbound(out.inner)
  if (typeof found === 'number') return found
  out.sa = found
  return DropCode.none
}

/**
 * Seals the packet that `findOutbound` read with `out.sa`; in transport mode without its IP header.
 *
 * @param packet written to: the trailer goes behind the packet, up to `TRAILER_ROOM_BYTES`
 * @returns `none` with `out.length` set, `lifetimeOver`, `notForTransportMode`, `tooBig`, `pathUnconfirmed` or `sequenceExhausted`
 */
export function sealInto(packet: PacketSlice, out: Encapsulated): DropCode {
  const { sa, buffer, offset: at } = out
  if (sa === null) return DropCode.noOutboundSa
  const refused = mayLeave(sa, out.inner)
  if (refused !== DropCode.none) return refused
  const headerBytes = sa.transport?.headerBytes ?? 0
  const from = packet.offset + headerBytes
  const payloadBytes = out.inner.totalBytes - headerBytes
  const textEnd = from + paddedBytes(payloadBytes, sa.sealer)
  const espBytes = payloadBytes + espOverheadBytes(payloadBytes, sa.sealer)
  if (textEnd > packet.bytes.length || at + espBytes > buffer.length) return DropCode.tooBig
  if (!spendPathCredit(sa, espBytes)) return DropCode.pathUnconfirmed
  if (!takeSequenceNumber(sa)) return DropCode.sequenceExhausted
  writeTrailer(packet.bytes, from + payloadBytes, textEnd, nextHeaderOf(sa, out.inner))
  writeUint32(buffer, at, sa.spiOut)
  writeUint32(buffer, at + 4, sa.sequenceLow)
  const plaintext = packet.bytes.subarray(from, textEnd)
  if (!sa.sealer.seal(plaintext, buffer, at, sa.sequenceHigh)) return DropCode.sequenceExhausted
  out.length = espBytes
  sa.packetsOut++
  sa.bytesOut += out.inner.totalBytes
  return DropCode.none
}

/** Before a sequence number is spent. @returns `none`, `lifetimeOver`, `noOutboundSa` for an SA of AH, or `notForTransportMode` */
export function mayLeave(sa: ChildSa, inner: InnerPacket): DropCode {
  if (sa.isSpent) return DropCode.lifetimeOver
  if (sa.ah !== null) return DropCode.noOutboundSa
  return sa.transport === null || sa.transport.carries(inner) ? DropCode.none : DropCode.notForTransportMode
}

/** What stands in the trailer: IPv4 or IPv6 in tunnel mode, the upper layer in transport mode. */
export function nextHeaderOf(sa: ChildSa, inner: InnerPacket): number {
  if (sa.transport !== null) return inner.protocol
  return inner.version === 4 ? NEXT_HEADER_IP4 : NEXT_HEADER_IP6
}

/** Octets that ESP adds to an inner packet of this length, without the outer IP and UDP headers. */
export function espOverheadBytes(innerBytes: number, layout: EspLayout): number {
  return ESP_HEADER_BYTES + layout.ivBytes + layout.icvBytes + paddedBytes(innerBytes, layout) - innerBytes
}

/** Octets of plaintext for an inner packet: itself, padding, pad length, next header. */
export function paddedBytes(innerBytes: number, layout: EspLayout): number {
  return Math.ceil((innerBytes + 2) / layout.alignBytes) * layout.alignBytes
}

/** Padding 1, 2, 3 ... (RFC 4303 2.4), pad length, next header. */
export function writeTrailer(bytes: Uint8Array, from: number, end: number, nextHeader: number): void {
  const padBytes = end - from - 2
  for (let i = 0; i < padBytes; i++) bytes[from + i] = i + 1
  bytes[end - 2] = padBytes
  bytes[end - 1] = nextHeader
}

/** Never wraps (RFC 4303 3.3.3). */
export function takeSequenceNumber(sa: ChildSa): boolean {
  return sa.sequence.take()
}
