import { createPublicKey, diffieHellman } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nobleProvider } from '../index.ts'
import { DER_X25519_KEYS, RAW_X25519_KEYS } from './x25519-keys.ts'

const octets = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe.each([
  ['raw', RAW_X25519_KEYS],
  ['DER', DER_X25519_KEYS],
])('X25519 keys as %s', (_name, keys) => {
  it('give the public value and the secret that noble gives', () => {
    fc.assert(
      fc.property(octets, octets, (scalarI, scalarR) => {
        const [nobleI, nobleR] = [scalarI, scalarR].map((scalar) =>
          nobleProvider.keyExchange(31)!.generate(() => scalar.slice()),
        )
        const own = keys.importPrivate(scalarI)
        const peer = keys.importPublic(nobleR!.publicValue)
        expect(keys.exportPublic(createPublicKey(own))).toEqual(nobleI!.publicValue)
        expect(keys.exportPublic(peer)).toEqual(nobleR!.publicValue)
        const shared = new Uint8Array(diffieHellman({ privateKey: own, publicKey: peer }))
        expect(shared).toEqual(nobleI!.sharedSecret(nobleR!.publicValue))
      }),
      { numRuns: 20 },
    )
  })

  it('are copies: clearing the scalar afterwards changes nothing', () => {
    const scalar = new Uint8Array(32).fill(7)
    const own = keys.importPrivate(scalar)
    const before = keys.exportPublic(createPublicKey(own))
    scalar.fill(0)
    expect(keys.exportPublic(createPublicKey(own))).toEqual(before)
    expect(keys.importPrivate(new Uint8Array(32).fill(7)).equals(own)).toBe(true)
  })
})
