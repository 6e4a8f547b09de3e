/**
 * Refresh tokens: `culvert_rt_<session>_<generation>_<secret><mac>`. The MAC (HMAC-SHA-256) proves that we made it before
 * anything is looked up, so that a token of an earlier generation that comes again is known to be a copy, without a row for each
 * that ever was; the secret of the present generation is kept as its SHA-256, so that neither the database nor the API's secret
 * alone makes one.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export interface RefreshToken {
  readonly sessionId: string
  /** Grows by one with every use. */
  readonly generation: number
  /** SHA-256 of the secret. */
  readonly secretHash: Buffer
}

const prefix = 'culvert_rt_'
const shape = /^culvert_rt_([a-z2-7]{20})_([1-9]\d{0,8})_([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{43})$/

/** @param macKey 32 bytes. @returns the token, to be shown once, and what is stored of it */
export function makeRefreshToken(
  macKey: Uint8Array,
  sessionId: string,
  generation: number,
): { token: string; secretHash: Buffer } {
  const secret = randomBytes(32).toString('base64url')
  const body = `${sessionId.slice('ses_'.length)}_${generation}_${secret}`
  return { token: `${prefix}${body}${mac(macKey, body)}`, secretHash: hash(secret) }
}

/** @returns null for what was not made with this key */
export function readRefreshToken(macKey: Uint8Array, token: string): RefreshToken | null {
  const [, session, generation, secret, given] = shape.exec(token) ?? []
  if (!session || !generation || !secret || !given) return null
  const expected = Buffer.from(mac(macKey, `${session}_${generation}_${secret}`))
  if (!timingSafeEqual(expected, Buffer.from(given))) return null
  return { sessionId: `ses_${session}`, generation: Number(generation), secretHash: hash(secret) }
}

function mac(key: Uint8Array, body: string): string {
  return createHmac('sha256', key).update(body).digest('base64url')
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
