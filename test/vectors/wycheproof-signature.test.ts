/**
 * Wycheproof: ECDSA on three curves, Ed25519, RSA PKCS#1 v1.5 and PSS with 2048 bits, all with their own public keys in DER.
 *
 * ECDSA and Ed25519 run on OpenSSL and on noble, RSA on OpenSSL alone.
 */
import { nobleVerifyingKey, verifyingKey } from '@culvert/crypto'
import type { SignatureScheme, VerifyingKey } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { hex, readJson } from './vector-file.ts'

interface SignatureFile {
  readonly numberOfTests: number
  readonly testGroups: readonly { readonly publicKeyDer: string; readonly tests: readonly SignatureTest[] }[]
}

interface SignatureTest {
  readonly tcId: number
  readonly flags: readonly string[]
  readonly msg: string
  readonly sig: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

type OpenKey = (spki: Uint8Array) => VerifyingKey | null

const ON_CURVES: readonly (readonly [name: string, count: number, scheme: SignatureScheme])[] = [
  ['ecdsa_secp256r1_sha256_test.json', 484, { kind: 'ecdsa', hash: 'sha256', form: 'der' }],
  ['ecdsa_secp384r1_sha384_test.json', 504, { kind: 'ecdsa', hash: 'sha384', form: 'der' }],
  ['ecdsa_secp521r1_sha512_test.json', 542, { kind: 'ecdsa', hash: 'sha512', form: 'der' }],
  ['ed25519_test.json', 151, { kind: 'ed25519' }],
]

describe.each<[string, OpenKey]>([
  ['openssl', verifyingKey],
  ['noble', nobleVerifyingKey],
])('Wycheproof signatures on %s', (_name, openKey) => {
  it.each(ON_CURVES)('%s: N14 takes the %d cases as the vectors say', (name, count, scheme) => {
    expect(wrongCases({ name, count, scheme, openKey })).toEqual([])
  })
})

describe('Wycheproof RSA signatures', () => {
  it('rsa_signature_2048_sha256_test.json: N14 takes no padding, parameters or length but the exact ones', () => {
    const scheme: SignatureScheme = { kind: 'rsaPkcs1', hash: 'sha256' }
    const name = 'rsa_signature_2048_sha256_test.json'
    expect(wrongCases({ name, count: 259, scheme, openKey: verifyingKey })).toEqual([])
  })

  it('rsa_pss_2048_sha256_mgf1_32_test.json: N14 takes the salt length that was said and no other', () => {
    const name = 'rsa_pss_2048_sha256_mgf1_32_test.json'
    const said: SignatureScheme = { kind: 'rsaPss', hash: 'sha256', saltBytes: 32 }
    expect(wrongCases({ name, count: 108, scheme: said, openKey: verifyingKey })).toEqual([])
    const { testGroups } = readJson<SignatureFile>(`wycheproof/${name}`)
    const [group] = testGroups
    const valid = group!.tests.filter((test) => test.result === 'valid')
    const key = verifyingKey(hex(group!.publicKeyDer))!
    for (const saltBytes of [31, 33, 20, 0, -1, -2, -3, -4, 1e9, Number.NaN, 0.5]) {
      const taken = valid.filter((test) => key.verify({ ...said, saltBytes }, hex(test.msg), hex(test.sig)))
      expect(taken).toEqual([])
    }
  })
})

interface Replay {
  readonly name: string
  readonly count: number
  readonly scheme: SignatureScheme
  readonly openKey: OpenKey
}

/** "acceptable" is one signature whose AlgorithmIdentifier lacks NULL; it is refused. @returns numbers of the cases that went wrong. */
function wrongCases({ name, count, scheme, openKey }: Replay): number[] {
  const file = readJson<SignatureFile>(`wycheproof/${name}`)
  expect(file.numberOfTests).toBe(count)
  expect(file.testGroups.flatMap((group) => group.tests)).toHaveLength(count)
  return file.testGroups.flatMap((group) => {
    const key = openKey(hex(group.publicKeyDer))
    const wrong = group.tests.filter(
      (test) => (key?.verify(scheme, hex(test.msg), hex(test.sig)) ?? false) !== (test.result === 'valid'),
    )
    return wrong.map((test) => test.tcId)
  })
}
