/**
 * Decodes IKE messages: header, the chain of payloads, and SK or SKF as far as it can be seen without keys (RFC 7296 3.1, 3.2).
 *
 *   generic header: next payload | C(1) reserved(7) | length(2), this header included
 *
 * Never throws. Every payload and list is bounded (`limits.ts`), lengths only shrink what is left, unknown payloads are skipped
 * unless critical (C07), SK and SKF must come last and hold no other SK (C08). The result aliases the datagram.
 */
import { HEADER_BYTES, MAJOR_VERSION, type PeekedHeader, peekHeader } from './header.ts'
import { MAX_PAYLOADS } from './limits.ts'
import type { IkeHeader, Message, Payload, Result, SealedPayload } from './model.ts'
import { PAYLOAD } from './numbers.ts'
import { readU16, readU8 } from './octets.ts'
import { decodePayloadBody } from './payload-codec.ts'
import { failure, success } from './result.ts'

export const GENERIC_HEADER_BYTES = 4

const CRITICAL_BIT = 0x80
const FRAGMENT_FIXED_BYTES = 4

/**
 * Decodes one datagram without its non-ESP marker.
 *
 * @returns the header, the clear payloads and what is sealed; or the first thing wrong, with the payload type it was found in.
 */
export function decodeMessage(datagram: Uint8Array): Result<Message> {
  const peeked = peekHeader(datagram)
  if (!peeked.ok) return peeked
  const { length, majorVersion, firstType } = peeked.value
  if (length !== datagram.length) return failure('lengthMismatch', 0, 24)
  if (majorVersion !== MAJOR_VERSION) return failure('majorVersion', 0, 17)
  return decodeChain(withoutLengths(peeked.value), firstType, datagram)
}

function withoutLengths(header: PeekedHeader): IkeHeader {
  const { spiI, spiR, exchangeType, messageId, fromOriginalInitiator, isResponse } = header
  return { spiI, spiR, exchangeType, messageId, fromOriginalInitiator, isResponse }
}

function decodeChain(header: IkeHeader, firstType: number, datagram: Uint8Array): Result<Message> {
  const chain = walkPayloads(firstType, datagram, HEADER_BYTES)
  if (!chain.ok) return chain
  const { payloads, sealedAt } = chain.value
  if (sealedAt === null) return success({ header, payloads, sealed: null })
  const sealed = decodeSealed(sealedAt, datagram)
  return sealed.ok ? success({ header, payloads, sealed: sealed.value }) : sealed
}

/**
 * Decodes the payloads inside an opened SK payload.
 *
 * @param firstType the inner type of the SK payload; 0 when it holds nothing.
 * @returns the payloads in order; another SK inside is `sealedNested`.
 */
export function decodePayloads(firstType: number, bytes: Uint8Array): Result<readonly Payload[]> {
  const chain = walkPayloads(firstType, bytes, 0)
  if (!chain.ok) return chain
  const { payloads, sealedAt } = chain.value
  return sealedAt === null ? success(payloads) : failure('sealedNested', sealedAt.type, sealedAt.start)
}

/** Where an SK or SKF payload starts (its generic header) and ends. */
interface SealedAt {
  readonly type: number
  readonly start: number
}

interface Chain {
  readonly payloads: readonly Payload[]
  readonly sealedAt: SealedAt | null
}

function walkPayloads(firstType: number, bytes: Uint8Array, start: number): Result<Chain> {
  const payloads: Payload[] = []
  let type = firstType
  let offset = start
  while (type !== PAYLOAD.NONE) {
    if (payloads.length === MAX_PAYLOADS) return failure('tooMany', type, offset)
    if (bytes.length - offset < GENERIC_HEADER_BYTES) return failure('truncated', type, offset)
    const length = readU16(bytes, offset + 2)
    const end = offset + length
    if (length < GENERIC_HEADER_BYTES) return failure('payloadTooShort', type, offset + 2)
    if (end > bytes.length) return failure('payloadOverrun', type, offset + 2)
    if (type === PAYLOAD.SK || type === PAYLOAD.SKF) {
      if (end !== bytes.length) return failure('sealedNotLast', type, offset)
      return success({ payloads, sealedAt: { type, start: offset } })
    }
    const payload = decodePayload(type, bytes, offset, end)
    if (!payload.ok) return payload
    payloads.push(payload.value)
    type = readU8(bytes, offset)
    offset = end
  }
  return offset === bytes.length ? success({ payloads, sealedAt: null }) : failure('lengthMismatch', 0, offset)
}

function decodePayload(type: number, bytes: Uint8Array, start: number, end: number): Result<Payload> {
  const bodyStart = start + GENERIC_HEADER_BYTES
  const known = decodePayloadBody(type, bytes, bodyStart, end)
  if (known !== null) return known
  const isCritical = (readU8(bytes, start + 1) & CRITICAL_BIT) !== 0
  if (isCritical) return failure('unknownCritical', type, start)
  return success({ kind: 'unknown', type, data: bytes.subarray(bodyStart, end) })
}

/** RFC 7296 3.14 and RFC 7383 2.5: SKF has fragment number(2) and total(2) after its generic header. */
function decodeSealed(at: SealedAt, bytes: Uint8Array): Result<SealedPayload> {
  const bodyStart = at.start + GENERIC_HEADER_BYTES
  const innerType = readU8(bytes, at.start)
  if (at.type === PAYLOAD.SK) {
    return success({ innerType, fragmentNumber: 0, totalFragments: 0, bodyOffset: bodyStart })
  }
  if (bytes.length - bodyStart < FRAGMENT_FIXED_BYTES) return failure('payloadTooShort', at.type, bodyStart)
  const fragmentNumber = readU16(bytes, bodyStart)
  const totalFragments = readU16(bytes, bodyStart + 2)
  if (fragmentNumber === 0 || fragmentNumber > totalFragments) return failure('badFragment', at.type, bodyStart)
  return success({
    innerType: fragmentNumber === 1 ? innerType : PAYLOAD.NONE,
    fragmentNumber,
    totalFragments,
    bodyOffset: bodyStart + FRAGMENT_FIXED_BYTES,
  })
}
