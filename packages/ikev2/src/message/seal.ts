/**
 * Seals and opens the Encrypted payload, SK (RFC 7296 3.14, RFC 5282) and SKF (RFC 7383 2.5).
 *
 *   SK body:  IV | ciphertext of (payloads | padding | pad length) | ICV
 *   SKF body: fragment number(2) | total(2) | IV | ciphertext of (part | padding | pad length) | ICV
 *
 * AEAD: the additional data is everything from the IKE header up to the IV; the nonce is salt | IV. Otherwise the MAC covers
 * the whole message up to the ICV, and is checked before anything is decrypted. Any padding that aligns is accepted (C09).
 * Whether a message id is fresh is not decided here.
 */
import { concatBytes, constantTimeEqual, InvariantError } from '@culvert/bytes'
import type { Cipher, Integrity } from '@culvert/crypto'
import { encodePayloads, writeGenericHeader } from './encode.ts'
import { HEADER_BYTES, writeHeader } from './header.ts'
import type { IkeHeader, Message, Payload, Result } from './model.ts'
import { PAYLOAD } from './numbers.ts'
import { EMPTY, readU8, writeU16 } from './octets.ts'
import { failure, success } from './result.ts'

/** Keys of one direction of an IKE SA. */
export interface SkKeys {
  readonly cipher: Cipher
  /** Null with an AEAD. */
  readonly integ: Integrity | null
  /** Encryption key, then the salt of an AEAD. */
  readonly encrKey: Uint8Array
  /** Empty with an AEAD. */
  readonly integKey: Uint8Array
}

export interface SealLimits {
  /** Largest datagram wanted, in octets of the IKE message. */
  readonly fragmentBytes: number
  /** Both sides sent IKEV2_FRAGMENTATION_SUPPORTED. */
  readonly fragmentation: boolean
}

const GENERIC_HEADER_BYTES = 4
const FRAGMENT_FIXED_BYTES = 4
/** A fragment carries at least this much, however small the limit. */
const MIN_FRAGMENT_CONTENT_BYTES = 64

/**
 * Seals payloads into one message, or into fragments when it would be larger than the limit and the peer takes fragments.
 *
 * @param nextIv gives a fresh IV of `cipher.ivBytes` at every call: unique for an AEAD, unpredictable for CBC.
 * @returns datagrams in fresh arrays, to be sent in this order.
 */
export function sealMessage(
  header: IkeHeader,
  payloads: readonly Payload[],
  keys: SkKeys,
  nextIv: () => Uint8Array,
  limits: SealLimits,
): Uint8Array[] {
  const { firstType, bytes } = encodePayloads(payloads)
  const wholeBytes = HEADER_BYTES + GENERIC_HEADER_BYTES + sealedBytes(keys, bytes.length)
  if (!limits.fragmentation || wholeBytes <= limits.fragmentBytes) {
    return [
      sealPart(
        { header, payloadType: PAYLOAD.SK, innerType: firstType, prefix: EMPTY, content: bytes },
        keys,
        nextIv(),
      ),
    ]
  }
  const partBytes = fragmentContentBytes(keys, limits.fragmentBytes)
  const total = Math.ceil(bytes.length / partBytes)
  return Array.from({ length: total }, (_, index) => {
    const prefix = new Uint8Array(FRAGMENT_FIXED_BYTES)
    writeU16(prefix, 0, index + 1)
    writeU16(prefix, 2, total)
    const content = bytes.subarray(index * partBytes, (index + 1) * partBytes)
    const innerType = index === 0 ? firstType : PAYLOAD.NONE
    return sealPart({ header, payloadType: PAYLOAD.SKF, innerType, prefix, content }, keys, nextIv())
  })
}

/** Padding and pad length octet for a content of this length: CBC fills its last block, an AEAD needs none. */
function padBytes(cipher: Cipher, contentBytes: number): number {
  if (cipher.kind === 'aead') return 1
  return cipher.blockBytes - (contentBytes % cipher.blockBytes)
}

function sealedBytes(keys: SkKeys, contentBytes: number): number {
  return keys.cipher.ivBytes + contentBytes + padBytes(keys.cipher, contentBytes) + icvBytes(keys)
}

function icvBytes({ cipher, integ }: SkKeys): number {
  if (cipher.kind === 'aead') return cipher.icvBytes
  return integ === null ? 0 : integ.icvBytes
}

function fragmentContentBytes(keys: SkKeys, fragmentBytes: number): number {
  const { cipher } = keys
  const fixed = HEADER_BYTES + GENERIC_HEADER_BYTES + FRAGMENT_FIXED_BYTES + cipher.ivBytes + icvBytes(keys)
  const room = fragmentBytes - fixed
  const aligned = cipher.kind === 'aead' ? room : room - (room % cipher.blockBytes)
  return Math.max(aligned - 1, MIN_FRAGMENT_CONTENT_BYTES)
}

interface Part {
  readonly header: IkeHeader
  readonly payloadType: number
  readonly innerType: number
  /** Fragment number and total, or nothing. */
  readonly prefix: Uint8Array
  readonly content: Uint8Array
}

function sealPart(part: Part, keys: SkKeys, iv: Uint8Array): Uint8Array {
  const { header, prefix, content } = part
  const bodyBytes = prefix.length + sealedBytes(keys, content.length)
  const messageBytes = HEADER_BYTES + GENERIC_HEADER_BYTES + bodyBytes
  const { cipher } = keys
  const aad = new Uint8Array(HEADER_BYTES + GENERIC_HEADER_BYTES + prefix.length)
  writeHeader(aad, header, part.payloadType, messageBytes)
  writeGenericHeader(aad, HEADER_BYTES, part.innerType, bodyBytes)
  aad.set(prefix, HEADER_BYTES + GENERIC_HEADER_BYTES)
  const plaintext = new Uint8Array(content.length + padBytes(cipher, content.length))
  plaintext.set(content)
  plaintext[plaintext.length - 1] = plaintext.length - content.length - 1
  if (cipher.kind === 'aead') {
    const { key, nonce } = splitSalt(keys.encrKey, cipher.keyBytes, iv)
    const sealed = cipher.seal(key, nonce, aad, plaintext)
    key.fill(0)
    return concatBytes(aad, iv, sealed)
  }
  const unsigned = concatBytes(aad, iv, cipher.encrypt(keys.encrKey, iv, plaintext))
  return concatBytes(unsigned, integrityOf(keys).compute(keys.integKey, unsigned))
}

/**
 * Authenticates, then decrypts the one SK or SKF payload of a decoded datagram.
 *
 * @param message what `decodeMessage` made of this datagram; must have `sealed`.
 * @returns the plaintext without padding in a fresh array; `badIcv` when it is not authentic, `payloadTooShort` or `badPadding`
 * when the lengths cannot be right.
 */
export function openMessage(datagram: Uint8Array, message: Message, keys: SkKeys): Result<Uint8Array> {
  const { sealed } = message
  if (sealed === null) return failure('payloadTooShort', PAYLOAD.NONE, datagram.length)
  const payloadType = sealed.totalFragments === 0 ? PAYLOAD.SK : PAYLOAD.SKF
  const { bodyOffset } = sealed
  const { cipher } = keys
  const minimum = cipher.ivBytes + (cipher.kind === 'aead' ? 1 : cipher.blockBytes) + icvBytes(keys)
  if (datagram.length - bodyOffset < minimum) return failure('payloadTooShort', payloadType, bodyOffset)
  const padded = cipher.kind === 'aead' ? openAead(datagram, bodyOffset, keys) : openBlock(datagram, bodyOffset, keys)
  if (padded === null) return failure('badIcv', payloadType, bodyOffset)
  const content = withoutPadding(padded)
  return content === null ? failure('badPadding', payloadType, bodyOffset) : success(content)
}

function openAead(datagram: Uint8Array, bodyOffset: number, keys: SkKeys): Uint8Array | null {
  const { cipher } = keys
  if (cipher.kind !== 'aead') return null
  const ciphertextStart = bodyOffset + cipher.ivBytes
  const iv = datagram.subarray(bodyOffset, ciphertextStart)
  const { key, nonce } = splitSalt(keys.encrKey, cipher.keyBytes, iv)
  const opened = cipher.open(key, nonce, datagram.subarray(0, bodyOffset), datagram.subarray(ciphertextStart))
  key.fill(0)
  return opened
}

/** A length that is not a multiple of the block size is found only after the MAC was computed, and looks like a bad MAC. */
function openBlock(datagram: Uint8Array, bodyOffset: number, keys: SkKeys): Uint8Array | null {
  const { cipher } = keys
  if (cipher.kind !== 'block') return null
  const integ = integrityOf(keys)
  const icvStart = datagram.length - integ.icvBytes
  const expected = integ.compute(keys.integKey, datagram.subarray(0, icvStart))
  if (!constantTimeEqual(expected, datagram.subarray(icvStart))) return null
  const ciphertextStart = bodyOffset + cipher.ivBytes
  const iv = datagram.subarray(bodyOffset, ciphertextStart)
  return cipher.decrypt(keys.encrKey, iv, datagram.subarray(ciphertextStart, icvStart))
}

function withoutPadding(padded: Uint8Array): Uint8Array | null {
  if (padded.length === 0) return null
  const padLength = readU8(padded, padded.length - 1)
  const contentBytes = padded.length - 1 - padLength
  return contentBytes < 0 ? null : padded.subarray(0, contentBytes)
}

/** @returns copies: of an array as short as a key the engine makes a view only after it has moved it. The caller zeroes the key. */
function splitSalt(encrKey: Uint8Array, keyBytes: number, iv: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
  return { key: encrKey.slice(0, keyBytes), nonce: concatBytes(encrKey.slice(keyBytes), iv) }
}

function integrityOf(keys: SkKeys): Integrity {
  if (keys.integ === null) throw new InvariantError('a cipher without authentication needs an integrity transform')
  return keys.integ
}
