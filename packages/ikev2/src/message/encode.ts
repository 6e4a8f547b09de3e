/**
 * Encodes IKE messages (RFC 7296 3.1, 3.2). Reserved fields are zero and no payload is marked critical (C05, C07).
 *
 * What goes in is ours, so it is not checked here, except that a payload must fit its 16-bit length.
 */
import { InvariantError } from '@culvert/bytes'
import { HEADER_BYTES, writeHeader } from './header.ts'
import type { IkeHeader, Payload } from './model.ts'
import { PAYLOAD } from './numbers.ts'
import { writeU16 } from './octets.ts'
import { encodePayloadBody, payloadTypeOf } from './payload-codec.ts'

const GENERIC_HEADER_BYTES = 4
const MAX_PAYLOAD_BYTES = 0xffff

/** @returns one whole message in the clear, in a fresh array. */
export function encodeMessage(header: IkeHeader, payloads: readonly Payload[]): Uint8Array {
  const { firstType, bytes } = encodePayloads(payloads, HEADER_BYTES)
  writeHeader(bytes, header, firstType, bytes.length)
  return bytes
}

/**
 * The payloads one after the other, in a fresh array.
 *
 * @param headBytes octets left zero before the first of them.
 * @returns also the type of the first (0 when there is none).
 */
export function encodePayloads(
  payloads: readonly Payload[],
  headBytes = 0,
): { readonly firstType: number; readonly bytes: Uint8Array } {
  const bodies = payloads.map(encodePayloadBody)
  let length = headBytes
  for (const body of bodies) length += GENERIC_HEADER_BYTES + body.length
  const bytes = new Uint8Array(length)
  let offset = headBytes
  bodies.forEach((body, index) => {
    writeGenericHeader(bytes, offset, typeAt(payloads, index + 1), body.length)
    bytes.set(body, offset + GENERIC_HEADER_BYTES)
    offset += GENERIC_HEADER_BYTES + body.length
  })
  return { firstType: typeAt(payloads, 0), bytes }
}

/** @returns 4 fresh octets; see `writeGenericHeader`. */
export function encodeGenericHeader(nextType: number, bodyBytes: number): Uint8Array {
  const bytes = new Uint8Array(GENERIC_HEADER_BYTES)
  writeGenericHeader(bytes, 0, nextType, bodyBytes)
  return bytes
}

/** @param bodyBytes length of what follows this header. @throws InvariantError when that does not fit: a bug of the caller. */
export function writeGenericHeader(bytes: Uint8Array, offset: number, nextType: number, bodyBytes: number): void {
  const length = GENERIC_HEADER_BYTES + bodyBytes
  if (length > MAX_PAYLOAD_BYTES) throw new InvariantError('payload longer than 65535 octets')
  bytes[offset] = nextType
  bytes[offset + 1] = 0
  writeU16(bytes, offset + 2, length)
}

function typeAt(payloads: readonly Payload[], index: number): number {
  const payload = payloads[index]
  return payload === undefined ? PAYLOAD.NONE : payloadTypeOf(payload)
}
