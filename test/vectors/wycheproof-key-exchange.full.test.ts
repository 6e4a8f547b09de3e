/**
 * Wycheproof: X25519 (low order, twist, non-canonical values) and ECDH on P-256 and P-384 (invalid curve attacks).
 *
 * IKEv2 sends ECP points as x | y (RFC 5903 7). Vectors with an uncompressed point lose its first octet here; a compressed or
 * empty encoding goes in as it is and must be refused, whatever the vector says of it.
 */
import { KE } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, privateValue, sameBytes } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface DhFile {
  readonly numberOfTests: number
  readonly testGroups: readonly { readonly tests: readonly DhTest[] }[]
}

interface DhTest {
  readonly tcId: number
  readonly flags: readonly string[]
  readonly public: string
  readonly private: string
  readonly shared: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

const CURVES = [
  ['ecdh_secp256r1_ecpoint_test.json', KE.ECP_256, 64, 355],
  ['ecdh_secp384r1_ecpoint_test.json', KE.ECP_384, 96, 790],
] as const

describe.each(PROVIDERS)('Wycheproof key exchange on $name', (provider) => {
  it('x25519_test.json: refuses all-zero results and computes all others', () => {
    const tests = testsOf('wycheproof/x25519_test.json', 518)
    const wrong = tests.filter((test) => {
      const shared = privateValue(provider, KE.CURVE25519, hex(test.private)).sharedSecret(hex(test.public))
      return test.flags.includes('ZeroSharedSecret') ? shared !== null : !sameBytes(shared, hex(test.shared))
    })
    expect(wrong.map((test) => test.tcId)).toEqual([])
    expect(tests.filter((test) => test.flags.includes('ZeroSharedSecret'))).toHaveLength(31)
  })

  it.each(CURVES)('%s: computes valid cases and refuses everything else', (name, id, publicBytes, count) => {
    const tests = testsOf(`wycheproof/${name}`, count)
    const wrong = tests.filter((test) => {
      const encoded = hex(test.public)
      const peer = encoded[0] === 4 && encoded.length === publicBytes + 1 ? encoded.subarray(1) : encoded
      const shared = privateValue(provider, id, hex(test.private)).sharedSecret(peer)
      return test.result === 'valid' ? !sameBytes(shared, hex(test.shared)) : shared !== null
    })
    expect(wrong.map((test) => test.tcId)).toEqual([])
    expect(tests.filter((test) => test.flags.includes('InvalidCurveAttack'))).toHaveLength(16)
  })
})

function testsOf(path: string, count: number): DhTest[] {
  const file = readJson<DhFile>(path)
  const tests = file.testGroups.flatMap((group) => group.tests)
  expect(file.numberOfTests).toBe(count)
  expect(tests).toHaveLength(count)
  return tests
}
