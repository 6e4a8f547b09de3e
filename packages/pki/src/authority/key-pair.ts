/**
 * Key pairs of authorities and gateways. A device makes its own and never shows the private half.
 */
import { generateKeyPair } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/** P-256 unless a client cannot: RSA is for those which take no ECDSA. */
export type KeyKind = 'p256' | 'p384' | 'rsa2048' | 'rsa3072' | 'rsa4096'

export interface KeyPair {
  /** PKCS #8, unencrypted; the caller's to seal and to zero. */
  readonly privateKey: Uint8Array
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
}

export async function makeKeyPair(kind: KeyKind): Promise<KeyPair> {
  const { privateKey, publicKey } = await GENERATORS[kind]()
  const exported = privateKey.export({ format: 'der', type: 'pkcs8' })
  const pair = {
    privateKey: new Uint8Array(exported),
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
  }
  exported.fill(0)
  return pair
}

const generate = promisify(generateKeyPair)

interface KeyObjects {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const GENERATORS: Readonly<Record<KeyKind, () => Promise<KeyObjects>>> = {
  p256: () => generate('ec', { namedCurve: 'P-256' }),
  p384: () => generate('ec', { namedCurve: 'P-384' }),
  rsa2048: () => generate('rsa', { modulusLength: 2048 }),
  rsa3072: () => generate('rsa', { modulusLength: 3072 }),
  rsa4096: () => generate('rsa', { modulusLength: 4096 }),
}
