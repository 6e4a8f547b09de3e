/**
 * SIGNATURE_HASH_ALGORITHMS (RFC 7427 4): which hashes the other side may sign with, 2 octets each.
 *
 * SHA-1 is neither announced nor taken (RFC 8247 3.2.1); Identity stands for Ed25519 (RFC 8420 2).
 */
import type { SignatureHash } from '@culvert/crypto'
import { SIGNATURE_HASH } from '../message/numbers.ts'
import { readU16, writeU16 } from '../message/octets.ts'

/** A hash both ends may use in method 14. */
export type AnnouncedHash = Exclude<SignatureHash, 'sha1'> | 'identity'

const NUMBERS: Readonly<Record<AnnouncedHash, number>> = {
  sha256: SIGNATURE_HASH.SHA2_256,
  sha384: SIGNATURE_HASH.SHA2_384,
  sha512: SIGNATURE_HASH.SHA2_512,
  identity: SIGNATURE_HASH.IDENTITY,
}
const ALL: readonly AnnouncedHash[] = ['sha256', 'sha384', 'sha512', 'identity']

/** Data of the notify we send. */
export function ownHashes(): Uint8Array {
  const data = new Uint8Array(2 * ALL.length)
  for (const [index, hash] of ALL.entries()) writeU16(data, 2 * index, NUMBERS[hash])
  return data
}

/** @returns those of the peer's list that we know, at most four. */
export function readHashes(data: Uint8Array): readonly AnnouncedHash[] {
  return ALL.filter((hash) => {
    for (let offset = 0; offset + 1 < data.length; offset += 2) if (readU16(data, offset) === NUMBERS[hash]) return true
    return false
  })
}
