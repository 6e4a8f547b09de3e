import { createHash } from 'node:crypto'
import { InvariantError } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import { nobleProvider, opensslProvider } from './index.ts'
import type { AeadCipher, BlockCipher } from './index.ts'

const zeros = (length: number) => new Uint8Array(length)

describe.each([opensslProvider, nobleProvider])('$name provider', (provider) => {
  it.each([
    [2, 20],
    [5, 32],
    [6, 48],
    [7, 64],
  ])('PRF %d has key and output of %d octets', (id, length) => {
    expect(provider.prf(id)).toMatchObject({ id, keyBytes: length, outputBytes: length })
    expect(provider.prf(id)?.compute(zeros(1))).toHaveLength(length)
  })

  it.each([
    [2, 20, 12],
    [12, 32, 16],
    [13, 48, 24],
    [14, 64, 32],
  ])('integrity transform %d has a key of %d and an ICV of %d octets', (id, keyBytes, icvBytes) => {
    const transform = provider.integrity(id)!
    expect(transform).toMatchObject({ id, keyBytes, icvBytes })
    expect(transform.compute(zeros(keyBytes))).toHaveLength(icvBytes)
    expect(() => transform.compute(zeros(keyBytes - 1))).toThrow(InvariantError)
    expect(() => transform.compute(zeros(keyBytes + 1))).toThrow(InvariantError)
  })

  const aeads = [128, 192, 256].flatMap((keyBits) => [
    [18, keyBits, keyBits / 8, 8] as const,
    [19, keyBits, keyBits / 8, 12] as const,
    [20, keyBits, keyBits / 8, 16] as const,
  ])
  it.each([...aeads, [28, null, 32, 16] as const])(
    'AEAD %d with %s bits has its lengths',
    (id, keyBits, keyBytes, icvBytes) => {
      const cipher = provider.cipher(id, keyBits) as AeadCipher
      expect(cipher).toMatchObject({ kind: 'aead', id, keyBytes, icvBytes, saltBytes: 4, ivBytes: 8 })
      expect(cipher.seal(zeros(keyBytes), zeros(12), zeros(8), zeros(5))).toHaveLength(5 + icvBytes)
      expect(() => cipher.seal(zeros(keyBytes - 1), zeros(12), zeros(8), zeros(5))).toThrow(InvariantError)
      expect(() => cipher.seal(zeros(keyBytes), zeros(11), zeros(8), zeros(5))).toThrow(InvariantError)
      expect(() => cipher.open(zeros(keyBytes), zeros(16), zeros(8), zeros(50))).toThrow(InvariantError)
    },
  )

  it.each([128, 192, 256])('AES-CBC with %d bits has its lengths and pads nothing', (keyBits) => {
    const cipher = provider.cipher(12, keyBits) as BlockCipher
    const key = zeros(keyBits / 8)
    expect(cipher).toMatchObject({ kind: 'block', id: 12, keyBytes: keyBits / 8, saltBytes: 0, ivBytes: 16 })
    expect(cipher.encrypt(key, zeros(16), zeros(32))).toHaveLength(32)
    expect(cipher.encrypt(key, zeros(16), zeros(0))).toHaveLength(0)
    expect(() => cipher.encrypt(key, zeros(16), zeros(31))).toThrow(InvariantError)
    expect(() => cipher.encrypt(key, zeros(8), zeros(32))).toThrow(InvariantError)
    expect(() => cipher.decrypt(zeros(15), zeros(16), zeros(32))).toThrow(InvariantError)
  })

  it.each([1, 15, 17, 33])('AES-CBC refuses a ciphertext of %d octets', (length) => {
    expect((provider.cipher(12, 128) as BlockCipher).decrypt(zeros(16), zeros(16), zeros(length))).toBeNull()
  })

  it('knows nothing it does not implement: no MD5, no DES, no NULL, no weak or unknown group (N04, N05, C25)', () => {
    for (const id of [0, 1, 3, 4, 8, 65_535, -1, Number.NaN]) expect(provider.prf(id)).toBeNull()
    for (const id of [0, 1, 5, 8, 65_535]) expect(provider.integrity(id)).toBeNull()
    for (const id of [0, 2, 3, 11, 13, 16, 65_535]) expect(provider.cipher(id, null)).toBeNull()
    for (const id of [0, 1, 3, 17, 18, 22, 23, 24, 25, 32, 1025, 65_535]) expect(provider.keyExchange(id)).toBeNull()
  })

  it('wants a key length for AES and none for ChaCha20-Poly1305 (C23)', () => {
    for (const id of [12, 18, 19, 20]) {
      for (const keyBits of [null, 0, 64, 127, 512]) expect(provider.cipher(id, keyBits)).toBeNull()
    }
    expect(provider.cipher(28, 256)).toBeNull()
  })

  it('hands out one and the same transform each time', () => {
    expect(provider.cipher(20, 256)).toBe(provider.cipher(20, 256))
    expect(provider.keyExchange(31)).toBe(provider.keyExchange(31))
  })

  it('hashes joined chunks', () => {
    const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3)]
    const expected = (name: string) => new Uint8Array(createHash(name).update(a).update(b).digest())
    expect(provider.sha1(a, b)).toEqual(expected('sha1'))
    expect(provider.sha256(a, zeros(0), b)).toEqual(expected('sha256'))
  })

  it('returns plain arrays whose slice is a copy', () => {
    const cipher = provider.cipher(20, 128) as AeadCipher
    const block = provider.cipher(12, 128) as BlockCipher
    const own = provider.keyExchange(31)!.generate((length) => new Uint8Array(length).fill(7))
    const sealed = cipher.seal(zeros(16), zeros(12), zeros(0), zeros(3))
    const results = [
      provider.sha1(),
      provider.prf(5)!.compute(zeros(32)),
      sealed,
      cipher.open(zeros(16), zeros(12), zeros(0), sealed),
      block.encrypt(zeros(16), zeros(16), zeros(16)),
      block.decrypt(zeros(16), zeros(16), zeros(16)),
      own.publicValue,
      own.sharedSecret(own.publicValue),
    ]
    expect(results.map((result) => result?.constructor.name)).toEqual(results.map(() => 'Uint8Array'))
  })
})
