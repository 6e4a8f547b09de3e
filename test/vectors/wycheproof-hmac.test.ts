/** Wycheproof: HMAC with SHA-1, SHA-256, SHA-384 and SHA-512, full and halved tags, modified tags. */
import { constantTimeEqual } from '@culvert/bytes'
import { INTEG, PRF } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, integrity, prf } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface MacFile {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly keySize: number
    readonly tagSize: number
    readonly tests: readonly MacTest[]
  }[]
}

interface MacTest {
  readonly tcId: number
  readonly key: string
  readonly msg: string
  readonly tag: string
  readonly result: 'valid' | 'invalid'
}

const FILES = [
  ['hmac_sha1_test.json', PRF.HMAC_SHA1, 170],
  ['hmac_sha256_test.json', PRF.HMAC_SHA2_256, 174],
  ['hmac_sha384_test.json', PRF.HMAC_SHA2_384, 174],
  ['hmac_sha512_test.json', PRF.HMAC_SHA2_512, 174],
] as const

/** SHA-1 is missing: its vectors are cut to 80 bits, the transform to 96. */
const INTEGRITY_FILES = [
  ['hmac_sha256_test.json', INTEG.HMAC_SHA2_256_128],
  ['hmac_sha384_test.json', INTEG.HMAC_SHA2_384_192],
  ['hmac_sha512_test.json', INTEG.HMAC_SHA2_512_256],
] as const

describe.each(PROVIDERS)('Wycheproof HMAC on $name', (provider) => {
  it.each(FILES)('%s as PRF %d: equals every valid tag and no invalid one', (name, id, count) => {
    const file = readJson<MacFile>(`wycheproof/${name}`)
    const wrong = file.testGroups.flatMap(({ tagSize, tests }) =>
      tests.filter((test) => {
        const tag = prf(provider, id)
          .compute(hex(test.key), hex(test.msg))
          .subarray(0, tagSize / 8)
        return constantTimeEqual(tag, hex(test.tag)) !== (test.result === 'valid')
      }),
    )
    expect(wrong.map((test) => test.tcId)).toEqual([])
    expect(file.numberOfTests).toBe(count)
    expect(file.testGroups.flatMap((group) => group.tests)).toHaveLength(count)
  })

  it.each(INTEGRITY_FILES)('%s as integrity transform %d, where key and tag have its lengths', (name, id) => {
    const transform = integrity(provider, id)
    const groups = readJson<MacFile>(`wycheproof/${name}`).testGroups.filter(
      ({ keySize, tagSize }) => keySize === 8 * transform.keyBytes && tagSize === 8 * transform.icvBytes,
    )
    const tests = groups.flatMap((group) => group.tests)
    const wrong = tests.filter((test) => {
      const icv = transform.compute(hex(test.key), hex(test.msg))
      return constantTimeEqual(icv, hex(test.tag)) !== (test.result === 'valid')
    })
    expect(wrong.map((test) => test.tcId)).toEqual([])
    expect(tests.length).toBeGreaterThan(20)
  })
})
