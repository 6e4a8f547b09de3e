/**
 * The two providers against each other on random input: neither can be wrong alone without a test failing.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nobleProvider, opensslProvider } from './index.ts'
import type { AeadCipher, BlockCipher } from './index.ts'

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const data = fc.uint8Array({ maxLength: 200 })

const AEADS = [
  ...[18, 19, 20].flatMap((id) => [128, 192, 256].map((keyBits) => [id, keyBits] as const)),
  [28, null] as const,
]

describe('openssl and noble agree', () => {
  it.each([2, 5, 6, 7])('on PRF %d for keys of any length and any split of the message', (id) => {
    fc.assert(
      fc.property(data, fc.array(data), (key, chunks) => {
        const output = opensslProvider.prf(id)!.compute(key, ...chunks)
        expect(output).toEqual(nobleProvider.prf(id)!.compute(key, ...chunks))
        expect(output).toEqual(opensslProvider.prf(id)!.compute(key, new Uint8Array(Buffer.concat(chunks))))
      }),
    )
  })

  it.each([2, 12, 13, 14])('on integrity transform %d', (id) => {
    const transform = opensslProvider.integrity(id)!
    fc.assert(
      fc.property(octets(transform.keyBytes), fc.array(data), (key, chunks) => {
        expect(transform.compute(key, ...chunks)).toEqual(nobleProvider.integrity(id)!.compute(key, ...chunks))
      }),
    )
  })

  it('on SHA-1 and SHA-256', () => {
    fc.assert(
      fc.property(fc.array(data), (chunks) => {
        expect(opensslProvider.sha1(...chunks)).toEqual(nobleProvider.sha1(...chunks))
        expect(opensslProvider.sha256(...chunks)).toEqual(nobleProvider.sha256(...chunks))
      }),
    )
  })

  it.each([128, 192, 256])('on AES-CBC with %d bits, both ways', (keyBits) => {
    const [openssl, noble] = both(12, keyBits) as [BlockCipher, BlockCipher]
    const blocks = fc.nat({ max: 20 }).chain((count) => octets(16 * count))
    fc.assert(
      fc.property(octets(keyBits / 8), octets(16), blocks, (key, iv, plaintext) => {
        const ciphertext = openssl.encrypt(key, iv, plaintext)
        expect(noble.encrypt(key, iv, plaintext)).toEqual(ciphertext)
        expect(openssl.decrypt(key, iv, ciphertext)).toEqual(plaintext)
        expect(noble.decrypt(key, iv, ciphertext)).toEqual(plaintext)
      }),
    )
  })

  it.each(AEADS)('on AEAD %d with %s bits, both ways', (id, keyBits) => {
    const [openssl, noble] = both(id, keyBits) as [AeadCipher, AeadCipher]
    fc.assert(
      fc.property(octets(openssl.keyBytes), octets(12), data, data, (key, nonce, aad, plaintext) => {
        const sealed = openssl.seal(key, nonce, aad, plaintext)
        expect(noble.seal(key, nonce, aad, plaintext)).toEqual(sealed)
        expect(openssl.open(key, nonce, aad, sealed)).toEqual(plaintext)
        expect(noble.open(key, nonce, aad, sealed)).toEqual(plaintext)
      }),
    )
  })

  it.each(AEADS)('on refusing AEAD %d with %s bits when any bit of it changed', (id, keyBits) => {
    const ciphers = both(id, keyBits) as [AeadCipher, AeadCipher]
    const bit = fc.tuple(fc.nat(), fc.nat({ max: 7 }))
    fc.assert(
      fc.property(
        octets(ciphers[0].keyBytes),
        octets(12),
        octets(8),
        data,
        bit,
        (key, nonce, aad, plaintext, where) => {
          const sealed = ciphers[0].seal(key, nonce, aad, plaintext)
          for (const cipher of ciphers) {
            expect(cipher.open(key, nonce, aad, flipped(sealed, where))).toBeNull()
            expect(cipher.open(key, nonce, flipped(aad, where), sealed)).toBeNull()
            expect(cipher.open(key, flipped(nonce, where), aad, sealed)).toBeNull()
            expect(cipher.open(flipped(key, where), nonce, aad, sealed)).toBeNull()
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  it.each(AEADS)('on refusing AEAD %d with %s bits cut short or made longer anywhere', (id, keyBits) => {
    const ciphers = both(id, keyBits) as [AeadCipher, AeadCipher]
    const key = new Uint8Array(ciphers[0].keyBytes).fill(3)
    const nonce = new Uint8Array(12).fill(4)
    const aad = new Uint8Array(8).fill(5)
    for (const plaintext of [new Uint8Array(0), new Uint8Array(20).fill(6)]) {
      const sealed = ciphers[0].seal(key, nonce, aad, plaintext)
      for (const cipher of ciphers) {
        for (let length = 0; length < sealed.length; length++) {
          expect(cipher.open(key, nonce, aad, sealed.subarray(0, length))).toBeNull()
        }
        expect(cipher.open(key, nonce, aad, Uint8Array.of(...sealed, 0))).toBeNull()
        expect(cipher.open(key, nonce, aad, sealed)).toEqual(plaintext)
      }
    }
  })

  it('on refusing the longer tag where a shorter one was negotiated, and the other way round', () => {
    const key = new Uint8Array(16).fill(1)
    const nonce = new Uint8Array(12).fill(2)
    const plaintext = new Uint8Array(9).fill(3)
    for (const [sealing, opening] of [
      [20, 18],
      [18, 20],
      [20, 19],
      [19, 18],
    ] as const) {
      const sealed = (opensslProvider.cipher(sealing, 128) as AeadCipher).seal(key, nonce, nonce, plaintext)
      for (const cipher of both(opening, 128) as [AeadCipher, AeadCipher]) {
        expect(cipher.open(key, nonce, nonce, sealed)).toBeNull()
      }
    }
  })
})

function both(id: number, keyBits: number | null) {
  return [opensslProvider.cipher(id, keyBits), nobleProvider.cipher(id, keyBits)]
}

function flipped(bytes: Uint8Array, [at, bit]: readonly [number, number]): Uint8Array {
  const copy = bytes.slice()
  const index = at % copy.length
  copy[index] = copy[index]! ^ (1 << bit)
  return copy
}
