/**
 * Device secrets at rest: HPKE (RFC 9180) base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Who holds the
 * public key can write a secret and cannot read one back. The associated data binds a sealed secret to one organization,
 * device and credential, so that a row cannot be moved to another. `secret-opener.ts` opens them.
 *
 *   version 1 (1) | encapsulated key (32) | ciphertext and tag                          its context has sealed nothing else
 *   version 2 (1) | encapsulated key (32) | sequence number (2) | ciphertext and tag    secrets of one context (RFC 9180 5.2)
 *
 * Secrets that are sealed one right after the other share a context: whoever opens a fleet's computes one key exchange for many.
 */
import { concatBytes } from '@culvert/bytes'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256, type SenderContext } from '@hpke/core'
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

/** By version: octets between the encapsulated key and the ciphertext. */
export const SEQUENCE_BYTES: Readonly<Record<number, number>> = { 1: 0, 2: 2 }
export const ENCAPSULATED_BYTES = 32
/** What a context seals at most, and for how long: so long the process could open again what it has just sealed. */
const MOST_SEALS = 64
const MOST_MS = 1000
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

/** One secret in a context of its own. @throws when `publicKey` is not a key; check once at start */
export async function sealSecret(publicKey: string, plaintext: Uint8Array, aad: SealBinding): Promise<Uint8Array> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromText(publicKey))
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: INFO }, copy(plaintext), bindingOctets(aad))
  return concatBytes(Uint8Array.of(1), new Uint8Array(enc), new Uint8Array(ct))
}

export type SecretSealer = (plaintext: Uint8Array, aad: SealBinding) => Promise<Uint8Array>

/** Seals many secrets: those of one second share a context, 64 at most. Its calls reject when `publicKey` is not a key. */
export function createSecretSealer(publicKey: string): SecretSealer {
  let current: SealingContext | null = null
  return (plaintext, aad) => {
    const context = (current ??= new SealingContext(publicKey, (ended) => {
      if (current === ended) current = null
    }))
    return context.seal(plaintext, aad)
  }
}

/** Counts for itself which sequence number a secret gets, and seals one after the other; after a failure it seals nothing more. */
class SealingContext {
  readonly #sender: Promise<SenderContext>
  readonly #end: () => void
  #last: Promise<unknown>
  #begun = 0

  /** @param onEnd once nothing more may be sealed with it; the key goes with the last reference */
  constructor(publicKey: string, onEnd: (ended: SealingContext) => void) {
    this.#sender = openSender(publicKey)
    this.#last = this.#sender
    const timer = setTimeout(() => onEnd(this), MOST_MS).unref()
    this.#end = () => {
      clearTimeout(timer)
      onEnd(this)
    }
  }

  seal(plaintext: Uint8Array, aad: SealBinding): Promise<Uint8Array> {
    const sequence = this.#begun++
    if (this.#begun === MOST_SEALS) this.#end()
    const secret = copy(plaintext)
    const sealed = this.#last.then(async () => {
      const sender = await this.#sender
      const ct = await sender.seal(secret, bindingOctets(aad))
      const sequenceOctets = Uint8Array.of(sequence >>> 8, sequence & 0xff)
      return concatBytes(Uint8Array.of(2), new Uint8Array(sender.enc), sequenceOctets, new Uint8Array(ct))
    })
    sealed.catch(this.#end)
    this.#last = sealed
    return sealed
  }
}

async function openSender(publicKey: string): Promise<SenderContext> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromText(publicKey))
  return suite.createSenderContext({ recipientPublicKey, info: INFO })
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
