import { nobleProvider, opensslProvider } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import type { Proposal } from '../message/model.ts'
import { KE, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'
import { defaultEspSuites, defaultIkeSuites } from './default-suites.ts'
import { checkChoice, proposalsFor } from './offer.ts'
import { selectProposal } from './select.ts'

const NO_SPI = new Uint8Array(0)
const SPI = Uint8Array.of(0xc0, 0, 0, 1)
const THEIR_SPI = Uint8Array.of(0xd0, 0, 0, 2)

const ikeOptions = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: 31 } as const
const espOptions = { protocolId: PROTOCOL.ESP, kePolicy: 'absent' } as const

describe('offers', () => {
  it('are one proposal for each suite, numbered from 1 (C22)', () => {
    const offered = proposalsFor(defaultIkeSuites, PROTOCOL.IKE, NO_SPI, { kePolicy: 'required' })
    expect(offered.map(({ number, protocolId, spi }) => [number, protocolId, spi.length])).toEqual([
      [1, 1, 0],
      [2, 1, 0],
    ])
    expect(typesOf(offered[0])).toEqual([1, 2, 4])
    expect(typesOf(offered[1])).toEqual([1, 2, 3, 4])
  })

  it('name the group of our KE payload first', () => {
    const [first] = proposalsFor(defaultIkeSuites, PROTOCOL.IKE, NO_SPI, { kePolicy: 'required', keGroupFirst: 14 })
    expect(first?.transforms.find(({ type }) => type === TRANSFORM_TYPE.KE)?.id).toBe(14)
    expect(first?.transforms.filter(({ type, id }) => type === TRANSFORM_TYPE.KE && id === 14)).toHaveLength(1)
  })

  it('for ESP leave the key exchange out, or offer it beside NONE', () => {
    const absent = proposalsFor(defaultEspSuites, PROTOCOL.ESP, SPI, { kePolicy: 'absent' })
    expect(absent.map(typesOf)).toEqual([
      [1, 5],
      [1, 3, 5],
    ])
    const [optional] = proposalsFor(defaultEspSuites, PROTOCOL.ESP, SPI, { kePolicy: 'optional' })
    const groups = optional?.transforms.filter(({ type }) => type === TRANSFORM_TYPE.KE).map(({ id }) => id)
    expect(groups?.at(0)).toBe(KE.CURVE25519)
    expect(groups?.at(-1)).toBe(KE.NONE)
  })

  it('are acceptable to ourselves, and the choice passes the check', () => {
    const offered = proposalsFor(defaultIkeSuites, PROTOCOL.IKE, NO_SPI, { kePolicy: 'required', keGroupFirst: 31 })
    const chosen = selectProposal(offered, defaultIkeSuites, ikeOptions)
    expect(chosen).not.toBeNull()
    const checked = checkChoice(defaultIkeSuites, offered, [chosen!.proposal], ikeOptions)
    expect(checked).toEqual(chosen)
  })

  it.each([opensslProvider, nobleProvider])('hold only what the $name provider can do (N05)', (provider) => {
    for (const suite of [...defaultIkeSuites, ...defaultEspSuites]) {
      for (const { id, keyBits } of suite.encr) expect(provider.cipher(id, keyBits)).not.toBeNull()
      for (const { id } of suite.prf) expect(provider.prf(id)).not.toBeNull()
      for (const { id } of suite.integ) expect(provider.integrity(id)).not.toBeNull()
      for (const { id } of suite.ke) expect(provider.keyExchange(id)).not.toBeNull()
    }
  })
})

describe("the responder's choice", () => {
  const offered = proposalsFor(defaultEspSuites, PROTOCOL.ESP, SPI, { kePolicy: 'absent' })
  const [gcm, esn] = [offered[0]!.transforms[0]!, offered[0]!.transforms.at(-1)!]
  const answer = (...transforms: Proposal['transforms'][number][]): Proposal => ({
    number: 1,
    protocolId: PROTOCOL.ESP,
    spi: THEIR_SPI,
    transforms,
  })

  it('is taken when it is one of each type under a number we gave, with their SPI', () => {
    const selected = checkChoice(defaultEspSuites, offered, [answer(gcm, esn)], espOptions)
    expect(selected).toMatchObject({ encr: gcm, esn, integ: null, proposal: { spi: THEIR_SPI } })
  })

  it.each<[string, readonly Proposal[]]>([
    ['nothing', []],
    ['two proposals', [answer(gcm, esn), { ...answer(gcm, esn), number: 2 }]],
    ['a number we did not give', [{ ...answer(gcm, esn), number: 3 }]],
    ['a transform of another proposal', [{ ...answer(gcm, esn), number: 2 }]],
    ['a transform we did not offer', [answer({ ...gcm, keyBits: 192 }, esn)]],
    ['two transforms of one type', [answer(gcm, offered[0]!.transforms[1]!, esn)]],
    ['a missing type', [answer(gcm)]],
    ['an unknown attribute', [answer({ ...gcm, unknownAttribute: true }, esn)]],
    ['another protocol', [{ ...answer(gcm, esn), protocolId: PROTOCOL.AH }]],
    ['a type we did not offer', [answer(gcm, esn, { type: TRANSFORM_TYPE.KE, id: 31, keyBits: null })]],
  ])('is refused when it is %s', (_, answered) => {
    expect(checkChoice(defaultEspSuites, offered, answered, espOptions)).toBeNull()
  })

  it('may leave a key exchange out when NONE was offered', () => {
    const withNone = proposalsFor(defaultEspSuites, PROTOCOL.ESP, SPI, { kePolicy: 'optional' })
    const optional = { protocolId: PROTOCOL.ESP, kePolicy: 'optional', keGroupOffered: 31 } as const
    expect(checkChoice(defaultEspSuites, withNone, [answer(gcm, esn)], optional)?.ke).toBeNull()
  })
})

function typesOf(proposal: Proposal | undefined): readonly number[] {
  return [...new Set(proposal?.transforms.map(({ type }) => type))]
}
