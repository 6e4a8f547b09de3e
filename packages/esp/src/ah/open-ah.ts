/**
 * Inbound AH (RFC 4302 3.4): whole IP packets as a raw socket of protocol 51 gives them, reassembled by the kernel.
 *
 * The order is that of ESP: SPI, lengths, replay check, ICV, window, inner headers, selectors (CONFORMANCE C62, C63, N18). In
 * transport mode the header is taken out and the packet goes on with the IP header it came with, which the ICV covered; in tunnel mode
 * the inner packet goes on.
 */
import { acceptPayload, admitInner, commitAuthentic, type Decapsulated, refuseNested } from '../decapsulate.ts'
import { DropCode } from '../drop-code.ts'
import { parseInnerPacket } from '../inner-packet.ts'
import { readUint16, writeUint16 } from '../octets.ts'
import type { Sad } from '../sad.ts'
import { highHalf } from '../sequence-number.ts'
import { headerChecksum } from '../transport-mode.ts'
import { AH_FIXED_BYTES, type AhPlace, createAhPlace, findAh } from './ah-header.ts'

/** Of padding behind the ICV: what aligns to 8 octets. */
const MOST_PADDING_BYTES = 7

/**
 * @param packet whole IP packet; borrowed, only read
 * @param out overwritten; `buffer`, `offset` and `length` hold the inner packet on `none`, in memory of its own
 * @returns `none`, `badAuthHeader`, or a reason as `decapsulate` has it
 */
export function openAh(sad: Sad, packet: Uint8Array, out: Decapsulated): DropCode {
  const place = createAhPlace()
  const refused = inspectAh(sad, packet, place, out)
  if (refused !== DropCode.none || !out.candidate?.ah) return refused
  if (!out.candidate.ah.opener.verify(packet, place, out.sequenceHigh)) return DropCode.badIcv
  const replayed = commitAuthentic(out)
  if (replayed !== DropCode.none) return replayed
  if (out.candidate.transport !== null) return acceptStripped(sad, packet, place, out)
  const { nextHeader, offset, length, totalBytes } = place
  const inner = packet.slice(offset + length, totalBytes)
  return acceptPayload(inner, { offset: 0, length: inner.length, nextHeader }, out, sad.hosts)
}

function inspectAh(sad: Sad, packet: Uint8Array, place: AhPlace, out: Decapsulated): DropCode {
  out.sa = null
  out.candidate = null
  out.hasAdvanced = false
  if (!findAh(packet, place)) return DropCode.badAuthHeader
  const sa = sad.inbound(place.spi)
  if (sa?.ah == null) return DropCode.unknownSpi
  if (sa.isSpent) return DropCode.lifetimeOver
  const paddingBytes = place.length - AH_FIXED_BYTES - sa.ah.opener.icvBytes
  if (paddingBytes < 0 || paddingBytes > MOST_PADDING_BYTES) return DropCode.badAuthHeader
  const { replayWindow } = sa
  const low = place.sequenceLow
  const high = sa.esn ? highHalf(replayWindow.topHigh, replayWindow.topLow, replayWindow.windowPackets, low) : 0
  if (high === 0 && low === 0) return DropCode.zeroSequence
  if (high < 0 || !replayWindow.check(high, low)) return DropCode.replayed
  out.candidate = sa
  out.sequenceHigh = high
  out.sequenceLow = low
  return DropCode.none
}

/** Transport mode: the packet without its authentication header. */
function acceptStripped(sad: Sad, packet: Uint8Array, ah: AhPlace, out: Decapsulated): DropCode {
  if (ah.nextHeader === 59) return DropCode.dummy
  if (ah.nextHeader === 4 || ah.nextHeader === 41) return DropCode.badNextHeader
  const bytes = new Uint8Array(ah.totalBytes - ah.length)
  bytes.set(packet.subarray(0, ah.offset))
  bytes.set(packet.subarray(ah.offset + ah.length, ah.totalBytes), ah.offset)
  bytes[ah.namedAt] = ah.nextHeader
  if (ah.version === 4) {
    writeUint16(bytes, 2, bytes.length)
    headerChecksum(bytes, 0)
  } else {
    writeUint16(bytes, 4, readUint16(packet, 4) - ah.length)
  }
  const code = parseInnerPacket(bytes, 0, bytes.length, out.inner)
  const refused = code === DropCode.none ? refuseNested(out.inner) : code
  return refused === DropCode.none ? admitInner(bytes, out, sad.hosts) : refused
}
