import fc from 'fast-check'
import { InvariantError } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import { KE, nobleProvider, opensslProvider, transformName } from './index.ts'
import type { CryptoProvider, KeyExchangeMethod, Rng } from './index.ts'

const PROVIDERS = [opensslProvider, nobleProvider]
const GROUPS = [
  [KE.MODP_1024, 128, 128],
  [KE.MODP_1536, 192, 192],
  [KE.MODP_2048, 256, 256],
  [KE.MODP_3072, 384, 384],
  [KE.MODP_4096, 512, 512],
  [KE.ECP_256, 64, 32],
  [KE.ECP_384, 96, 48],
  [KE.ECP_521, 132, 66],
  [KE.CURVE25519, 32, 32],
] as const
/** Seeds of `rngOf`, found by search, that give group 14 values of less than 2048 bits: 1 in 256 does. */
const SHORT_PUBLIC_VALUE = Uint8Array.of(0, 184)
const SHORT_SECRET_WITH_5 = Uint8Array.of(3, 3)

const seed = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe.each(GROUPS)(`key exchange %d`, (id, publicBytes, sharedBytes) => {
  const runs = { numRuns: id === KE.CURVE25519 || id === KE.ECP_256 ? 30 : 6 }

  it('states the lengths on the wire', () => {
    for (const provider of PROVIDERS) {
      expect(method(provider, id)).toMatchObject({ id, publicBytes, sharedBytes })
      expect(method(provider, id).generate(rngOf(Uint8Array.of(1))).publicValue).toHaveLength(publicBytes)
    }
  })

  it('gives equal public values for equal randomness, and one secret on both sides in both providers', () => {
    fc.assert(
      fc.property(seed, seed, (seedI, seedR) => {
        const [opensslI, nobleI] = PROVIDERS.map((provider) => method(provider, id).generate(rngOf(seedI)))
        const [opensslR, nobleR] = PROVIDERS.map((provider) => method(provider, id).generate(rngOf(seedR)))
        expect(opensslI!.publicValue).toEqual(nobleI!.publicValue)
        const shared = opensslI!.sharedSecret(opensslR!.publicValue)
        expect(shared).toHaveLength(sharedBytes)
        expect(opensslR!.sharedSecret(opensslI!.publicValue)).toEqual(shared)
        expect(nobleI!.sharedSecret(nobleR!.publicValue)).toEqual(shared)
        expect(nobleR!.sharedSecret(nobleI!.publicValue)).toEqual(shared)
      }),
      runs,
    )
  })

  it('draws afresh for every exchange', () => {
    for (const provider of PROVIDERS) {
      const rng = rngOf(Uint8Array.of(9))
      expect(method(provider, id).generate(rng).publicValue).not.toEqual(method(provider, id).generate(rng).publicValue)
    }
  })

  it('gives no secret any more once it was destroyed', () => {
    for (const provider of PROVIDERS) {
      const own = method(provider, id).generate(rngOf(Uint8Array.of(1)))
      const peer = method(provider, id).generate(rngOf(Uint8Array.of(2)))
      expect(own.sharedSecret(peer.publicValue)).toHaveLength(sharedBytes)
      own.destroy()
      own.destroy()
      expect(() => own.sharedSecret(peer.publicValue)).toThrow(InvariantError)
    }
  })

  it('refuses a public value that is empty, one octet short or one octet long (C14)', () => {
    for (const provider of PROVIDERS) {
      const own = method(provider, id).generate(rngOf(Uint8Array.of(1)))
      const { publicValue } = method(provider, id).generate(rngOf(Uint8Array.of(2)))
      expect(own.sharedSecret(new Uint8Array(0))).toBeNull()
      expect(own.sharedSecret(publicValue.subarray(1))).toBeNull()
      expect(own.sharedSecret(publicValue.subarray(0, -1))).toBeNull()
      expect(own.sharedSecret(Uint8Array.of(0, ...publicValue))).toBeNull()
      expect(own.sharedSecret(Uint8Array.of(...publicValue, 0))).toBeNull()
      expect(own.sharedSecret(publicValue)).toHaveLength(sharedBytes)
    }
  })

  it('answers any octets with null or a secret on which the providers agree, and never throws', () => {
    const exchanges = PROVIDERS.map((provider) => method(provider, id).generate(rngOf(Uint8Array.of(3))))
    const peer = fc.oneof(
      fc.uint8Array({ minLength: publicBytes, maxLength: publicBytes }),
      fc.uint8Array({ maxLength: publicBytes + 2 }),
      fc.constantFrom(0, 1, 255).map((octet) => new Uint8Array(publicBytes).fill(octet)),
    )
    fc.assert(
      fc.property(peer, (value) => {
        const [openssl, noble] = exchanges.map((own) => own.sharedSecret(value))
        expect(openssl).toEqual(noble)
        expect(openssl === null || value.length === publicBytes).toBe(true)
      }),
      runs,
    )
  })

  it('clears the private value that it drew', () => {
    for (const provider of PROVIDERS) {
      const drawn: Uint8Array[] = []
      method(provider, id).generate((length) => {
        const bytes = rngOf(Uint8Array.of(4))(length)
        drawn.push(bytes)
        return bytes
      })
      expect(drawn.length).toBeGreaterThan(0)
      expect(drawn.every((bytes) => bytes.every((octet) => octet === 0))).toBe(true)
    }
  })

  it('refuses randomness of a wrong length', () => {
    for (const provider of PROVIDERS) {
      expect(() => method(provider, id).generate((length) => new Uint8Array(length - 1))).toThrow(InvariantError)
    }
  })
})

describe.each(PROVIDERS)('key exchange on $name', (provider) => {
  it('pads a MODP public value that starts with a zero octet on the left (C14)', () => {
    const own = method(provider, KE.MODP_2048).generate(rngOf(SHORT_PUBLIC_VALUE))
    const peer = method(provider, KE.MODP_2048).generate(rngOf(Uint8Array.of(5)))
    expect(own.publicValue).toHaveLength(256)
    expect(own.publicValue[0]).toBe(0)
    expect(peer.sharedSecret(own.publicValue)).toEqual(own.sharedSecret(peer.publicValue))
  })

  it('pads a MODP secret that starts with a zero octet on the left (RFC 7296 2.14)', () => {
    const own = method(provider, KE.MODP_2048).generate(rngOf(SHORT_SECRET_WITH_5))
    const peer = method(provider, KE.MODP_2048).generate(rngOf(Uint8Array.of(5)))
    const shared = own.sharedSecret(peer.publicValue)
    expect(shared).toHaveLength(256)
    expect(shared?.[0]).toBe(0)
  })

  it.each([KE.ECP_256, KE.ECP_384, KE.ECP_521])('refuses points off curve %d', (id) => {
    const own = method(provider, id).generate(rngOf(Uint8Array.of(6)))
    const { publicValue } = method(provider, id).generate(rngOf(Uint8Array.of(7)))
    for (const at of [0, publicValue.length / 2 - 1, publicValue.length - 1]) {
      const wrong = publicValue.slice()
      wrong[at] = wrong[at]! ^ 1
      expect(own.sharedSecret(wrong)).toBeNull()
    }
  })

  it('draws again until an ECP scalar lies in 1..n-1', () => {
    const answers = [new Uint8Array(32), new Uint8Array(32).fill(0xff), Uint8Array.of(...new Uint8Array(31), 1)]
    const own = method(provider, KE.ECP_256).generate(() => answers.shift()!)
    expect(Buffer.from(own.publicValue.subarray(0, 4)).toString('hex')).toBe('6b17d1f2') // the base point
    expect(answers).toHaveLength(0)
  })

  it('gives up on a generator that never yields a scalar', () => {
    expect(() => method(provider, KE.ECP_256).generate((length) => new Uint8Array(length))).toThrow(InvariantError)
  })

  it('ignores the top bit of an X25519 value (RFC 7748 5)', () => {
    const own = method(provider, KE.CURVE25519).generate(rngOf(Uint8Array.of(8)))
    const { publicValue } = method(provider, KE.CURVE25519).generate(rngOf(Uint8Array.of(9)))
    const marked = publicValue.slice()
    marked[31] = marked[31]! | 0x80
    expect(own.sharedSecret(marked)).toEqual(own.sharedSecret(publicValue))
  })
})

function method(provider: CryptoProvider, id: number): KeyExchangeMethod {
  const found = provider.keyExchange(id)
  if (found === null) throw new Error(`${provider.name} lacks ${transformName(4, id)}`)
  return found
}

/** Reproducible octets: SHA-256 of seed and counter. */
function rngOf(seedBytes: Uint8Array): Rng {
  let counter = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      counter++
      const block = nobleProvider.sha256(seedBytes, Uint8Array.of(counter >>> 16, counter >>> 8, counter))
      bytes.set(block.subarray(0, length - at), at)
    }
    return bytes
  }
}
