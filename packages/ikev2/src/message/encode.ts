/**
 * Encodes IKE messages (RFC 7296 3.1, 3.2). Reserved fields are zero and no payload is marked critical (C05, C07).
 *
 * What goes in is ours, so it is not checked here, except that a payload must fit its 16-bit length.
 */
import { concatBytes, InvariantError } from '@culvert/bytes'
import { encodeHeader, HEADER_BYTES } from './header.ts'
import type { IkeHeader, Payload } from './model.ts'
import { PAYLOAD } from './numbers.ts'
import { writeU16 } from './octets.ts'
import { encodePayloadBody, payloadTypeOf } from './payload-codec.ts'

const GENERIC_HEADER_BYTES = 4
const MAX_PAYLOAD_BYTES = 0xffff

/** @returns one whole message in the clear, in a fresh array. */
export function encodeMessage(header: IkeHeader, payloads: readonly Payload[]): Uint8Array {
  const { firstType, bytes } = encodePayloads(payloads)
  return concatBytes(encodeHeader(header, firstType, HEADER_BYTES + bytes.length), bytes)
}

/** @returns the payloads one after the other, and the type of the first (0 when there is none). */
export function encodePayloads(payloads: readonly Payload[]): { firstType: number; bytes: Uint8Array } {
  const chunks: Uint8Array[] = []
  payloads.forEach((payload, index) => {
    const body = encodePayloadBody(payload)
    chunks.push(encodeGenericHeader(typeAt(payloads, index + 1), body.length), body)
  })
  return { firstType: typeAt(payloads, 0), bytes: concatBytes(...chunks) }
}

/** @param bodyBytes length of what follows this header. @throws InvariantError when that does not fit: a bug of the caller. */
export function encodeGenericHeader(nextType: number, bodyBytes: number): Uint8Array {
  const length = GENERIC_HEADER_BYTES + bodyBytes
  if (length > MAX_PAYLOAD_BYTES) throw new InvariantError('payload longer than 65535 octets')
  const bytes = Uint8Array.of(nextType, 0, 0, 0)
  writeU16(bytes, 2, length)
  return bytes
}

function typeAt(payloads: readonly Payload[], index: number): number {
  const payload = payloads[index]
  return payload === undefined ? PAYLOAD.NONE : payloadTypeOf(payload)
}
