/** RFC 4868 2.7: HMAC-SHA-2 as PRF and as integrity transform. */
import { INTEG, PRF } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, integrity, prf } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

type Case = Readonly<Record<string, string>>

const CASES = readJson<{ readonly cases: readonly Case[] }>('rfc/rfc4868_hmac_sha2_prf_auth.json').cases

const PRFS = [
  ['PRF-HMAC-SHA-256', PRF.HMAC_SHA2_256, 10],
  ['PRF-HMAC-SHA-384', PRF.HMAC_SHA2_384, 10],
  ['PRF-HMAC-SHA-512', PRF.HMAC_SHA2_512, 10],
] as const

const INTEGRITIES = [
  ['AUTH256', INTEG.HMAC_SHA2_256_128],
  ['AUTH384', INTEG.HMAC_SHA2_384_192],
  ['AUTH512', INTEG.HMAC_SHA2_512_256],
] as const

describe.each(PROVIDERS)('RFC 4868 on $name', (provider) => {
  it.each(PRFS)('%s gives the stated output', (field, id, count) => {
    const cases = CASES.filter((entry) => field in entry)
    expect(cases).toHaveLength(count)
    for (const entry of cases) {
      const output = prf(provider, id).compute(hex(entry['Key'] ?? ''), hex(entry['Data'] ?? ''))
      expect([entry['name'], output]).toEqual([entry['name'], hex(entry[field] ?? '')])
    }
  })

  it.each(INTEGRITIES)('%s gives the stated ICV', (prefix, id) => {
    const cases = CASES.filter((entry) => entry['name']?.startsWith(prefix))
    expect(cases).toHaveLength(4)
    for (const entry of cases) {
      const field = Object.keys(entry).find((name) => name.startsWith('HMAC-')) ?? ''
      const icv = integrity(provider, id).compute(hex(entry['Key'] ?? ''), hex(entry['Data'] ?? ''))
      expect([entry['name'], icv]).toEqual([entry['name'], hex(entry[field] ?? '')])
    }
  })
})
