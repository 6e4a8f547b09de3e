/**
 * Seals session resumption tickets (RFC 5723) so that any concentrator of the installation opens them: they share the sealing key.
 *
 *   ticket  = version(1) | day(4) | nonce(12) | AES-256-GCM(content with its expiry) | tag(16)
 *   key     = HKDF-SHA-256(sealing key, "culvert resumption ticket" | day), a new one every day
 *
 * A ticket is good until its expiry and at most for a day longer than the day it was made on; forging or stretching one needs the
 * key. That it is used once, and that its credential still stands, is not decided here.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { TicketVault } from '@culvert/ikev2'

const VERSION = 1
const HEAD_BYTES = 5
const NONCE_BYTES = 12
const TAG_BYTES = 16
const EXPIRY_BYTES = 8
const DAY_MS = 86_400_000
const CIPHER = 'aes-256-gcm'

/** The longest life of a ticket: beyond it, its key is not derived any more. */
export const LONGEST_TICKET_MS = DAY_MS

/** @param unixMs the time of day. */
export function createTicketVault(sealingKey: string, unixMs: () => number): TicketVault {
  const secret = Buffer.from(sealingKey, 'utf8')
  const keys = new Map<number, Buffer>()

  /** The keys of yesterday and today are remembered; others are not good any more. */
  function keyOf(day: number): Buffer {
    const known = keys.get(day)
    if (known !== undefined) return known
    for (const other of keys.keys()) if (other < day - 1) keys.delete(other)
    const info = Buffer.concat([Buffer.from('culvert resumption ticket'), uint32(day)])
    const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, 32))
    keys.set(day, key)
    return key
  }

  return {
    seal(content, lifetimeMs) {
      const now = unixMs()
      const day = Math.floor(now / DAY_MS)
      const head = Buffer.concat([Buffer.of(VERSION), uint32(day)])
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, keyOf(day), nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(head)
      const expiry = Buffer.alloc(EXPIRY_BYTES)
      expiry.writeBigUInt64BE(BigInt(now + Math.min(lifetimeMs, LONGEST_TICKET_MS)))
      const sealed = [cipher.update(expiry), cipher.update(content), cipher.final()]
      return new Uint8Array(Buffer.concat([head, nonce, ...sealed, cipher.getAuthTag()]))
    },
    open(ticket) {
      const now = unixMs()
      const today = Math.floor(now / DAY_MS)
      const bytes = Buffer.from(ticket.buffer, ticket.byteOffset, ticket.length)
      if (bytes.length < HEAD_BYTES + NONCE_BYTES + EXPIRY_BYTES + TAG_BYTES || bytes[0] !== VERSION) return null
      const day = bytes.readUInt32BE(1)
      if (day !== today && day !== today - 1) return null
      const content = decrypt(keyOf(day), bytes)
      if (content === null || Number(content.readBigUInt64BE(0)) <= now) return null
      return new Uint8Array(content.subarray(EXPIRY_BYTES))
    },
  }
}

function decrypt(key: Buffer, ticket: Buffer): Buffer | null {
  const nonce = ticket.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(ticket.subarray(0, HEAD_BYTES))
  decipher.setAuthTag(ticket.subarray(ticket.length - TAG_BYTES))
  const plain = decipher.update(ticket.subarray(HEAD_BYTES + NONCE_BYTES, ticket.length - TAG_BYTES))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return null
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
