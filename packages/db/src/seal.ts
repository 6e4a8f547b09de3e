/**
 * Device secrets at rest: HPKE (RFC 9180) base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Who holds the
 * public key can write a secret and cannot read one back. The associated data binds a sealed secret to one organization,
 * device and credential, so that a row cannot be moved to another. `secret-opener.ts` opens them.
 *
 *   version (1) | encapsulated key (32) | ciphertext and tag
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { createHash } from 'node:crypto'

export interface SealingKeyPair {
  /** base64url of the 32-byte X25519 public key. */
  readonly publicKey: string
  /** base64url of the 32-byte private key. */
  readonly privateKey: string
  readonly keyId: string
}

export interface SealBinding {
  readonly organizationId: string
  readonly deviceId: string
  readonly credentialId: string
}

export const VERSION = 1
export const ENCAPSULATED_BYTES = 32
export const INFO: Uint8Array<ArrayBuffer> = new TextEncoder().encode('culvert device secret v1')
const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

export async function generateSealingKeyPair(): Promise<SealingKeyPair> {
  const pair = await suite.kem.generateKeyPair()
  const publicKey = toText(await suite.kem.serializePublicKey(pair.publicKey))
  const privateKey = toText(await suite.kem.serializePrivateKey(pair.privateKey))
  return { publicKey, privateKey, keyId: sealingKeyId(publicKey) }
}

/** @returns the fingerprint of a public key: 16 bytes of its SHA-256 in hexadecimal */
export function sealingKeyId(publicKey: string): string {
  return createHash('sha256')
    .update(new Uint8Array(fromText(publicKey)))
    .digest('hex')
    .slice(0, 32)
}

/** @throws when `publicKey` is not a key; check once at start */
export async function sealSecret(publicKey: string, plaintext: Uint8Array, aad: SealBinding): Promise<Uint8Array> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromText(publicKey))
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: INFO }, copy(plaintext), bindingOctets(aad))
  const sealed = new Uint8Array(1 + ENCAPSULATED_BYTES + ct.byteLength)
  sealed[0] = VERSION
  sealed.set(new Uint8Array(enc), 1)
  sealed.set(new Uint8Array(ct), 1 + ENCAPSULATED_BYTES)
  return sealed
}

/** Each part with its length before it, so that no two bindings have the same bytes. */
export function bindingOctets(aad: SealBinding): Uint8Array<ArrayBuffer> {
  const parts = [aad.organizationId, aad.deviceId, aad.credentialId].map((part) => `${part.length}:${part}`)
  return new TextEncoder().encode(parts.join(','))
}

function copy(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}

function toText(key: ArrayBuffer): string {
  return Buffer.from(key).toString('base64url')
}

function fromText(key: string): ArrayBuffer {
  return keyOctets(key).buffer
}

/** @returns the 32 octets of a key, in an array of its own. @throws when it is none */
export function keyOctets(key: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(key.trim(), 'base64url')
  if (bytes.length !== 32) throw new Error('a sealing key is 32 bytes in base64url')
  return Uint8Array.from(bytes)
}
