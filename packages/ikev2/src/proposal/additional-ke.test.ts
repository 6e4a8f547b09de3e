import { describe, expect, test } from 'vitest'
import type { SuitePolicy } from '../endpoint/contract.ts'
import type { Proposal, Transform } from '../message/model.ts'
import { ENCR, KE, PRF, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'
import { checkChoice, proposalsFor } from './offer.ts'
import { selectProposal } from './select.ts'

const { ML_KEM_512: K512, ML_KEM_768: K768, ML_KEM_1024: K1024, NONE, CURVE25519, ECP_256 } = KE
const NO_SPI = new Uint8Array(0)

function methods(type: number, ids: readonly number[]): Transform[] {
  return ids.map((id) => ({ type, id, keyBits: null }))
}

function policyWith(...additional: readonly (readonly number[])[]): readonly SuitePolicy[] {
  return [
    {
      encr: [{ type: TRANSFORM_TYPE.ENCR, id: ENCR.AES_GCM_16, keyBits: 256 }],
      prf: methods(TRANSFORM_TYPE.PRF, [PRF.HMAC_SHA2_256]),
      integ: [],
      ke: methods(TRANSFORM_TYPE.KE, [CURVE25519, ECP_256]),
      esn: [],
      additionalKe: additional.map((ids) => methods(TRANSFORM_TYPE.ADDKE1, ids)),
    },
  ]
}

function offer(ke: readonly number[], ...additional: readonly (readonly number[])[]): Proposal[] {
  const transforms = [
    { type: TRANSFORM_TYPE.ENCR, id: ENCR.AES_GCM_16, keyBits: 256 },
    ...methods(TRANSFORM_TYPE.PRF, [PRF.HMAC_SHA2_256]),
    ...methods(TRANSFORM_TYPE.KE, ke),
    ...additional.flatMap((ids, index) => methods(TRANSFORM_TYPE.ADDKE1 + index, ids)),
  ]
  return [{ number: 1, protocolId: PROTOCOL.IKE, spi: NO_SPI, transforms }]
}

function chosen(offered: readonly Proposal[], policy: readonly SuitePolicy[], additionalKe = true): number[] | null {
  const options = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: CURVE25519, additionalKe } as const
  return selectProposal(offered, policy, options)?.additionalKe.map(({ id }) => id) ?? null
}

describe('RFC 9370 2.2.1 additional key exchanges', () => {
  test.each([
    ['one of one', offer([CURVE25519], [K768]), policyWith([K768, NONE]), [K768]],
    ["the peer's order decides", offer([CURVE25519], [K1024, K768]), policyWith([K768, K1024]), [K1024]],
    ['a real method goes before NONE', offer([CURVE25519], [NONE, K768]), policyWith([K768, NONE]), [K768]],
    ['NONE when nothing else is common', offer([CURVE25519], [K512, NONE]), policyWith([K768, NONE]), []],
    ['nothing offered, nothing needed', offer([CURVE25519]), policyWith([K768, NONE]), []],
    ['nothing offered, but needed', offer([CURVE25519]), policyWith([K768]), null],
    ['NONE offered, but needed', offer([CURVE25519], [NONE]), policyWith([K768]), null],
    ['needed by the peer, unknown to us', offer([CURVE25519], [K768]), policyWith(), null],
    ['optional for the peer, unknown to us', offer([CURVE25519], [K768, NONE]), policyWith(), []],
    ['two in their order', offer([CURVE25519], [K768], [K1024]), policyWith([K768], [K1024]), [K768, K1024]],
    ['the second alone', offer([CURVE25519], [NONE], [K1024]), policyWith([K768, NONE], [K1024]), [K1024]],
    ['no method twice', offer([CURVE25519], [K768], [K768]), policyWith([K768], [K768]), null],
    [
      'no method twice, where there is another',
      offer([CURVE25519], [K768], [K768, K1024]),
      policyWith([K768], [K768, K1024]),
      [K768, K1024],
    ],
    [
      'an earlier choice is taken back',
      offer([CURVE25519], [K768, K1024], [K768]),
      policyWith([K768, K1024], [K768]),
      [K1024, K768],
    ],
    [
      'not the method of the first key exchange again',
      offer([CURVE25519], [CURVE25519]),
      policyWith([CURVE25519]),
      null,
    ],
  ])('%s', (_name, offered, policy, expected) => {
    expect(chosen(offered, policy)).toEqual(expected)
  })

  test('a peer that cannot do IKE_INTERMEDIATE gets NONE, or nothing where we insist', () => {
    expect(chosen(offer([CURVE25519], [K768, NONE]), policyWith([K768, NONE]), false)).toEqual([])
    expect(chosen(offer([CURVE25519], [K768]), policyWith([K768, NONE]), false)).toBeNull()
    expect(chosen(offer([CURVE25519], [K768, NONE]), policyWith([K768]), false)).toBeNull()
    expect(chosen(offer([CURVE25519]), policyWith([K768]), false)).toBeNull()
  })

  test('C21 a method with an attribute nobody knows is passed over', () => {
    const [proposal] = offer([CURVE25519], [K768, K1024])
    const transforms = proposal!.transforms.map((transform) =>
      transform.id === K768 ? { ...transform, unknownAttribute: true as const } : transform,
    )
    expect(chosen([{ ...proposal!, transforms }], policyWith([K768, K1024]))).toEqual([K1024])
  })

  test('the answer names one transform of each type offered, NONE too', () => {
    const options = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: CURVE25519 } as const
    const selected = selectProposal(offer([CURVE25519], [K768], [NONE]), policyWith([K768]), options)
    expect(selected?.proposal.transforms.map(({ type, id }) => [type, id]).slice(2)).toEqual([
      [TRANSFORM_TYPE.KE, CURVE25519],
      [TRANSFORM_TYPE.ADDKE1, K768],
      [TRANSFORM_TYPE.ADDKE2, NONE],
    ])
  })

  test('C16 N16 many methods of many types cost little', () => {
    const ids = Array.from({ length: 140 }, (_, index) => (index % 3) + K512)
    const seven = Array.from({ length: 7 }, () => ids)
    const policy = policyWith(...Array.from({ length: 7 }, () => [K512, K768, K1024]))
    expect(chosen(offer([CURVE25519], ...seven), policy)).toBeNull()
  })
})

describe('offering additional key exchanges', () => {
  const options = { kePolicy: 'required', keGroupFirst: CURVE25519 } as const
  const check = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: CURVE25519 } as const

  test('is one proposal with and one without, for who does not know them', () => {
    const offered = proposalsFor(policyWith([K768, NONE]), PROTOCOL.IKE, NO_SPI, options)
    expect(offered.map(({ number, transforms }) => [number, transforms.some(({ type }) => type >= 6)])).toEqual([
      [1, true],
      [2, false],
    ])
  })

  test('is one proposal where we insist', () => {
    expect(proposalsFor(policyWith([K768]), PROTOCOL.IKE, NO_SPI, options)).toHaveLength(1)
    expect(
      proposalsFor(policyWith([K768, NONE]), PROTOCOL.IKE, NO_SPI, { ...options, additionalKe: false }),
    ).toHaveLength(1)
  })

  test.each([
    ['as offered', 1, [K768], true],
    ['NONE', 1, [NONE], true],
    ['left out of the proposal that offers it', 1, [], true],
    ['left out of the proposal without it', 2, [], true],
    ['added to the proposal without it', 2, [K768], false],
    ['of a method not offered', 1, [K1024], false],
    ['twice', 1, [K768, K768], false],
    ['the first method again', 1, [CURVE25519], false],
  ] as const)('an answer %s', (_name, number, ids, isGood) => {
    const policy = policyWith([K768, NONE])
    const offered = proposalsFor(policy, PROTOCOL.IKE, NO_SPI, options)
    const [answer] = offer([CURVE25519])
    const transforms = [...answer!.transforms, ...methods(TRANSFORM_TYPE.ADDKE1, ids)]
    expect(checkChoice(policy, offered, [{ ...answer!, number, transforms }], check) !== null).toBe(isGood)
  })
})
