/** What devices offer out of the box, and the tier in which each is taken. */
import { nobleProvider, opensslProvider } from '@culvert/crypto'
import { describe, expect, test } from 'vitest'
import type { TierName } from '../endpoint/contract.ts'
import type { Proposal, Transform } from '../message/model.ts'
import { ENCR, ESN, INTEG, KE, PRF, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'
import { nearestMatch } from './nearest-match.ts'
import { selectProposal } from './select.ts'
import { proposalTiers } from './tiers.ts'

interface Parts {
  readonly encr?: readonly (readonly [id: number, keyBits: number | null])[]
  readonly prf?: readonly number[]
  readonly integ?: readonly number[]
  readonly ke?: readonly number[]
  readonly addKe?: readonly number[]
  readonly esn?: readonly number[]
}

function ofType(type: number, ids: readonly number[] = []): Transform[] {
  return ids.map((id) => ({ type, id, keyBits: null }))
}

function proposal(number: number, protocolId: number, parts: Parts): Proposal {
  const encr = (parts.encr ?? []).map(([id, keyBits]) => ({ type: TRANSFORM_TYPE.ENCR, id, keyBits }))
  const transforms = [
    ...encr,
    ...ofType(TRANSFORM_TYPE.PRF, parts.prf),
    ...ofType(TRANSFORM_TYPE.INTEG, parts.integ),
    ...ofType(TRANSFORM_TYPE.KE, parts.ke),
    ...ofType(TRANSFORM_TYPE.ADDKE1, parts.addKe),
    ...ofType(TRANSFORM_TYPE.ESN, parts.esn),
  ]
  const spi = protocolId === PROTOCOL.IKE ? new Uint8Array(0) : Uint8Array.of(0xc0, 1, 2, 3)
  return { number, protocolId, spi, transforms }
}

const { IKE, ESP } = PROTOCOL
const GCM = [[ENCR.AES_GCM_16, 256]] as const
const CBC_256 = [[ENCR.AES_CBC, 256]] as const
const CBC_128 = [[ENCR.AES_CBC, 128]] as const
const TRIPLE_DES = [[ENCR.TRIPLE_DES, null]] as const
const { HMAC_SHA2_256, HMAC_SHA2_384, HMAC_SHA1 } = PRF
const { HMAC_SHA2_256_128, HMAC_SHA1_96 } = INTEG

function ike(...parts: readonly Parts[]): Proposal[] {
  return parts.map((part, index) => proposal(index + 1, IKE, part))
}

function esp(...parts: readonly Parts[]): Proposal[] {
  return parts.map((part, index) => proposal(index + 1, ESP, { esn: [ESN.NO], ...part }))
}

const SHA1_SUITE = { prf: [HMAC_SHA1], integ: [HMAC_SHA1_96] }
const SHA2_SUITE = { prf: [HMAC_SHA2_256], integ: [HMAC_SHA2_256_128] }

/** Name, IKE proposals, group of the KE payload, tier, chosen group. */
const IKE_OFFERS: readonly (readonly [string, readonly Proposal[], number, TierName, number])[] = [
  [
    'strongSwan with CBC first and GCM second',
    ike(
      { encr: CBC_256, ...SHA2_SUITE, ke: [KE.ECP_256, KE.CURVE25519] },
      { encr: GCM, prf: [HMAC_SHA2_256], ke: [KE.ECP_256] },
    ),
    KE.ECP_256,
    'modern',
    KE.ECP_256,
  ],
  [
    'strongSwan 6 with ML-KEM',
    ike({ encr: GCM, prf: [HMAC_SHA2_384], ke: [KE.CURVE25519], addKe: [KE.ML_KEM_768] }),
    KE.CURVE25519,
    'modern',
    KE.CURVE25519,
  ],
  [
    'GCM with MODP',
    ike({ encr: GCM, prf: [HMAC_SHA2_256], ke: [KE.MODP_2048] }),
    KE.MODP_2048,
    'standard',
    KE.MODP_2048,
  ],
  ['macOS', ike({ encr: CBC_256, ...SHA2_SUITE, ke: [KE.MODP_2048] }), KE.MODP_2048, 'standard', KE.MODP_2048],
  [
    'iOS',
    ike(
      { encr: CBC_256, ...SHA2_SUITE, ke: [KE.MODP_2048] },
      { encr: CBC_256, ...SHA2_SUITE, ke: [KE.ECP_256] },
      { encr: CBC_128, ...SHA1_SUITE, ke: [KE.MODP_1024] },
      { encr: TRIPLE_DES, ...SHA1_SUITE, ke: [KE.MODP_1024] },
    ),
    KE.MODP_2048,
    'standard',
    KE.MODP_2048,
  ],
  [
    'Android, whose first group costs most',
    ike(
      {
        encr: [
          [ENCR.AES_CTR, 256],
          [ENCR.AES_CBC, 256],
        ],
        ...SHA2_SUITE,
        ke: [KE.MODP_4096, KE.CURVE25519, KE.MODP_2048],
      },
      { encr: [[ENCR.CHACHA20_POLY1305, null], ...GCM], prf: [HMAC_SHA2_256], ke: [KE.MODP_4096, KE.CURVE25519] },
    ),
    KE.MODP_4096,
    'modern',
    KE.CURVE25519,
  ],
  [
    'Windows as it comes',
    ike({ encr: TRIPLE_DES, ...SHA1_SUITE, ke: [KE.MODP_1024] }, { encr: CBC_256, ...SHA1_SUITE, ke: [KE.MODP_1024] }),
    KE.MODP_1024,
    'compat',
    KE.MODP_1024,
  ],
  [
    'RouterOS as it comes',
    ike({ encr: [...CBC_128, ...TRIPLE_DES], ...SHA1_SUITE, ke: [KE.MODP_2048, KE.MODP_1024] }),
    KE.MODP_2048,
    'compat',
    KE.MODP_2048,
  ],
]

/** Name, ESP proposals, tier. */
const ESP_OFFERS: readonly (readonly [string, readonly Proposal[], TierName])[] = [
  ['GCM', esp({ encr: GCM }), 'modern'],
  ['GCM with NONE as group', esp({ encr: GCM, ke: [KE.NONE] }), 'modern'],
  ['macOS, never a group', esp({ encr: CBC_256, integ: [HMAC_SHA2_256_128] }), 'standard'],
  ['GCM with a short ICV alone', esp({ encr: [[ENCR.AES_GCM_8, 256]] }), 'compat'],
  ['Windows and RouterOS', esp({ encr: CBC_256, integ: [HMAC_SHA1_96] }), 'compat'],
]

function choose(
  offered: readonly Proposal[],
  keGroupOffered: number | null,
): { tier: TierName; ke: number | null } | null {
  for (const tier of proposalTiers) {
    const isIke = offered[0]?.protocolId === IKE
    const policy = isIke ? tier.ike : tier.esp
    const kePolicy = isIke ? 'required' : 'optional'
    const protocolId = isIke ? IKE : ESP
    const selected = selectProposal(offered, policy, { protocolId, keGroupOffered, kePolicy })
    if (selected !== null) return { tier: tier.name, ke: selected.ke?.id ?? null }
  }
  return null
}

test.each(IKE_OFFERS)('C20 %s: IKE SA', (_name, offered, keGroup, tier, ke) => {
  expect(choose(offered, keGroup)).toEqual({ tier, ke })
})

test.each(ESP_OFFERS)('C20 %s: Child SA', (_name, offered, tier) => {
  expect(choose(offered, null)).toEqual({ tier, ke: null })
})

test('a Child SA rekey with the group of RouterOS is taken in compat only', () => {
  const offered = esp({ encr: CBC_256, integ: [HMAC_SHA1_96], ke: [KE.MODP_1024] })
  expect(choose(offered, KE.MODP_1024)).toEqual({ tier: 'compat', ke: KE.MODP_1024 })
})

test('inside a tier a choice without INVALID_KE_PAYLOAD goes first', () => {
  const offered = ike({ encr: GCM, prf: [HMAC_SHA2_256], ke: [KE.CURVE25519, KE.ECP_384] })
  expect(choose(offered, KE.ECP_384)).toEqual({ tier: 'modern', ke: KE.ECP_384 })
})

describe.each([opensslProvider, nobleProvider])('the $name provider', (provider) => {
  test.each(proposalTiers.map((tier) => [tier.name, tier] as const))(
    'has every transform of tier %s',
    (_name, tier) => {
      for (const suite of [...tier.ike, ...tier.esp]) {
        for (const { id, keyBits } of suite.encr) expect(provider.cipher(id, keyBits)).not.toBeNull()
        for (const { id } of suite.prf) expect(provider.prf(id)).not.toBeNull()
        for (const { id } of suite.integ) expect(provider.integrity(id)).not.toBeNull()
        const methods = [...suite.ke, ...(suite.additionalKe ?? []).flat()]
        for (const { id } of methods) if (id !== KE.NONE) expect(provider.keyExchange(id)).not.toBeNull()
      }
    },
  )
})

describe('nearest match', () => {
  test.each([
    [
      'a group nobody takes',
      ike({ encr: GCM, prf: [HMAC_SHA2_256], ke: [KE.MODP_768] }),
      'modern',
      [TRANSFORM_TYPE.KE],
    ],
    ['3DES alone', ike({ encr: TRIPLE_DES, ...SHA1_SUITE, ke: [KE.MODP_1024] }), 'compat', [TRANSFORM_TYPE.ENCR]],
    [
      'MD5',
      ike({ encr: CBC_256, prf: [PRF.HMAC_MD5], integ: [INTEG.HMAC_MD5_96], ke: [KE.MODP_2048] }),
      'standard',
      [TRANSFORM_TYPE.PRF, TRANSFORM_TYPE.INTEG],
    ],
    ['no group at all', ike({ encr: GCM, prf: [HMAC_SHA2_256] }), 'modern', [TRANSFORM_TYPE.KE]],
    ['an AEAD with a MAC', ike({ encr: GCM, ...SHA2_SUITE, ke: [KE.CURVE25519] }), 'modern', [TRANSFORM_TYPE.INTEG]],
    ['ESP without ESN', esp({ encr: GCM, esn: [] }), 'modern', [TRANSFORM_TYPE.ESN]],
    [
      'an additional method nobody takes',
      ike({ encr: GCM, prf: [HMAC_SHA2_256], ke: [KE.CURVE25519], addKe: [KE.MODP_768] }),
      'modern',
      [TRANSFORM_TYPE.ADDKE1],
    ],
    [
      'an unknown transform type',
      [
        {
          ...ike({ encr: GCM, prf: [HMAC_SHA2_256], ke: [KE.CURVE25519] })[0]!,
          transforms: [
            ...ike({ encr: GCM, prf: [HMAC_SHA2_256], ke: [KE.CURVE25519] })[0]!.transforms,
            { type: 99, id: 1, keyBits: null },
          ],
        },
      ],
      'modern',
      [99],
    ],
  ] as const)('%s', (_name, offered, tier, types) => {
    const match = nearestMatch(offered, proposalTiers)
    expect(match?.tier).toBe(tier)
    expect(match?.differences.map(({ type }) => type)).toEqual(types)
  })

  test('names both sides of a difference, and the proposal that comes closest', () => {
    const offered = ike(
      { encr: TRIPLE_DES, ...SHA1_SUITE, ke: [KE.MODP_768] },
      { encr: CBC_256, ...SHA2_SUITE, ke: [KE.MODP_768] },
    )
    const match = nearestMatch(offered, proposalTiers)
    expect(match?.proposalNumber).toBe(2)
    expect(match?.differences[0]?.offered.map(({ id }) => id)).toEqual([KE.MODP_768])
    expect(match?.differences[0]?.accepted.map(({ id }) => id)).toContain(KE.MODP_2048)
  })

  test('tells without differences when only the tier was not allowed', () => {
    const offered = ike({ encr: CBC_256, ...SHA1_SUITE, ke: [KE.MODP_1024] })
    expect(nearestMatch(offered, proposalTiers)).toEqual({ tier: 'compat', proposalNumber: 1, differences: [] })
    const [modern, standard] = proposalTiers
    expect(nearestMatch(offered, [modern!, standard!])?.differences.length).toBeGreaterThan(0)
  })

  test('has nothing to say about nothing', () => {
    expect(nearestMatch([], proposalTiers)).toBeNull()
    expect(nearestMatch([proposal(1, PROTOCOL.AH, {})], proposalTiers)).toBeNull()
  })
})

test('no tier takes ENCR_NULL for a Child SA, or AH; only a policy that names them does (C25)', () => {
  const offered = proposal(1, PROTOCOL.ESP, {
    encr: [[ENCR.NULL, null]],
    integ: [INTEG.HMAC_SHA2_256_128],
    esn: [ESN.NO],
  })
  const options = { protocolId: PROTOCOL.ESP, kePolicy: 'absent' } as const
  for (const { esp, ah } of proposalTiers) {
    expect(selectProposal([offered], esp, options)).toBeNull()
    expect(ah).toBeUndefined()
  }
  const encr = [{ type: TRANSFORM_TYPE.ENCR, id: ENCR.NULL, keyBits: null }]
  const integ = ofType(TRANSFORM_TYPE.INTEG, [INTEG.HMAC_SHA2_256_128])
  const named = { encr, prf: [], integ, ke: [], esn: ofType(TRANSFORM_TYPE.ESN, [ESN.NO]) }
  expect(selectProposal([offered], [named], options)?.encr?.id).toBe(ENCR.NULL)
  const bare = proposal(1, PROTOCOL.ESP, { encr: [[ENCR.NULL, null]], esn: [ESN.NO] })
  expect(selectProposal([bare], [named], options)).toBeNull()
})
