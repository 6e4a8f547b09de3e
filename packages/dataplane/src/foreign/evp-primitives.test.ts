/**
 * The native provider against noble on random input; both of them are also tested by the vectors of test/vectors.
 */
import { nobleProvider, opensslPrimitives, opensslProvider, type AeadCipher } from '@culvert/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEvpPrimitives, PRIMITIVES_BYTES } from './evp-primitives.ts'
import { createNativeCrypto } from '../native/native-crypto.ts'
import { PacketMemory } from './packet-memory.ts'

const native = createNativeCrypto()
const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const data = fc.uint8Array({ maxLength: 300 })

const AEADS = [
  ...[18, 19, 20].flatMap((id) => [128, 192, 256].map((keyBits) => [id, keyBits] as const)),
  [28, null] as const,
]

describe('native and noble agree', () => {
  it.each([2, 5, 6, 7])('on PRF %d for keys of any length and any split of the message', (id) => {
    fc.assert(
      fc.property(data, fc.array(data), (key, chunks) => {
        const output = native.prf(id)!.compute(key, ...chunks)
        expect(output).toEqual(nobleProvider.prf(id)!.compute(key, ...chunks))
      }),
    )
  })

  it('on SHA-1 and SHA-256', () => {
    fc.assert(
      fc.property(fc.array(data), (chunks) => {
        expect(native.sha1(...chunks)).toEqual(nobleProvider.sha1(...chunks))
        expect(native.sha256(...chunks)).toEqual(nobleProvider.sha256(...chunks))
      }),
    )
  })

  it.each(AEADS)('on AEAD %d with %s bits, both ways, with contexts that are keyed anew', (id, keyBits) => {
    const own = native.cipher(id, keyBits) as AeadCipher
    const noble = nobleProvider.cipher(id, keyBits) as AeadCipher
    fc.assert(
      fc.property(octets(own.keyBytes), octets(12), data, data, (key, nonce, aad, plaintext) => {
        const sealed = own.seal(key, nonce, aad, plaintext)
        expect(noble.seal(key, nonce, aad, plaintext)).toEqual(sealed)
        expect(own.open(key, nonce, aad, sealed)).toEqual(plaintext)
      }),
    )
  })

  it.each(AEADS)(
    'on refusing AEAD %d with %s bits when any bit of it changed or any octet is missing',
    (id, keyBits) => {
      const own = native.cipher(id, keyBits) as AeadCipher
      fc.assert(
        fc.property(octets(own.keyBytes), octets(12), octets(9), data, fc.nat(), (key, nonce, aad, plaintext, at) => {
          const sealed = own.seal(key, nonce, aad, plaintext)
          const forged = sealed.with(at % sealed.length, sealed[at % sealed.length]! ^ (1 << (at & 7)))
          expect(own.open(key, nonce, aad, forged)).toBeNull()
          expect(own.open(key, nonce, aad.with(at % 9, aad[at % 9]! ^ 1), sealed)).toBeNull()
          expect(own.open(key, nonce, aad, sealed.subarray(0, at % sealed.length))).toBeNull()
          expect(own.open(key, nonce, aad, sealed)).toEqual(plaintext)
        }),
      )
    },
  )

  it('on X25519: the same randomness gives the same public value, and both ends the same secret (RFC 8031)', () => {
    const method = native.keyExchange(31)!
    const noble = nobleProvider.keyExchange(31)!
    fc.assert(
      fc.property(octets(32), octets(32), (scalarI, scalarR) => {
        const initiator = noble.generate(() => scalarI.slice())
        const answer = method.respond(() => scalarR.slice(), initiator.publicValue)
        expect(answer).toEqual(noble.respond(() => scalarR.slice(), initiator.publicValue))
        expect(initiator.sharedSecret(answer!.publicValue)).toEqual(answer!.sharedSecret)
        const own = method.generate(() => scalarR.slice())
        expect(own.publicValue).toEqual(answer!.publicValue)
        expect(own.sharedSecret(initiator.publicValue)).toEqual(answer!.sharedSecret)
        expect(own.sharedSecret(new Uint8Array(32))).toBeNull()
        expect(own.sharedSecret(initiator.publicValue)).toEqual(answer!.sharedSecret)
      }),
      { numRuns: 20 },
    )
  })

  it('on prf+ of every hash, whatever its key, seed and length (RFC 7296 2.13)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2, 5, 6, 7),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 255 }),
        (id, key, seed, rounds) => {
          const [own, other] = [native.prf(id)!, nobleProvider.prf(id)!]
          let block = new Uint8Array(0)
          const blocks = Array.from(
            { length: rounds },
            (_, index) =>
              (block = other.compute(key, block, ...seed, Uint8Array.of(index + 1)) as Uint8Array<ArrayBuffer>),
          )
          expect(own.plus!(key, seed, rounds)).toEqual(
            Uint8Array.from(blocks.flatMap((octetsOfBlock) => [...octetsOfBlock])),
          )
        },
      ),
      { numRuns: 30 },
    )
    const { plus } = native.prf(5)!
    for (const rounds of [0, 256, -1, Number.NaN])
      expect(() => plus!(Uint8Array.of(1), [Uint8Array.of(2)], rounds)).toThrow(RangeError)
    expect(() => plus!(new Uint8Array(1025), [Uint8Array.of(2)], 1)).toThrow(RangeError)
    expect(() => plus!(Uint8Array.of(1), [new Uint8Array(65_000), new Uint8Array(504)], 1)).toThrow(RangeError)
  })

  it('on a private value that is gone once it was destroyed, and lets others be', () => {
    const method = native.keyExchange(31)!
    const [own, other] = [1, 2].map((octet) => method.generate((length) => new Uint8Array(length).fill(octet)))
    own!.destroy()
    own!.destroy()
    expect(() => own!.sharedSecret(other!.publicValue)).toThrow('after its end')
    expect(other!.sharedSecret(own!.publicValue)).toHaveLength(32)
  })

  it('on refusing X25519 values of small order and of a wrong length, and answering the next one', () => {
    const method = native.keyExchange(31)!
    const rng = (length: number) => new Uint8Array(length).fill(3)
    const good = opensslProvider.keyExchange(31)!.generate(rng)
    for (const bad of [new Uint8Array(32), new Uint8Array(32).fill(1, 0, 1), new Uint8Array(31), new Uint8Array(33)]) {
      expect(method.respond(rng, bad)).toBeNull()
      expect(method.respond(rng, good.publicValue)).not.toBeNull()
    }
  })
})

describe('the scratch memory', () => {
  const memory = new PacketMemory(PRIMITIVES_BYTES)
  const primitives = createEvpPrimitives(memory, opensslPrimitives)
  const pattern = new Uint8Array(32).fill(0xa7)

  function expectNoTrace(of: Uint8Array = pattern.subarray(0, 4)): void {
    expect(Buffer.from(memory.bytes).includes(Buffer.from(of))).toBe(false)
  }

  it('holds nothing of keys, plaintexts and results once a call is over', () => {
    const call = {
      name: 'aes-gcm',
      icvBytes: 16,
      key: pattern,
      nonce: new Uint8Array(12),
      aad: new Uint8Array(8),
    } as const
    expect(primitives.hash('sha256', [pattern])).toHaveLength(32)
    expectNoTrace()
    const mac = primitives.hmac('sha256', pattern, [pattern])
    expectNoTrace()
    expectNoTrace(mac)
    const blocks = primitives.hmacPlus!('sha256', pattern, [pattern], 3)
    expectNoTrace()
    for (const at of [0, 32, 64]) expectNoTrace(blocks.subarray(at, at + 32))
    const sealed = primitives.seal(call, pattern)
    expectNoTrace()
    primitives.open(call, sealed)
    expectNoTrace()
    primitives.open(call, sealed.with(0, sealed[0]! ^ 1))
    expectNoTrace()
    const answer = primitives.respondX25519!(pattern, new Uint8Array(32).fill(9))
    expectNoTrace()
    expectNoTrace(answer!.sharedSecret)
  })

  it.each([65_535, 65_536, 65_537, 200_000])('takes an input of %d octets, or leaves it to node:crypto', (length) => {
    const text = new Uint8Array(length).fill(5)
    const call = { name: 'aes-gcm', icvBytes: 16, key: pattern, nonce: new Uint8Array(12), aad: text } as const
    expect(primitives.hash('sha1', [text])).toEqual(opensslPrimitives.hash('sha1', [text]))
    expect(primitives.hmac('sha512', text, [text])).toEqual(opensslPrimitives.hmac('sha512', text, [text]))
    const sealed = primitives.seal(call, text)
    expect(sealed).toEqual(opensslPrimitives.seal(call, text))
    expect(primitives.open(call, sealed)).toEqual(text)
  })
})
