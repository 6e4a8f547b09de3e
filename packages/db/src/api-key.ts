/**
 * API keys: `culvert_<id>_<secret><checksum>`. The id finds the row, the secret (30 characters of base62, 178 bits) is kept
 * only as its SHA-256, the checksum (CRC-32 in base62) lets a scanner tell a key from look-alikes without asking anybody.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { drawOctets } from './draw.ts'

export interface NewApiKey {
  readonly id: string
  /** Shown once, never stored. */
  readonly key: string
  readonly secretHash: Buffer
}

export interface ParsedApiKey {
  readonly id: string
  readonly secret: string
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const idLength = 16
const secretLength = 30
const checksumLength = 6
const shape = new RegExp(
  `^culvert_([0-9A-Za-z]{${idLength}})_([0-9A-Za-z]{${secretLength}})([0-9A-Za-z]{${checksumLength}})$`,
)

/** @param id of a key that gets another secret; a new one when left out */
export function makeApiKey(id: string = randomText(idLength)): NewApiKey {
  const secret = randomText(secretLength)
  const body = `culvert_${id}_${secret}`
  return { id, key: body + checksum(body), secretHash: hashSecret(secret) }
}

/** @returns the public part of a key out of the id of the resource, `key_...` */
export function publicPartOf(apiKeyId: string): string {
  return apiKeyId.slice('key_'.length)
}

/** @returns the parts, or null when the text is not a key: wrong shape or wrong checksum */
export function parseApiKey(text: string): ParsedApiKey | null {
  const match = shape.exec(text)
  const [, id, secret, sum] = match ?? []
  if (!id || !secret || sum !== checksum(`culvert_${id}_${secret}`)) return null
  return { id, secret }
}

/** Takes the same time whatever `secretHash` is; null (an unknown id) never matches. */
export function verifyApiKey(parsed: ParsedApiKey, secretHash: Uint8Array | null): boolean {
  const given = hashSecret(parsed.secret)
  const known = secretHash?.byteLength === given.byteLength
  return timingSafeEqual(given, known ? secretHash : Buffer.alloc(given.byteLength)) && known
}

function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function checksum(body: string): string {
  let value = crc32(body)
  let text = ''
  for (let i = 0; i < checksumLength; i++) {
    text = base62.charAt(value % 62) + text
    value = Math.floor(value / 62)
  }
  return text
}

/** Uniform: bytes that do not fit a whole number of alphabets are drawn again. */
function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of drawOctets(length)) if (byte < 248 && text.length < length) text += base62.charAt(byte % 62)
  }
  return text
}
