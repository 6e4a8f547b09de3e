/**
 * Cursors of the feed: a position and whose it is, as one block of AES-128 (FIPS 197) under a key of the installation. Positions
 * count the events of all organizations, so they are not shown; and what was not made here for this organization does not open,
 * but for one guess in 2^64.
 *
 *   position, 8 bytes | beginning of SHA-256 of the organization's id, 8 bytes
 */
import { readCursorKey, type Pool } from '@culvert/db'
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'

const algorithm = 'aes-128-ecb'
const textLength = 22

export interface EventCursors {
  write(position: number): string
  /** @returns null for what is no cursor of this organization */
  read(text: string): number | null
}

export function eventCursors(pool: Pool): (organizationId: string) => Promise<EventCursors> {
  let key: Uint8Array | null = null
  return async (organizationId) => {
    key ??= await readCursorKey(pool, organizationId)
    return cursorsOf(key, organizationId)
  }
}

function cursorsOf(key: Uint8Array, organizationId: string): EventCursors {
  const owner = createHash('sha256').update(organizationId).digest().subarray(0, 8)
  return {
    write(position) {
      const block = Buffer.alloc(16)
      block.writeBigUInt64BE(BigInt(position))
      block.set(owner, 8)
      const cipher = createCipheriv(algorithm, key, null).setAutoPadding(false)
      return Buffer.concat([cipher.update(block), cipher.final()]).toString('base64url')
    },
    read(text) {
      const sealed = Buffer.from(text, 'base64url')
      if (text.length !== textLength || sealed.length !== 16) return null
      const decipher = createDecipheriv(algorithm, key, null).setAutoPadding(false)
      const block = Buffer.concat([decipher.update(sealed), decipher.final()])
      const position = Number(block.readBigUInt64BE())
      return block.subarray(8).equals(owner) && Number.isSafeInteger(position) ? position : null
    },
  }
}
