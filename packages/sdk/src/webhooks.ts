/**
 * Webhooks: is this delivery from Culvert, is it fresh, and what does it say (Standard Webhooks 1.0.0).
 *
 * What is signed is `{webhook-id}.{webhook-timestamp}.{body}`, the body as it came: bytes that were parsed and written again are
 * others. `v1` is HMAC-SHA256 with a secret (`whsec_`), `v1a` Ed25519 with a public key (`whpk_`). While keys change a delivery has
 * several signatures and a receiver several keys: one that fits is enough. Nothing of the body is looked at before.
 */
import { createHmac, createPublicKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto'
import type { WebhookEvent } from './schema.ts'

export type { WebhookEvent } from './schema.ts'

export type WebhookFault =
  /** A header is missing or is there twice. */
  | 'missing_header'
  | 'malformed_header'
  /** More than the tolerance away from now: an old delivery sent again, or a wrong clock. */
  | 'stale'
  /** No signature fits any key. */
  | 'no_match'
  /** Signed, but not JSON. */
  | 'malformed_body'

export class WebhookError extends Error {
  readonly code: WebhookFault

  constructor(code: WebhookFault, detail: string) {
    super(`${code}: ${detail}`)
    this.name = 'WebhookError'
    this.code = code
  }
}

export interface Delivery {
  /** The body as it came, before any parser. */
  readonly body: string | Uint8Array
  /** Of the request, as Node's `request.headers` or as `Headers`. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
}

export interface VerifyOptions {
  /** Secrets (`whsec_...`) and public keys (`whpk_...`) of the endpoint; more than one while they are changed. */
  readonly keys: string | readonly string[]
  /** How far the time of a delivery may be from now; 300 when left out. */
  readonly toleranceSec?: number
  /** Unix time in milliseconds, for tests. */
  readonly nowMs?: number
}

const mostSignatures = 32

/**
 * @returns the event; process each `id` only once, and drop what has a lower `sequence` than what you have of the same resource
 * @throws WebhookError when it is not to be believed: answer 400 and do nothing
 * @throws TypeError when the keys or the body are not what they have to be: that is a fault of the receiver
 */
export function verifyWebhook({ body, headers }: Delivery, options: VerifyOptions): WebhookEvent {
  const keys = [options.keys].flat().map(readKey)
  if (keys.length === 0) throw new TypeError('There is no key to verify webhooks with.')
  const id = header(headers, 'webhook-id')
  const timestamp = header(headers, 'webhook-timestamp')
  const signatures = readSignatures(header(headers, 'webhook-signature'))
  checkAge(timestamp, options)
  const bytes = bytesOf(body)
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytes])
  if (!keys.some((key) => signatures.some((signature) => fits(key, signed, signature))))
    throw new WebhookError(
      'no_match',
      'no signature fits a key: is the body the raw one, and the key the one of this endpoint?',
    )
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as WebhookEvent
  } catch {
    throw new WebhookError('malformed_body', 'the body is not JSON')
  }
}

type Key =
  | { readonly scheme: 'v1'; readonly secret: Buffer }
  | { readonly scheme: 'v1a'; readonly publicKey: KeyObject }

interface Signature {
  readonly scheme: string
  readonly bytes: Buffer
}

function fits(key: Key, signed: Buffer, { scheme, bytes }: Signature): boolean {
  if (scheme !== key.scheme) return false
  if (key.scheme === 'v1a') return bytes.length === 64 && verify(null, signed, key.publicKey, bytes)
  const expected = createHmac('sha256', key.secret).update(signed).digest()
  return bytes.length === expected.length && timingSafeEqual(bytes, expected)
}

function header(headers: Delivery['headers'], name: string): string {
  const values =
    headers instanceof Headers
      ? [headers.get(name)]
      : Object.entries(headers).flatMap(([given, value]) => (given.toLowerCase() === name ? [value].flat() : []))
  const [value, ...more] = values
  if (typeof value !== 'string' || value === '' || more.length > 0)
    throw new WebhookError('missing_header', `the header ${name} is not there once`)
  return value
}

function checkAge(timestamp: string, { toleranceSec = 300, nowMs = Date.now() }: VerifyOptions): void {
  if (!/^\d{1,12}$/.test(timestamp)) throw new WebhookError('malformed_header', 'webhook-timestamp is no Unix time')
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > toleranceSec)
    throw new WebhookError('stale', `it was sent more than ${toleranceSec} seconds from now`)
}

/** Schemes that are not known here are passed over: there may be newer ones beside ours. */
function readSignatures(text: string): Signature[] {
  const parts = text.split(' ').filter((part) => part !== '')
  if (parts.length > mostSignatures)
    throw new WebhookError('malformed_header', 'webhook-signature has too many of them')
  return parts.flatMap((part) => {
    const [scheme = '', encoded = '', ...rest] = part.split(',')
    const bytes = fromBase64(encoded)
    return rest.length === 0 && bytes !== null ? [{ scheme, bytes }] : []
  })
}

/** DER before an Ed25519 public key (RFC 8410 4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

function readKey(text: string): Key {
  const [, prefix, encoded = ''] = /^(whsec_|whpk_)(.*)$/.exec(text) ?? []
  const bytes = fromBase64(encoded)
  if (prefix === 'whsec_' && bytes !== null && bytes.length >= 24 && bytes.length <= 64)
    return { scheme: 'v1', secret: bytes }
  if (prefix === 'whpk_' && bytes?.length === 32) {
    const key = Buffer.concat([spkiPrefix, bytes])
    return { scheme: 'v1a', publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) }
  }
  throw new TypeError('A key of a webhook is `whsec_` with 24 to 64 bytes in base64, or `whpk_` with 32.')
}

/** @returns null for anything but whole base64, so that one value has one spelling */
function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return text !== '' && bytes.toString('base64') === text ? bytes : null
}

function bytesOf(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  throw new TypeError('The body of a webhook is verified as it came, as text or bytes: it was parsed before.')
}
