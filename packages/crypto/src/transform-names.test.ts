import { describe, expect, it } from 'vitest'
import { ENCR, ESN, INTEG, KE, PRF, TRANSFORM_TYPE, transformName } from './transform-names.ts'

describe('transformName', () => {
  it.each([
    [TRANSFORM_TYPE.ENCR, ENCR.AES_GCM_16, 256, 'ENCR_AES_GCM_16-256'],
    [TRANSFORM_TYPE.ENCR, ENCR.CHACHA20_POLY1305, null, 'ENCR_CHACHA20_POLY1305'],
    [TRANSFORM_TYPE.PRF, PRF.HMAC_SHA2_256, null, 'PRF_HMAC_SHA2_256'],
    [TRANSFORM_TYPE.INTEG, INTEG.HMAC_SHA2_512_256, null, 'INTEG_HMAC_SHA2_512_256'],
    [TRANSFORM_TYPE.KE, KE.CURVE25519, null, 'KE_CURVE25519'],
    [TRANSFORM_TYPE.ESN, ESN.ESN, null, 'ESN_ESN'],
  ])('type %d, id %d, key length %s is %s', (type, id, keyBits, name) => {
    expect(transformName(type, id, keyBits)).toBe(name)
  })

  it('prints unassigned numbers as numbers (N08)', () => {
    expect(transformName(TRANSFORM_TYPE.ENCR, 65_535, 65_535)).toBe('ENCR_65535-65535')
    expect(transformName(255, 7)).toBe('TYPE_255_7')
  })

  it('has no number twice within a type', () => {
    for (const ids of [TRANSFORM_TYPE, ENCR, PRF, INTEG, KE, ESN]) {
      const numbers = Object.values(ids)
      expect(new Set(numbers).size).toBe(numbers.length)
    }
  })
})
