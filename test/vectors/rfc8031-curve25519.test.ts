/** RFC 8031 appendix A: key exchange with Curve25519, group 31. */
import { KE } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, privateValue } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface Curve25519Case {
  readonly priv_i: string
  readonly priv_r: string
  readonly pub_i: string
  readonly pub_r: string
  readonly shared: string
}

const CASES = readJson<{ readonly cases: readonly Curve25519Case[] }>('rfc/rfc8031_curve25519_ke.json').cases

describe.each(PROVIDERS)('RFC 8031 on $name', (provider) => {
  it('gives the stated public values and shared secret', () => {
    expect(CASES).toHaveLength(1)
    for (const entry of CASES) {
      const initiator = privateValue(provider, KE.CURVE25519, hex(entry.priv_i))
      const responder = privateValue(provider, KE.CURVE25519, hex(entry.priv_r))
      expect(initiator.publicValue).toEqual(hex(entry.pub_i))
      expect(responder.publicValue).toEqual(hex(entry.pub_r))
      expect(initiator.sharedSecret(responder.publicValue)).toEqual(hex(entry.shared))
      expect(responder.sharedSecret(initiator.publicValue)).toEqual(hex(entry.shared))
    }
  })
})
