/**
 * IntAuth: what makes the messages of IKE_INTERMEDIATE part of authentication (RFC 9242 3.3.2).
 *
 * ```
 *   IntAuth_1 = prf(SK_p of exchange 1,             A_1 | P_1)      one chain for each direction
 *   IntAuth_n = prf(SK_p of exchange n, IntAuth_n-1 | A_n | P_n)
 *   IntAuth   = IntAuth_iN | IntAuth_rN | message id of the first IKE_AUTH
 * ```
 *
 * A is the IKE header and the generic header of SK, P the payloads inside; both as if the message had not been fragmented, with
 * lengths that count neither IV nor padding nor ICV. SK_p is the one in force when the message was sent.
 */
import { concatBytes } from '@culvert/bytes'
import type { Prf } from '@culvert/crypto'
import { encodeGenericHeader, encodePayloads } from '../message/encode.ts'
import { encodeHeader, HEADER_BYTES } from '../message/header.ts'
import type { IkeHeader, Payload } from '../message/model.ts'
import { PAYLOAD } from '../message/numbers.ts'
import { readU8, writeU16, writeU32 } from '../message/octets.ts'

/** IKE header and one generic header. */
export const HEAD_BYTES = 32

const FIRST_TYPE_OFFSET = 16
const LENGTH_OFFSET = 24

/** A message as it was received, whole. */
export interface MessageOctets {
  /** Its first 32 octets; of its first fragment when it came in fragments. */
  readonly head: Uint8Array
  /** Type of the first payload inside. */
  readonly innerType: number
  /** The payloads inside, without padding. */
  readonly content: Uint8Array
}

/** @returns A | P in a fresh array; null when payloads stand before SK, which no exchange here has. */
export function receivedOctets({ head, innerType, content }: MessageOctets): Uint8Array | null {
  const firstType = readU8(head, FIRST_TYPE_OFFSET)
  const isSealedAlone = firstType === PAYLOAD.SK || firstType === PAYLOAD.SKF
  if (!isSealedAlone || head.length !== HEAD_BYTES) return null
  const octets = concatBytes(head, content)
  octets[FIRST_TYPE_OFFSET] = PAYLOAD.SK
  octets[HEADER_BYTES] = innerType
  writeU32(octets, LENGTH_OFFSET, octets.length)
  writeU16(octets, HEADER_BYTES + 2, octets.length - HEADER_BYTES)
  return octets
}

/** A | P of a message of ours with these payloads. */
export function sentOctets(header: IkeHeader, payloads: readonly Payload[]): Uint8Array {
  const { firstType, bytes } = encodePayloads(payloads)
  const head = encodeHeader(header, PAYLOAD.SK, HEAD_BYTES + bytes.length)
  return concatBytes(head, encodeGenericHeader(firstType, bytes.length), bytes)
}

/**
 * @param skP SK_pi for messages of the initiator, SK_pr for those of the responder.
 * @param previous of the same direction, empty for the first.
 */
export function nextIntAuth(prf: Prf, skP: Uint8Array, previous: Uint8Array, octets: Uint8Array): Uint8Array {
  return prf.compute(skP, previous, octets)
}

/** What the signed octets end with. @param messageId of the first IKE_AUTH. */
export function intAuthOf(intAuthI: Uint8Array, intAuthR: Uint8Array, messageId: number): Uint8Array {
  const id = new Uint8Array(4)
  writeU32(id, 0, messageId)
  return concatBytes(intAuthI, intAuthR, id)
}
