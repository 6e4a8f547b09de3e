/** RFC 3526: the primes of groups 5, 14, 15 and 16, seen through what the providers accept. */
import { getDiffieHellman } from 'node:crypto'
import { toHex } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, privateValue } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface ModpGroup {
  readonly group: number
  readonly bits: number
  readonly generator: number
  readonly prime: string
}

const GROUPS = readJson<{ readonly groups: readonly ModpGroup[] }>('rfc/rfc3526_modp_primes.json').groups.filter(
  ({ group }) => group <= 16,
)
const SECRET = Uint8Array.of(0x80, ...new Uint8Array(30), 0x05)

describe.each(GROUPS)('RFC 3526 group $group', ({ group, bits, generator, prime }) => {
  const value = (distance: bigint) => hex((BigInt(`0x${prime}`) + distance).toString(16).padStart(bits / 4, '0'))
  const small = (number: number) => Uint8Array.of(...new Uint8Array(bits / 8 - 1), number)

  it.each(PROVIDERS)('$name knows this very prime: p-2 is the largest value it takes', (provider) => {
    const own = privateValue(provider, group, SECRET)
    expect(own.sharedSecret(value(-2n))).toHaveLength(bits / 8)
    for (const distance of [-1n, 0n, 1n]) expect(own.sharedSecret(value(distance))).toBeNull()
  })

  it.each(PROVIDERS)('$name refuses 0 and 1 and takes 2 (RFC 6989 2.1)', (provider) => {
    const own = privateValue(provider, group, SECRET)
    expect(own.sharedSecret(small(0))).toBeNull()
    expect(own.sharedSecret(small(1))).toBeNull()
    expect(own.sharedSecret(small(generator))).toEqual(own.publicValue)
  })

  it('agrees with the table inside OpenSSL', () => {
    expect(toHex(getDiffieHellman(`modp${group}`).getPrime())).toBe(prime)
  })

  it.each(PROVIDERS)(
    '$name computes with this prime: (p-2) raised to an odd secret is p minus the public value',
    (provider) => {
      const own = privateValue(provider, group, SECRET)
      const expected = BigInt(`0x${prime}`) - BigInt(`0x${toHex(own.publicValue)}`)
      expect(own.sharedSecret(value(-2n))).toEqual(hex(expected.toString(16).padStart(bits / 4, '0')))
    },
  )
})
