import { describe, expect, it } from 'vitest'
import type { SuitePolicy } from '../endpoint/contract.ts'
import type { Proposal, Transform } from '../message/model.ts'
import { ENCR, INTEG, KE, PRF, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'
import { defaultEspSuites, defaultIkeSuites } from './default-suites.ts'
import { selectProposal, type SelectOptions } from './select.ts'

const t = (type: number, id: number, keyBits: number | null = null): Transform => ({ type, id, keyBits })

const GCM256 = t(TRANSFORM_TYPE.ENCR, ENCR.AES_GCM_16, 256)
const GCM128 = t(TRANSFORM_TYPE.ENCR, ENCR.AES_GCM_16, 128)
const CHACHA = t(TRANSFORM_TYPE.ENCR, ENCR.CHACHA20_POLY1305)
const CBC256 = t(TRANSFORM_TYPE.ENCR, ENCR.AES_CBC, 256)
const CBC192 = t(TRANSFORM_TYPE.ENCR, ENCR.AES_CBC, 192)
const NULL_ENCR = t(TRANSFORM_TYPE.ENCR, ENCR.NULL)
const SHA256 = t(TRANSFORM_TYPE.INTEG, INTEG.HMAC_SHA2_256_128)
const SHA1 = t(TRANSFORM_TYPE.INTEG, INTEG.HMAC_SHA1_96)
const NO_INTEG = t(TRANSFORM_TYPE.INTEG, INTEG.NONE)
const PRF256 = t(TRANSFORM_TYPE.PRF, PRF.HMAC_SHA2_256)
const PRF512 = t(TRANSFORM_TYPE.PRF, PRF.HMAC_SHA2_512)
const X25519 = t(TRANSFORM_TYPE.KE, KE.CURVE25519)
const ECP256 = t(TRANSFORM_TYPE.KE, KE.ECP_256)
const MODP1024 = t(TRANSFORM_TYPE.KE, KE.MODP_1024)
const NO_KE = t(TRANSFORM_TYPE.KE, KE.NONE)
const ESN0 = t(TRANSFORM_TYPE.ESN, 0)
const ESN1 = t(TRANSFORM_TYPE.ESN, 1)

const IKE_SPI = new Uint8Array(0)
const ESP_SPI = Uint8Array.of(0xc0, 0, 0, 1)

const ike = (...transforms: Transform[]): Proposal => ({
  number: 1,
  protocolId: PROTOCOL.IKE,
  spi: IKE_SPI,
  transforms,
})
const esp = (...transforms: Transform[]): Proposal => ({
  number: 1,
  protocolId: PROTOCOL.ESP,
  spi: ESP_SPI,
  transforms,
})

function selectIke(offered: readonly Proposal[], options: Partial<SelectOptions> = {}, policy = defaultIkeSuites) {
  const renumbered = offered.map((proposal, index) => ({ ...proposal, number: index + 1 }))
  return selectProposal(renumbered, policy, {
    protocolId: PROTOCOL.IKE,
    kePolicy: 'required',
    keGroupOffered: 31,
    ...options,
  })
}

function selectEsp(offered: readonly Proposal[], options: Partial<SelectOptions> = {}, policy = defaultEspSuites) {
  const renumbered = offered.map((proposal, index) => ({ ...proposal, number: index + 1 }))
  return selectProposal(renumbered, policy, { protocolId: PROTOCOL.ESP, kePolicy: 'absent', ...options })
}

describe('choice of an IKE proposal', () => {
  it('takes one transform of each type in the order of the peer, with its number and SPI (C20)', () => {
    const selected = selectIke([ike(CHACHA, GCM256, PRF512, PRF256, X25519, ECP256)])
    expect(selected?.proposal).toEqual({ number: 1, protocolId: 1, spi: IKE_SPI, transforms: [CHACHA, PRF512, X25519] })
    expect(selected).toMatchObject({ encr: CHACHA, prf: PRF512, integ: null, ke: X25519, esn: null })
  })

  it('takes the first acceptable proposal of the peer, not our favourite (C20)', () => {
    const selected = selectIke([ike(CBC256, SHA256, PRF256, X25519), ike(GCM256, PRF256, X25519)])
    expect(selected?.proposal.number).toBe(1)
    expect(selected).toMatchObject({ encr: CBC256, integ: SHA256 })
  })

  it('passes over a proposal that lacks a mandatory type and takes the next (C21, N05)', () => {
    for (const missing of [GCM256, PRF256, X25519]) {
      const whole = [GCM256, PRF256, X25519]
      const partial = ike(...whole.filter((transform) => transform !== missing))
      expect(selectIke([partial])).toBeNull()
      expect(selectIke([partial, ike(...whole)])?.proposal.number).toBe(2)
    }
  })

  it.each([0, 5, 6, 12, 13, 200])('passes over a proposal with transform type %i and takes the next (C21)', (type) => {
    const strange = ike(GCM256, PRF256, X25519, t(type, 1))
    expect(selectIke([strange])).toBeNull()
    expect(selectIke([strange, ike(GCM256, PRF256, X25519)])?.proposal.number).toBe(2)
  })

  it('passes over an unknown transform id and takes another of that type (C21)', () => {
    const selected = selectIke([
      ike(t(TRANSFORM_TYPE.ENCR, 999, 128), GCM128, t(TRANSFORM_TYPE.PRF, 77), PRF256, X25519),
    ])
    expect(selected?.proposal.transforms).toEqual([GCM128, PRF256, X25519])
  })

  it('passes over a transform with an attribute it does not know (C21)', () => {
    const odd = { ...GCM256, unknownAttribute: true as const }
    expect(selectIke([ike(odd, GCM128, PRF256, X25519)])?.encr).toEqual(GCM128)
    expect(selectIke([ike(odd, PRF256, X25519)])).toBeNull()
  })

  it.each<[string, Transform]>([
    ['AES without Key Length', t(TRANSFORM_TYPE.ENCR, ENCR.AES_GCM_16)],
    ['AES with a Key Length of no AES', t(TRANSFORM_TYPE.ENCR, ENCR.AES_GCM_16, 255)],
    ['ChaCha20 with a Key Length', t(TRANSFORM_TYPE.ENCR, ENCR.CHACHA20_POLY1305, 256)],
    ['a key length the policy does not have', t(TRANSFORM_TYPE.ENCR, ENCR.AES_GCM_16, 192)],
  ])('passes over %s (C23)', (_, encr) => {
    expect(selectIke([ike(encr, PRF256, X25519)])).toBeNull()
    expect(selectIke([ike(encr, GCM128, PRF256, X25519)])?.encr).toEqual(GCM128)
  })

  it('refuses an AEAD beside a real integrity transform, tolerates NONE and answers it (C24)', () => {
    expect(selectIke([ike(GCM256, PRF256, SHA256, X25519)])).toBeNull()
    expect(selectIke([ike(GCM256, PRF256, SHA256, NO_INTEG, X25519)])).toBeNull()
    const tolerated = selectIke([ike(GCM256, PRF256, NO_INTEG, X25519)])
    expect(tolerated?.integ).toBeNull()
    expect(tolerated?.proposal.transforms).toEqual([GCM256, PRF256, NO_INTEG, X25519])
  })

  it('takes the block cipher of a proposal that mixes it with an AEAD and an integrity transform (C24)', () => {
    const selected = selectIke([ike(GCM256, CBC256, PRF256, SHA256, X25519)])
    expect(selected?.proposal.transforms).toEqual([CBC256, PRF256, SHA256, X25519])
  })

  it('never takes a block cipher without a real integrity transform, whatever the policy (C25)', () => {
    const careless: readonly SuitePolicy[] = [
      { encr: [CBC256], prf: [PRF256], integ: [NO_INTEG], ke: [X25519], esn: [] },
    ]
    expect(selectIke([ike(CBC256, PRF256, X25519)])).toBeNull()
    expect(selectIke([ike(CBC256, PRF256, NO_INTEG, X25519)], {}, careless)).toBeNull()
  })

  it('never takes ENCR_NULL or no key exchange, whatever the policy (C25)', () => {
    const careless: readonly SuitePolicy[] = [
      { encr: [NULL_ENCR], prf: [PRF256], integ: [SHA256], ke: [X25519], esn: [] },
    ]
    expect(selectIke([ike(NULL_ENCR, PRF256, SHA256, X25519)], {}, careless)).toBeNull()
    const onlyKe: readonly SuitePolicy[] = [{ encr: [GCM256], prf: [PRF256], integ: [], ke: [NO_KE], esn: [] }]
    expect(selectIke([ike(GCM256, PRF256, NO_KE)], {}, onlyKe)).toBeNull()
    expect(selectIke([ike(GCM256, PRF256, NO_KE)])).toBeNull()
  })

  it.each<[string, Transform[]]>([
    ['a group below 2048 bits', [GCM256, PRF256, MODP1024]],
    ['SHA-1', [CBC256, PRF256, SHA1, X25519]],
    ['AES-192', [CBC192, PRF256, SHA256, X25519]],
    ['a group number with a meaning inside some implementation (N04)', [GCM256, PRF256, t(TRANSFORM_TYPE.KE, 1025)]],
  ])('refuses %s by default', (_, transforms) => {
    expect(selectIke([ike(...transforms)])).toBeNull()
  })

  it('wants proposals numbered from 1 (C22)', () => {
    const options = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: 31 } as const
    const good = ike(GCM256, PRF256, X25519)
    expect(selectProposal([good], defaultIkeSuites, options)).not.toBeNull()
    expect(selectProposal([{ ...good, number: 2 }], defaultIkeSuites, options)).toBeNull()
    expect(selectProposal([], defaultIkeSuites, options)).toBeNull()
  })

  it('passes over another protocol and an SPI of the wrong length (C22)', () => {
    const rekey = { ...ike(GCM256, PRF256, X25519), spi: new Uint8Array(8) }
    expect(selectIke([esp(GCM256, PRF256, X25519)])).toBeNull()
    expect(selectIke([rekey], { spiBytes: 0 })).toBeNull()
    expect(selectIke([rekey], { spiBytes: 8 })?.proposal.spi).toHaveLength(8)
  })
})

describe('choice of a key exchange', () => {
  it('takes the group of the KE payload when it is acceptable, whatever its place', () => {
    expect(selectIke([ike(GCM256, PRF256, ECP256, X25519)], { keGroupOffered: 31 })?.ke).toEqual(X25519)
    expect(selectIke([ike(GCM256, PRF256, ECP256, X25519)], { keGroupOffered: 19 })?.ke).toEqual(ECP256)
  })

  it('goes to a later proposal rather than cost a round trip', () => {
    const offered = [ike(GCM256, PRF256, ECP256), ike(GCM128, PRF256, X25519)]
    expect(selectIke(offered, { keGroupOffered: 31 })?.proposal.number).toBe(2)
    expect(selectIke(offered, { keGroupOffered: 19 })?.proposal.number).toBe(1)
  })

  it('names the group for INVALID_KE_PAYLOAD when that of the KE payload is not acceptable (C13)', () => {
    const selected = selectIke([ike(GCM256, PRF256, MODP1024, ECP256, X25519)], { keGroupOffered: 2 })
    expect(selected?.ke).toEqual(ECP256)
  })

  it('in IKE_AUTH passes over groups, and answers NONE when it was offered', () => {
    expect(selectEsp([esp(GCM256, X25519, ESN0)])?.proposal.transforms).toEqual([GCM256, ESN0])
    expect(selectEsp([esp(GCM256, X25519, NO_KE, ESN0)])?.proposal.transforms).toEqual([GCM256, NO_KE, ESN0])
    expect(selectEsp([esp(GCM256, X25519, NO_KE, ESN0)])?.ke).toBeNull()
  })

  it('in CREATE_CHILD_SA takes the group of the KE payload, or none when there is no KE payload', () => {
    const withNone = esp(GCM256, ECP256, X25519, NO_KE, ESN0)
    const optional = (keGroupOffered: number | null) => ({ kePolicy: 'optional', keGroupOffered }) as const
    expect(selectEsp([withNone], optional(31))?.ke).toEqual(X25519)
    expect(selectEsp([withNone], optional(null))?.ke).toBeNull()
    expect(selectEsp([withNone], optional(null))?.proposal.transforms).toContainEqual(NO_KE)
    expect(selectEsp([esp(GCM256, ESN0)], optional(null))?.ke).toBeNull()
    expect(selectEsp([esp(GCM256, X25519, ESN0)], optional(null))).toBeNull()
    expect(selectEsp([esp(GCM256, MODP1024, X25519, ESN0)], optional(2))?.ke).toEqual(X25519)
    expect(selectEsp([esp(GCM256, MODP1024, NO_KE, ESN0)], optional(2))?.ke).toBeNull()
    expect(selectEsp([esp(GCM256, MODP1024, ESN0)], optional(2))).toBeNull()
  })
})

describe('choice of an ESP proposal', () => {
  it('takes ESN as the peer prefers and wants one (C21)', () => {
    expect(selectEsp([esp(GCM256, ESN0, ESN1)])?.esn).toEqual(ESN0)
    expect(selectEsp([esp(GCM256, ESN1, ESN0)])?.esn).toEqual(ESN1)
    expect(selectEsp([esp(GCM256)])).toBeNull()
  })

  it('takes a block cipher only with its MAC, and no PRF', () => {
    expect(selectEsp([esp(CBC256, SHA256, ESN0)])).toMatchObject({ encr: CBC256, integ: SHA256, prf: null })
    expect(selectEsp([esp(CBC256, ESN0)])).toBeNull()
    expect(selectEsp([esp(GCM256, PRF256, ESN0)])).toBeNull()
  })

  it('passes over SPI 0 and the reserved ones (RFC 4303 2.1)', () => {
    const withSpi = (...spi: number[]): Proposal => ({ ...esp(GCM256, ESN0), spi: Uint8Array.from(spi) })
    expect(selectEsp([withSpi(0, 0, 0, 0)])).toBeNull()
    expect(selectEsp([withSpi(0, 0, 0, 255)])).toBeNull()
    expect(selectEsp([withSpi(0, 0, 0, 255), withSpi(0, 0, 1, 0)])?.proposal.number).toBe(2)
  })

  it('answers with the SPI of the peer in place, for the caller to replace', () => {
    expect(selectEsp([esp(GCM256, ESN0)])?.proposal.spi).toBe(ESP_SPI)
  })
})
