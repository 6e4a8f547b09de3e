/**
 * Cursors of the feed: a position and whose it is, as one block of AES-128 (FIPS 197) under a key of the installation. Positions
 * count the events of all organizations, so they are not shown; and what was not made here for this organization does not open,
 * but for one guess in 2^64.
 *
 *   position, 8 bytes | beginning of SHA-256 of the organization's id, 8 bytes
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import type { Pool } from 'pg'
import { tenant } from '../tenant.ts'
import type { TenantSql } from '../tenant-sql.ts'

const algorithm = 'aes-128-ecb'
const textLength = 22

export interface EventCursors {
  write(position: number): string
  /** @returns null for what is no cursor of this organization */
  read(text: string): number | null
}

/** Asks for the key once. */
export function eventCursors(pool: Pool): (organizationId: string) => Promise<EventCursors> {
  let key: Uint8Array | null = null
  return async (organizationId) => {
    key ??= await readCursorKey(tenant(pool, organizationId))
    return cursorsOf(key, organizationId)
  }
}

/** @returns the position; null for what is no cursor of this organization */
export async function openEventCursor(sql: TenantSql, organizationId: string, text: string): Promise<number | null> {
  return cursorsOf(await readCursorKey(sql), organizationId).read(text)
}

/** @returns 16 bytes, the same for as long as the database lives */
async function readCursorKey(sql: TenantSql): Promise<Uint8Array> {
  const { rows } = await sql.query<{ key: Buffer }>('SELECT cursor_key AS key FROM event_feed WHERE id = 1')
  if (!rows[0]) throw new Error('event_feed has lost its row')
  return rows[0].key
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
