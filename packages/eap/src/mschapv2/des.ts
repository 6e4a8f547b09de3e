/**
 * DES of one block, as MS-CHAPv2 needs it (RFC 2759 8.6). OpenSSL keeps single DES in its legacy provider, but offers Triple-DES;
 * encrypting, decrypting and encrypting with one and the same key is single DES.
 */
import { createCipheriv } from 'node:crypto'
import { InvariantError } from '@culvert/bytes'

const KEY_BYTES = 7
const BLOCK_BYTES = 8

/**
 * @param key 7 octets; parity bits are put in here
 * @param block 8 octets
 * @returns 8 octets
 * @throws InvariantError for other lengths
 */
export function desEncrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES || block.length !== BLOCK_BYTES)
    throw new InvariantError('DES key or block of a wrong length')
  const single = expandDesKey(key)
  const triple = new Uint8Array(3 * BLOCK_BYTES)
  for (let copy = 0; copy < 3; copy++) triple.set(single, copy * BLOCK_BYTES)
  const cipher = createCipheriv('des-ede3', triple, null).setAutoPadding(false)
  const encrypted = new Uint8Array(cipher.update(block))
  single.fill(0)
  triple.fill(0)
  return encrypted
}

/** Spreads 56 bits over 8 octets, seven to each, and makes the parity of each octet odd. */
export function expandDesKey(key: Uint8Array): Uint8Array {
  const expanded = new Uint8Array(BLOCK_BYTES)
  for (let index = 0; index < BLOCK_BYTES; index++) {
    const left = key[index - 1] ?? 0
    const right = key[index] ?? 0
    const seven = ((left << (7 - index)) | (right >>> (index + 1))) & 0x7f
    expanded[index] = (seven << 1) | evenParity(seven)
  }
  return expanded
}

/** 1 when the number of bits set is even: the bit that makes it odd. */
function evenParity(seven: number): number {
  let bits = seven
  bits ^= bits >>> 4
  bits ^= bits >>> 2
  bits ^= bits >>> 1
  return (bits & 1) ^ 1
}
