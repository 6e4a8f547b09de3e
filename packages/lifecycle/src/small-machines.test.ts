import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { credentialStateAt, iccidFault, luhnCheckDigit, stepAttachment, stepCredential } from './index.ts'

describe('stepAttachment', () => {
  const attached = { state: 'attached', epoch: 5 } as const

  it('takes a first and a newer attachment', () => {
    expect(stepAttachment(null, { kind: 'attached', epoch: 1 })).toEqual({ state: 'attached', epoch: 1 })
    expect(stepAttachment(attached, { kind: 'attached', epoch: 6 })).toEqual({ state: 'attached', epoch: 6 })
  })

  it('ignores what an older attachment says late', () => {
    expect(stepAttachment(attached, { kind: 'attached', epoch: 4 })).toBeNull()
    expect(stepAttachment(attached, { kind: 'detached', epoch: 4 })).toBeNull()
  })

  it('detaches the present one once', () => {
    const detached = stepAttachment(attached, { kind: 'detached', epoch: 5 })
    expect(detached).toEqual({ state: 'detached', epoch: 5 })
    expect(stepAttachment(detached, { kind: 'detached', epoch: 5 })).toBeNull()
    expect(stepAttachment(null, { kind: 'detached', epoch: 1 })).toBeNull()
  })
})

describe('credentials', () => {
  it('never come back', () => {
    expect(stepCredential('active', { kind: 'revoke' })).toBe('revoked')
    expect(stepCredential('active', { kind: 'expire' })).toBe('expired')
    expect(stepCredential('revoked', { kind: 'expire' })).toBeNull()
    expect(stepCredential('expired', { kind: 'revoke' })).toBeNull()
  })

  it('are expired from the very instant of expiry, and revocation wins', () => {
    expect(credentialStateAt({ revokedAtMs: null, expiresAtMs: 10 }, 9)).toBe('active')
    expect(credentialStateAt({ revokedAtMs: null, expiresAtMs: 10 }, 10)).toBe('expired')
    expect(credentialStateAt({ revokedAtMs: 5, expiresAtMs: 10 }, 20)).toBe('revoked')
    expect(credentialStateAt({ revokedAtMs: null, expiresAtMs: null }, 20)).toBe('active')
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
