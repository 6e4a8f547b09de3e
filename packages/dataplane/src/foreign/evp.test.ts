import { createCipheriv, randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AeadContext, Openssl } from './evp.ts'
import { PacketMemory } from './packet-memory.ts'

const memory = new PacketMemory(1 << 18)
/** By lists of calls where there are any, and call by call. */
const ways = (process.arch === 'x64' ? [true, false] : [false]).map((callLists) => new Openssl(memory, { callLists }))
const [iv, aad, text, sealed] = [8, 12, 2048, 4096].map((bytes) => memory.allocate(bytes)) as [
  number,
  number,
  number,
  number,
]
const SALT = 0x01020304
const NONCE_AT = 4

const ALGORITHMS = [
  ['AES-128-GCM', 'aes-128-gcm', 16],
  ['AES-256-GCM', 'aes-256-gcm', 32],
  ['ChaCha20-Poly1305', 'chacha20-poly1305', 32],
] as const
const CIPHERS = ALGORITHMS.flatMap(([algorithm, name, keyBytes]) =>
  ways.map(
    (openssl) =>
      [
        `${algorithm}, ${openssl.list('seal') ? 'a list' : 'call by call'}`,
        algorithm,
        name,
        keyBytes,
        openssl,
      ] as const,
  ),
)

interface Packet {
  readonly iv: bigint
  readonly aadBytes: number
  readonly textBytes: number
}

describe('AEAD contexts', () => {
  it.each(CIPHERS)(
    'seal with the IV they are given, whatever was sealed before: %s',
    (_title, algorithm, name, keyBytes, openssl) => {
      const key = randomBytes(keyBytes)
      const anyPacket = fc.record({
        // Mostly the next one, at times another, also where a half of it wraps.
        step: fc.constantFrom(1n, 1n, 1n, 1n, 2n, -1n, 0n, 0x1_0000_0000n),
        aadBytes: fc.constantFrom(8, 12),
        textBytes: fc.constantFrom(4, 64, 1404),
        isOther: fc.constantFrom(false, false, true),
      })
      const anyFirst = fc.constantFrom(1n, 0xffff_fffen, 0xffff_ffff_ffff_fffdn, 0xabcdef00_00000000n)
      fc.assert(
        fc.property(anyFirst, fc.array(anyPacket, { minLength: 1, maxLength: 12 }), (first, recipe) => {
          // Two SAs take turns: what one has ready is nothing to the other.
          const contexts = [0, 1].map(
            () => new AeadContext(openssl, 'seal', { algorithm, key, salt: SALT, icvBytes: 16 }),
          )
          try {
            let at: bigint = first
            for (const { step, isOther, ...rest } of recipe) {
              const packet = { ...rest, iv: at }
              expect(seal(contexts[isOther ? 1 : 0]!, packet)).toEqual(reference(name, key, packet))
              at = BigInt.asUintN(64, at + step)
            }
          } finally {
            for (const context of contexts) context.free()
          }
        }),
        { numRuns: 200 },
      )
    },
  )

  it.each(CIPHERS)(
    'open what was sealed, with forged packets in between: %s',
    (_title, algorithm, name, keyBytes, openssl) => {
      const key = randomBytes(keyBytes)
      const context = new AeadContext(openssl, 'open', { algorithm, key, salt: SALT, icvBytes: 16 })
      const anyPacket = fc.record({
        iv: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
        aadBytes: fc.constantFrom(8, 12),
        textBytes: fc.constantFrom(4, 64, 1404),
        forged: fc.option(fc.nat()),
      })
      fc.assert(
        fc.property(fc.array(anyPacket, { minLength: 1, maxLength: 8 }), (packets) => {
          for (const packet of packets) {
            const octets = reference(name, key, packet)
            if (packet.forged !== null) octets[packet.forged % octets.length]! ^= 1
            expect(open(context, packet, octets)).toBe(packet.forged === null)
          }
        }),
        { numRuns: 200 },
      )
      context.free()
    },
  )

  it.each(ways)('shorten the ICV as the SA has it, one packet after the other', (openssl) => {
    const key = randomBytes(16)
    const context = new AeadContext(openssl, 'seal', { algorithm: 'AES-128-GCM', key, salt: SALT, icvBytes: 8 })
    for (const next of [7n, 8n, 9n]) {
      const packet = { iv: next, aadBytes: 8, textBytes: 20 }
      expect(seal(context, packet, 8)).toEqual(reference('aes-128-gcm', key, packet).subarray(0, 28))
    }
    context.free()
  })
})

function seal(context: AeadContext, packet: Packet, icvBytes = 16): Buffer {
  memory.view.setBigUint64(iv, packet.iv)
  memory.bytes.fill(0x11, aad, aad + 12)
  memory.bytes.fill(0x22, text, text + packet.textBytes)
  memory.bytes.fill(0xee, sealed, sealed + packet.textBytes + 32)
  expect(context.seal(iv, aad, packet.aadBytes, text, sealed, packet.textBytes)).toBe(true)
  const length = packet.textBytes + icvBytes
  expect(memory.copyOut(sealed + length, 8)).toEqual(new Uint8Array(8).fill(0xee))
  return Buffer.from(memory.copyOut(sealed, length))
}

/** @returns whether it is authentic; what is, is as it was */
function open(context: AeadContext, packet: Packet, octets: Uint8Array): boolean {
  memory.view.setBigUint64(iv, packet.iv)
  memory.bytes.fill(0x11, aad, aad + 12)
  memory.bytes.set(octets, sealed)
  if (!context.open(iv, aad, packet.aadBytes, sealed, text, packet.textBytes)) return false
  expect(memory.copyOut(text, packet.textBytes)).toEqual(new Uint8Array(packet.textBytes).fill(0x22))
  return true
}

/** What node:crypto makes of it. */
function reference(name: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305', key: Uint8Array, packet: Packet): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32BE(SALT)
  nonce.writeBigUInt64BE(packet.iv, NONCE_AT)
  const cipher = createCipheriv(name as 'aes-128-gcm', key, nonce, { authTagLength: 16 } as object)
  cipher.setAAD(Buffer.alloc(packet.aadBytes, 0x11), { plaintextLength: packet.textBytes })
  const body = cipher.update(Buffer.alloc(packet.textBytes, 0x22))
  return Buffer.concat([body, cipher.final(), cipher.getAuthTag()])
}
