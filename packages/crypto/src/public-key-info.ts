/**
 * SubjectPublicKeyInfo (RFC 5280 4.1.2.7) by its fixed frames: which kinds of key exist here and where their value lies.
 *
 * An elliptic curve key has one encoding that is taken: named curve and uncompressed point (RFC 5480 2.1.1, 2.2), an Ed25519 key
 * has only one (RFC 8410 4). Explicit curve parameters, compressed points, RSASSA-PSS keys with restrictions of their own and
 * trailing octets have another frame and are nobody. Nothing is parsed here; only RSA has insides, and OpenSSL reads them.
 */
import { InvariantError, fromHex } from '@culvert/bytes'
import type { SignatureKeyKind } from './provider.ts'

export type CurveKind = Exclude<SignatureKeyKind, 'rsa'>

export interface PublicKeyInfo {
  readonly kind: SignatureKeyKind
  /** x | y of a point, 32 octets of Ed25519; empty for RSA. A view of the input. */
  readonly value: Uint8Array
}

/** Of a coordinate, in octets; P-521 has 521 bits in 66. */
export const COORDINATE_BYTES: Readonly<Record<CurveKind, number>> = { p256: 32, p384: 48, p521: 66, ed25519: 32 }
export const CURVE_BITS: Readonly<Record<CurveKind, number>> = { p256: 256, p384: 384, p521: 521, ed25519: 256 }

/** `value` starts after the head and ends the input. */
const FRAMES: readonly { readonly kind: CurveKind; readonly head: string; readonly valueBytes: number }[] = [
  { kind: 'p256', head: '3059301306072a8648ce3d020106082a8648ce3d03010703420004', valueBytes: 64 },
  { kind: 'p384', head: '3076301006072a8648ce3d020106052b8104002203620004', valueBytes: 96 },
  { kind: 'p521', head: '30819b301006072a8648ce3d020106052b810400230381860004', valueBytes: 132 },
  { kind: 'ed25519', head: '302a300506032b6570032100', valueBytes: 32 },
]

/** rsaEncryption with NULL (RFC 3279 2.3.1), after a SEQUENCE whose length takes two octets: any modulus worth having. */
const RSA_HEAD = '3082'
const RSA_ALGORITHM = '300d06092a864886f70d0101010500'
/** A modulus of 8192 bits, an exponent of 8 octets and everything around them take less. */
const MAX_RSA_BYTES = 1_100

/** @param spki DER, of any length. @returns null for what has no frame of ours; a point may still be off its curve. */
export function readPublicKeyInfo(spki: Uint8Array): PublicKeyInfo | null {
  for (const { kind, head, valueBytes } of HEADS) {
    if (spki.length === head.length + valueBytes && startsWith(spki, head, 0)) {
      const value = spki.subarray(head.length)
      return kind === 'ed25519' && isWeakEd25519(value) ? null : { kind, value }
    }
  }
  const isRsa = spki.length <= MAX_RSA_BYTES && startsWith(spki, rsaHead, 0) && startsWith(spki, rsaAlgorithm, 4)
  return isRsa ? { kind: 'rsa', value: spki.subarray(spki.length) } : null
}

const HEADS = FRAMES.map(({ kind, head, valueBytes }) => ({ kind, head: octetsOf(head), valueBytes }))
const rsaHead = octetsOf(RSA_HEAD)
const rsaAlgorithm = octetsOf(RSA_ALGORITHM)

/**
 * Points of order 1, 2, 4 and 8 by their y, sign bit left out (RFC 7748 6.1 has the like for X25519): with one of them as the
 * public key anybody can sign. No private key leads there.
 */
const SMALL_ORDER_Y: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(octetsOf)

/** Of small order, or y not below 2^255 - 19, which RFC 8032 5.1.3 does not decode. */
function isWeakEd25519(key: Uint8Array): boolean {
  const y = Uint8Array.from(key) // not slice(), which of a Buffer is the same memory
  y[31] = (y[31] ?? 0) & 0x7f
  const isTooLarge = y[31] === 0x7f && (y[0] ?? 0) >= 0xed && y.subarray(1, 31).every((octet) => octet === 0xff)
  return isTooLarge || SMALL_ORDER_Y.some((weak) => startsWith(y, weak, 0))
}

function startsWith(octets: Uint8Array, head: Uint8Array, offset: number): boolean {
  return octets.length >= offset + head.length && head.every((octet, index) => octets[offset + index] === octet)
}

function octetsOf(hex: string): Uint8Array {
  const octets = fromHex(hex)
  if (octets === undefined) throw new InvariantError(`no hexadecimal: ${hex}`)
  return octets
}
