/**
 * What the ICV of AH does not cover: fields that may change on the way are zero while it is computed (RFC 4302 3.3.3.1).
 *
 * ```
 *   IPv4   TOS, flags, fragment offset, TTL, header checksum; options but for those listed, with type and length
 *   IPv6   traffic class, flow label, hop limit; in hop-by-hop and destination options before AH the data of those that may change
 * ```
 *
 * Routing headers are predictable: what arrives at its destination is what was authenticated. With source routing of IPv4 too, which
 * `findAh` and the reader of inner packets leave to the destination; its option is zeroed like every other mutable one.
 */
import type { AhPlace } from './ah-header.ts'
import { AH_FIXED_BYTES } from './ah-header.ts'

/** End, no operation, security (two kinds), commercial security, router alert, multi-destination delivery (RFC 4302 A1). */
const IMMUTABLE_OPTIONS: ReadonlySet<number> = new Set([0, 1, 130, 133, 134, 148, 149])
const OPTION_END = 0
const OPTION_NOP = 1
const PAD1 = 0
/** In an IPv6 option type: the data may change on the way. */
const MAY_CHANGE = 0x20

/**
 * @param image copy of a packet in which `findAh` found `place`; written to
 * @param icvBytes octets of the ICV, which becomes zero; padding behind it counts
 * @returns false when options make no sense: then there is nothing to verify
 */
export function zeroMutableFields(image: Uint8Array, place: AhPlace, icvBytes: number): boolean {
  const icvAt = place.offset + AH_FIXED_BYTES
  image.fill(0, icvAt, icvAt + icvBytes)
  return place.version === 4 ? zeroMutable4(image) : zeroMutable6(image, place)
}

function zeroMutable4(image: Uint8Array): boolean {
  image[1] = 0
  image.fill(0, 6, 9)
  image.fill(0, 10, 12)
  const end = (image[0]! & 0x0f) * 4
  let at = 20
  while (at < end) {
    const type = image[at]!
    if (type === OPTION_END) {
      at = end
      continue
    }
    if (type === OPTION_NOP) {
      at++
      continue
    }
    const length = at + 1 < end ? image[at + 1]! : 0
    if (length < 2 || at + length > end) return false
    if (!IMMUTABLE_OPTIONS.has(type)) image.fill(0, at, at + length)
    at += length
  }
  return true
}

function zeroMutable6(image: Uint8Array, { offset }: AhPlace): boolean {
  image[0] = 0x60
  image.fill(0, 1, 4)
  image[7] = 0
  let type = image[6]!
  let at = 40
  while (at < offset) {
    const end = at + (image[at + 1]! + 1) * 8
    if ((type === 0 || type === 60) && !zeroOptions6(image, at + 2, end)) return false
    type = image[at]!
    at = end
  }
  return true
}

function zeroOptions6(image: Uint8Array, from: number, end: number): boolean {
  let at = from
  while (at < end) {
    const type = image[at]!
    if (type === PAD1) {
      at++
      continue
    }
    const dataAt = at + 2
    const next = dataAt + (at + 1 < end ? image[at + 1]! : end)
    if (next > end) return false
    if ((type & MAY_CHANGE) !== 0) image.fill(0, dataAt, next)
    at = next
  }
  return true
}
