/**
 * Keys as texts (Standard Webhooks, "Signature scheme"): a prefix that says what it is, and base64.
 *
 *   whsec_  24 to 64 octets   HMAC-SHA256, `v1`, known to both sides
 *   whsk_   64 octets         Ed25519, `v1a`: seed (32), then public key (32); ours alone
 *   whpk_   32 octets         Ed25519, `v1a`: what a receiver verifies with
 */
import { fromBase64, toBase64 } from './base64.ts'

export type WebhookKey =
  | { readonly scheme: 'v1'; readonly secret: Uint8Array }
  | { readonly scheme: 'v1a'; readonly seed: Uint8Array; readonly publicKey: Uint8Array }

const leastSecretBytes = 24
const mostSecretBytes = 64
const ed25519Bytes = 32

/** @param secret 24 to 64 octets */
export function secretText(secret: Uint8Array): string {
  return `whsec_${toBase64(secret)}`
}

/** @param seed 32 octets @param publicKey 32 octets */
export function privateKeyText(seed: Uint8Array, publicKey: Uint8Array): string {
  const octets = new Uint8Array(2 * ed25519Bytes)
  octets.set(seed)
  octets.set(publicKey, ed25519Bytes)
  return `whsk_${toBase64(octets)}`
}

/** @param publicKey 32 octets */
export function publicKeyText(publicKey: Uint8Array): string {
  return `whpk_${toBase64(publicKey)}`
}

/** @returns null when the text is no key to sign with */
export function readWebhookKey(text: string): WebhookKey | null {
  const [, prefix, encoded = ''] = /^(whsec_|whsk_)(.*)$/.exec(text) ?? []
  const octets = fromBase64(encoded)
  if (octets === null) return null
  if (prefix === 'whsec_')
    return octets.length >= leastSecretBytes && octets.length <= mostSecretBytes
      ? { scheme: 'v1', secret: octets }
      : null
  if (prefix !== 'whsk_' || octets.length !== 2 * ed25519Bytes) return null
  return { scheme: 'v1a', seed: octets.slice(0, ed25519Bytes), publicKey: octets.slice(ed25519Bytes) }
}
