/**
 * X25519 keys in and out of node:crypto as their 32 octets.
 *
 * Node took up raw key formats late in version 24; they cost half of DER, because OpenSSL 3 decodes DER by trying decoders.
 * Where they are missing the octets go in and out inside the fixed DER frames of RFC 8410. Both ways are tested alike.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { concatBytes, zeroize } from '@culvert/bytes'
import { bufferOf, plainBytes } from './plain-bytes.ts'

export interface X25519Keys {
  /** @param scalar 32 octets, copied. */
  importPrivate(scalar: Uint8Array): KeyObject
  /** @param value 32 octets, copied. */
  importPublic(value: Uint8Array): KeyObject
  /** @param key public. @returns 32 octets. */
  exportPublic(key: KeyObject): Uint8Array
}

export const RAW_X25519_KEYS: X25519Keys = {
  importPrivate: (scalar) =>
    createPrivateKey({ key: bufferOf(scalar), format: 'raw-private', asymmetricKeyType: 'x25519' }),
  importPublic: (value) => createPublicKey({ key: bufferOf(value), format: 'raw-public', asymmetricKeyType: 'x25519' }),
  exportPublic: (key) => plainBytes(key.export({ format: 'raw-public' })),
}

/** Everything before the 32 octets: of a private key in PKCS#8, of a public key in SubjectPublicKeyInfo. */
const PKCS8_HEAD = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20)
const SPKI_HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0)

export const DER_X25519_KEYS: X25519Keys = {
  importPrivate: (scalar) => {
    const der = concatBytes(PKCS8_HEAD, scalar)
    const key = createPrivateKey({ key: bufferOf(der), format: 'der', type: 'pkcs8' })
    zeroize(der)
    return key
  },
  importPublic: (value) =>
    createPublicKey({ key: bufferOf(concatBytes(SPKI_HEAD, value)), format: 'der', type: 'spki' }),
  exportPublic: (key) => plainBytes(key.export({ format: 'der', type: 'spki' })).slice(SPKI_HEAD.length),
}

export const X25519_KEYS: X25519Keys = hasRawKeys() ? RAW_X25519_KEYS : DER_X25519_KEYS

function hasRawKeys(): boolean {
  try {
    return RAW_X25519_KEYS.exportPublic(RAW_X25519_KEYS.importPublic(new Uint8Array(32).fill(9))).length === 32
  } catch {
    return false
  }
}
