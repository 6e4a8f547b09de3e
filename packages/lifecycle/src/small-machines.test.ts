import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  attemptHint,
  attemptReasons,
  credentialStateAt,
  defaultProposalTiers,
  effectiveTiers,
  iccidFault,
  luhnCheckDigit,
  stepCredential,
} from './index.ts'

describe('credentials', () => {
  it('never come back', () => {
    expect(stepCredential('active', { kind: 'revoke' })).toBe('revoked')
    for (const state of ['refused', 'revoked'] as const) {
      for (const kind of ['issue', 'refuse', 'revoke'] as const) expect(stepCredential(state, { kind })).toBeNull()
    }
  })

  it('that have expired can be revoked and nothing else', () => {
    expect(stepCredential('expired', { kind: 'revoke' })).toBe('revoked')
    for (const kind of ['issue', 'refuse'] as const) expect(stepCredential('expired', { kind })).toBeNull()
  })

  it('of the signer are pending until they are issued or refused, once', () => {
    expect(stepCredential('pending', { kind: 'issue' })).toBe('active')
    expect(stepCredential('pending', { kind: 'refuse' })).toBe('refused')
    expect(stepCredential('pending', { kind: 'revoke' })).toBe('revoked')
    expect(stepCredential('active', { kind: 'issue' })).toBeNull()
    expect(stepCredential('active', { kind: 'refuse' })).toBeNull()
  })

  it('are expired from the very instant of expiry, and revocation wins', () => {
    const life = { revokedAtMs: null, expiresAtMs: 10, issuance: null }
    expect(credentialStateAt(life, 9)).toBe('active')
    expect(credentialStateAt(life, 10)).toBe('expired')
    expect(credentialStateAt({ ...life, revokedAtMs: 5 }, 20)).toBe('revoked')
    expect(credentialStateAt({ ...life, expiresAtMs: null }, 20)).toBe('active')
    expect(credentialStateAt({ ...life, issuance: 'pending' }, 9)).toBe('pending')
    expect(credentialStateAt({ ...life, issuance: 'issued' }, 9)).toBe('active')
    expect(credentialStateAt({ ...life, issuance: 'refused', revokedAtMs: 5 }, 20)).toBe('refused')
  })
})

describe('proposal tiers', () => {
  const nobody = { device: null, network: null, organization: null }

  it('are said by the device, else its network, else its organization, else the default without compat', () => {
    expect(effectiveTiers(nobody)).toEqual({ tiers: defaultProposalTiers, source: 'default' })
    expect(defaultProposalTiers).not.toContain('compat')
    const organization = { ...nobody, organization: ['modern'] } as const
    expect(effectiveTiers(organization)).toEqual({ tiers: ['modern'], source: 'organization' })
    const network = { ...organization, network: ['compat', 'standard'] } as const
    expect(effectiveTiers(network)).toEqual({ tiers: ['standard', 'compat'], source: 'network' })
    expect(effectiveTiers({ ...network, device: ['modern'] })).toEqual({ tiers: ['modern'], source: 'device' })
  })
})

describe('attemptHint', () => {
  it('names the tier that would have matched, unless it is allowed already', () => {
    expect(attemptHint('no_proposal', 'compat', ['modern'])).toContain('Allow compat for this device')
    expect(attemptHint('no_proposal', 'compat', ['compat'])).toContain('try again')
    expect(attemptHint('no_proposal', null, ['modern'])).toContain('`nearest`')
  })

  it('says a sentence or nothing for every reason', () => {
    for (const reason of attemptReasons) expect(attemptHint(reason, null, [])).toSatisfy((hint) => hint !== '')
  })
})

describe('iccidFault', () => {
  it.each([
    ['8944501312345678905', 'checksum'],
    ['89014103211118510720', null],
    ['8914800000000000', 'length'],
    ['89'.padEnd(23, '0'), 'length'],
    ['79014103211118510720', 'industry'],
    ['8901410321111851072x', 'digits'],
    ['８９014103211118510720', 'digits'],
    ['', 'length'],
  ])('judges %s as %s', (text, fault) => {
    expect(iccidFault(text)).toBe(fault)
  })

  it('accepts every number with its check digit and notices any single wrong digit', () => {
    const digits = fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: 15, maxLength: 19 })
      .map((list) => `89${list.join('')}`)
    fc.assert(
      fc.property(digits, fc.nat(), fc.integer({ min: 1, max: 9 }), (payload, at, change) => {
        const iccid = payload + luhnCheckDigit(payload)
        expect(iccidFault(iccid)).toBeNull()
        const index = 2 + (at % (iccid.length - 2))
        const wrong = (Number(iccid[index]) + change) % 10
        expect(iccidFault(iccid.slice(0, index) + String(wrong) + iccid.slice(index + 1))).toBe('checksum')
      }),
    )
  })
})
