import { concatBytes, InvariantError } from '@culvert/bytes'
import { opensslProvider } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import type { IkeSpi } from '../message/model.ts'
import { ENCR, INTEG, PRF } from '../message/numbers.ts'
import { deriveChildKeys, deriveIkeKeys, deriveSkeyseed, type IkeKeyInput, prfPlus } from './key-schedule.ts'

// Known answers are in test/vectors (SP 800-135 and recorded peers); here is what they cannot show.
const prf = opensslProvider.prf(PRF.HMAC_SHA2_256)!
const prf384 = opensslProvider.prf(PRF.HMAC_SHA2_384)!
const gcm = opensslProvider.cipher(ENCR.AES_GCM_16, 256)!
const cbc = opensslProvider.cipher(ENCR.AES_CBC, 256)!
const mac = opensslProvider.integrity(INTEG.HMAC_SHA2_256_128)!

const input: IkeKeyInput = {
  nonceI: new Uint8Array(32).fill(1),
  nonceR: new Uint8Array(32).fill(2),
  spiI: '0000000000000001' as IkeSpi,
  spiR: '0000000000000002' as IkeSpi,
  sharedSecret: new Uint8Array(32).fill(3),
}

describe('prf+', () => {
  it('gives a prefix of itself for a shorter length, and nothing for 0', () => {
    const long = prfPlus(prf, input.nonceI, [input.nonceR], 100)
    expect(prfPlus(prf, input.nonceI, [input.nonceR], 33)).toEqual(long.subarray(0, 33))
    expect(prfPlus(prf, input.nonceI, [input.nonceR], 0)).toHaveLength(0)
  })

  it('stops at 255 rounds, because it counts in one octet (RFC 7296 2.13)', () => {
    expect(prfPlus(prf, input.nonceI, [input.nonceR], 255 * 32)).toHaveLength(255 * 32)
    expect(() => prfPlus(prf, input.nonceI, [input.nonceR], 255 * 32 + 1)).toThrow(InvariantError)
  })
})

describe('keys of an IKE SA', () => {
  it('with an AEAD have no SK_a and a salt behind SK_e (RFC 5282)', () => {
    const keys = deriveIkeKeys({ prf, cipher: gcm, integ: null }, input)
    expect([keys.skAi.length, keys.skAr.length]).toEqual([0, 0])
    expect([keys.skEi.length, keys.skEr.length]).toEqual([36, 36])
    expect([keys.skD.length, keys.skPi.length, keys.skPr.length]).toEqual([32, 32, 32])
  })

  it('are copies: zeroing one leaves the others', () => {
    const keys = deriveIkeKeys({ prf, cipher: cbc, integ: mac }, input)
    const other = deriveIkeKeys({ prf, cipher: cbc, integ: mac }, input)
    keys.skD.fill(0)
    expect({ ...keys, skD: other.skD }).toEqual(other)
    expect(keys.skAi.buffer).not.toBe(keys.skAr.buffer)
  })

  it('at a rekey take SKEYSEED from the PRF of the old SA and the rest from the new one (RFC 7296 2.18)', () => {
    const oldSkD = new Uint8Array(32).fill(9)
    const seed = deriveSkeyseed(prf384, { ...input, oldSkD, oldPrf: prf })
    expect(seed).toEqual(prf.compute(oldSkD, input.sharedSecret, input.nonceI, input.nonceR))
    const keys = deriveIkeKeys({ prf: prf384, cipher: gcm, integ: null }, { ...input, oldSkD, oldPrf: prf })
    const spis = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2)
    const stream = prfPlus(prf384, seed, [input.nonceI, input.nonceR, spis], 48)
    expect(keys.skD).toEqual(stream)
  })
})

describe('keys of a Child SA', () => {
  it('give both keys of the initiator before those of the responder, encryption before integrity (C42)', () => {
    const nonces = { nonceI: input.nonceI, nonceR: input.nonceR }
    const keys = deriveChildKeys(prf, input.sharedSecret, { cipher: cbc, integ: mac }, nonces)
    const stream = prfPlus(prf, input.sharedSecret, [input.nonceI, input.nonceR], 128)
    const { initiator, responder } = keys
    const joined = concatBytes(initiator.encrKey, initiator.integKey, responder.encrKey, responder.integKey)
    expect(joined).toEqual(stream)
  })

  it('depend on the secret of a new key exchange', () => {
    const nonces = { nonceI: input.nonceI, nonceR: input.nonceR }
    const without = deriveChildKeys(prf, input.sharedSecret, { cipher: gcm, integ: null }, nonces)
    const withSecret = deriveChildKeys(
      prf,
      input.sharedSecret,
      { cipher: gcm, integ: null },
      {
        ...nonces,
        sharedSecret: Uint8Array.of(1),
      },
    )
    expect(withSecret.initiator.encrKey).not.toEqual(without.initiator.encrKey)
  })
})
