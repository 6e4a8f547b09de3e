/**
 * Signatures of a delivery (Standard Webhooks, "Signature scheme"), over `{id}.{timestamp}.{body}`: the octets that are sent,
 * never something written anew. Every key of an endpoint that is good signs, so that a receiver may change keys when it likes.
 */
import { InvariantError } from '@culvert/bytes'
import type { Prf, SigningKey } from '@culvert/crypto'
import { toBase64 } from './base64.ts'

/** A key of an endpoint, ready to sign. */
export interface Signer {
  readonly scheme: 'v1' | 'v1a'
  /** @returns 32 octets for `v1`, 64 for `v1a` */
  sign(octets: Uint8Array): Uint8Array
}

/** @param secret of the endpoint; kept, so the caller must not clear it while the signer is used @param hmac HMAC-SHA2-256, whole */
export function hmacSigner(secret: Uint8Array, hmac: Prf): Signer {
  return { scheme: 'v1', sign: (octets) => hmac.compute(secret, octets) }
}

export function ed25519Signer(key: SigningKey): Signer {
  return { scheme: 'v1a', sign: (octets) => key.sign({ kind: 'ed25519' }, octets) }
}

/** DER before the seed of an Ed25519 key (RFC 8410 7). */
const pkcs8Prefix = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20)

/** @param seed 32 octets @returns PKCS#8, for `signingKey` of package crypto; the caller clears it */
export function ed25519Pkcs8(seed: Uint8Array): Uint8Array {
  const octets = new Uint8Array(pkcs8Prefix.length + seed.length)
  octets.set(pkcs8Prefix)
  octets.set(seed, pkcs8Prefix.length)
  return octets
}

export interface Message {
  /** The same at every attempt; of a resource of ours, so without a dot. */
  readonly id: string
  /** Unix time of this attempt. */
  readonly timestampSec: number
  readonly body: Uint8Array
}

export interface SignedHeaders {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/** @throws InvariantError for an id or time that would make the signed octets ambiguous, and when nothing signs */
export function signedHeaders({ id, timestampSec, body }: Message, signers: readonly Signer[]): SignedHeaders {
  if (!/^[A-Za-z0-9_-]+$/.test(id)) throw new InvariantError('the id of a message has other characters than its own')
  if (!Number.isSafeInteger(timestampSec) || timestampSec < 0) throw new InvariantError('a timestamp is whole seconds')
  if (signers.length === 0) throw new InvariantError('a message without a signature is not sent')
  const head = new TextEncoder().encode(`${id}.${timestampSec}.`)
  const octets = new Uint8Array(head.length + body.length)
  octets.set(head)
  octets.set(body, head.length)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSec),
    'webhook-signature': signers.map(({ scheme, sign }) => `${scheme},${toBase64(sign(octets))}`).join(' '),
  }
}
