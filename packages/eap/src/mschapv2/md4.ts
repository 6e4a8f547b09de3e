/**
 * MD4 (RFC 1320), which OpenSSL no longer offers. Broken as a hash since long; it is here because the NT password hash is
 * defined by it (RFC 2759 8.3), and used for nothing else.
 */

const DIGEST_BYTES = 16
const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

/** Order of the words, additive constant and shifts of each round (RFC 1320 3.4). */
const ROUNDS = [
  { mix: choose, constant: 0, shifts: [3, 7, 11, 19], order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] },
  {
    mix: majority,
    constant: 0x5a827999,
    shifts: [3, 5, 9, 13],
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  },
  {
    mix: parity,
    constant: 0x6ed9eba1,
    shifts: [3, 9, 11, 15],
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
  },
] as const

type Registers = readonly [a: number, b: number, c: number, d: number]

/** @returns 16 octets; the padded copy of `message` is zeroed. */
export function md4(message: Uint8Array): Uint8Array {
  const padded = pad(message)
  const view = new DataView(padded.buffer)
  let state: Registers = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    const [a, b, c, d] = compress(state, view, at)
    state = [state[0] + a, state[1] + b, state[2] + c, state[3] + d]
  }
  padded.fill(0)
  const digest = new Uint8Array(DIGEST_BYTES)
  const out = new DataView(digest.buffer)
  state.forEach((word, index) => out.setUint32(index * 4, word >>> 0, true))
  return digest
}

/** One bit, zeros, and the length in bits, little-endian (3.1, 3.2). */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((message.length + 1 + LENGTH_BYTES) / BLOCK_BYTES)
  const padded = new Uint8Array(blocks * BLOCK_BYTES)
  padded.set(message)
  padded[message.length] = 0x80
  new DataView(padded.buffer).setBigUint64(padded.length - LENGTH_BYTES, BigInt(message.length) * 8n, true)
  return padded
}

function compress(state: Registers, block: DataView, at: number): Registers {
  let [a, b, c, d] = state
  for (const { mix, constant, shifts, order } of ROUNDS) {
    for (const [step, word] of order.entries()) {
      const sum = (a + mix(b, c, d) + block.getUint32(at + word * 4, true) + constant) | 0
      const shift = shifts[step % 4] ?? 0
      const turned = (sum << shift) | (sum >>> (32 - shift))
      ;[a, b, c, d] = [d, turned, b, c]
    }
  }
  return [a, b, c, d]
}

function choose(x: number, y: number, z: number): number {
  return (x & y) | (~x & z)
}

function majority(x: number, y: number, z: number): number {
  return (x & y) | (x & z) | (y & z)
}

function parity(x: number, y: number, z: number): number {
  return x ^ y ^ z
}
