/**
 * Tiers of proposals: which one a peer lands in, what its credential allows, and what people are told when nothing fits.
 */
import {
  type Answer,
  compatTier,
  defaultEspSuites,
  defaultIkeSuites,
  KE,
  modernTier,
  nearestMatch,
  NOTIFY,
  type ProposalPolicy,
  proposalTiers,
  type Question,
  standardTier,
  type SuitePolicy,
  type TierName,
} from '@culvert/ikev2'
import { describe, expect, test } from 'vitest'
import type { Node, Overrides } from './node.ts'
import { createPair, grantEverything, initiate, type Pair, PSK } from './pair.ts'

const TIERED: Overrides = { tiers: proposalTiers }

/** A device that can do only the weak end of one suite of a tier. */
const OLD: ProposalPolicy = { ike: weakest(compatTier.ike.slice(0, 1)), esp: weakest(compatTier.esp) }
const OLDEST: ProposalPolicy = { ...OLD, ike: weakest(compatTier.ike) }
const APPLE: ProposalPolicy = { ike: weakest(standardTier.ike), esp: weakest(standardTier.esp) }
const MODERN: ProposalPolicy = { ike: modernTier.ike, esp: modernTier.esp }

function weakest(suites: readonly SuitePolicy[]): readonly SuitePolicy[] {
  const suite = suites.at(-1)
  if (suite === undefined) return []
  const last = <T>(items: readonly T[]): readonly T[] => items.slice(-1)
  return [
    {
      ...suite,
      encr: last(suite.encr),
      prf: last(suite.prf),
      integ: last(suite.integ),
      ke: last(suite.ke),
      additionalKe: [],
    },
  ]
}

function allow(...tiers: readonly TierName[]): (question: Question) => Answer {
  return (question) => {
    const answer = grantEverything(question)
    if (answer.kind !== 'credential' || answer.found === null) return answer
    return { kind: 'credential', found: { ...answer.found, tiers } }
  }
}

function dial(proposals: ProposalPolicy, answerTo = grantEverything, accept: readonly TierName[] | null = null): Pair {
  const pair = createPair({ device: { proposals }, concentrator: TIERED })
  pair.concentrator.answerTo = answerTo
  if (accept !== null) pair.concentrator.command({ kind: 'acceptTiers', names: accept })
  initiate(pair)
  pair.network.run(20_000)
  return pair
}

function tierOf(node: Node): TierName | null | undefined {
  return node.eventsOf('established')[0]?.ike.tier
}

describe('a peer lands in the best tier that has what it offers', () => {
  test.each([
    ['a modern device', MODERN, 'modern'],
    ['our own default offer', { ike: defaultIkeSuites, esp: defaultEspSuites }, 'modern'],
    ['a device that knows AES-CBC and MODP', APPLE, 'standard'],
    ['old firmware', OLD, 'compat'],
  ] as const)('%s: %s', (_name, proposals, tier) => {
    const pair = dial(proposals)
    expect(tierOf(pair.concentrator)).toBe(tier)
    expect(tierOf(pair.device)).toBeNull()
    expect(pair.device.child.keys.inboundKey).toEqual(pair.concentrator.child.keys.outboundKey)
  })

  test('the weak end is what it says: MODP 1024 and SHA-1', () => {
    const [event] = dial(OLDEST).concentrator.eventsOf('established')
    expect([event?.ike.ke.id, event?.ike.integ?.id, event?.ike.prf.id]).toEqual([KE.MODP_1024, 2, 2])
  })
})

describe('what a credential allows', () => {
  test.each(['device', 'concentrator'] as const)('rekeys stay within it, started by the %s', (starter) => {
    const pair = dial(OLD, allow('compat'))
    const { network } = pair
    for (const kind of ['rekeyIke', 'rekeyChild', 'rekeyIke'] as const) {
      const { key } = pair[starter]
      const { spiIn } = pair[starter].child
      pair[starter].command(kind === 'rekeyIke' ? { kind, key } : { kind, key, spiIn })
      network.run(5_000)
    }
    expect(pair.concentrator.eventsOf('ikeRekeyed').map(({ ike }) => [ike.tier, ike.ke.id])).toEqual([
      ['compat', KE.MODP_1024],
      ['compat', KE.MODP_1024],
    ])
    expect(pair.concentrator.eventsOf('childRekeyed')).toHaveLength(1)
    expect(pair.device.child.keys.inboundKey).toEqual(pair.concentrator.child.keys.outboundKey)
  })

  test('C26 another tier is refused with a protected NO_PROPOSAL_CHOSEN, once the peer has proven itself', () => {
    const pair = dial(OLD, allow('modern', 'standard'))
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(NO_PROPOSAL_CHOSEN)}')
    expect(pair.concentrator.eventsOf('established')).toEqual([])
    const [failure] = pair.concentrator.eventsOf('attemptFailed')
    expect(failure).toMatchObject({ stage: 'auth', reason: 'noProposal', subject: 'dev.test' })
    expect(nearestMatch(failure?.offered ?? [], proposalTiers)).toMatchObject({ tier: 'compat', differences: [] })
    expect(pair.concentrator.questions.filter(({ kind }) => kind === 'attach')).toEqual([])
  })

  test('N26 without the secret the tier is not told', () => {
    const pair = createPair({ device: { proposals: OLD }, concentrator: TIERED })
    pair.concentrator.answerTo = allow('modern')
    initiate(pair, { proof: { kind: 'psk', secret: PSK.slice(1) } })
    pair.network.run(20_000)
    expect(pair.transcript.take().at(-1)).toBe('con: IKE_AUTH response 1, SK {N(AUTHENTICATION_FAILED)}')
  })

  test('a Child SA is chosen within it too, and people hear of what was refused', () => {
    const mixed = { ike: MODERN.ike, esp: OLD.esp }
    const pair = dial(mixed, allow('modern'))
    expect(tierOf(pair.concentrator)).toBe('modern')
    expect(pair.concentrator.children.size).toBe(0)
    const [refused] = pair.concentrator.eventsOf('childRefused')
    expect(refused?.notify).toBe(NOTIFY.NO_PROPOSAL_CHOSEN)
    expect(nearestMatch(refused?.offered ?? [], [modernTier])?.differences.map(({ type }) => type)).toEqual([1, 3])
    expect(dial(mixed, allow('modern', 'compat')).concentrator.children.size).toBe(1)
  })
})

describe('what anybody may use', () => {
  test('C26 a tier nobody may use is not accepted in IKE_SA_INIT', () => {
    const pair = dial(OLD, grantEverything, ['modern', 'standard'])
    expect(pair.transcript.take().slice(0, 2)).toEqual([
      expect.stringMatching(/^dev: IKE_SA_INIT request 0/),
      'con: IKE_SA_INIT response 0, N(NO_PROPOSAL_CHOSEN)',
    ])
    expect(pair.concentrator.eventsOf('attemptFailed')[0]).toMatchObject({ stage: 'init', reason: 'noProposal' })
  })

  test('acceptTiers counts for newcomers from now on', () => {
    const pair = dial(OLD, grantEverything, ['modern'])
    pair.concentrator.command({ kind: 'acceptTiers', names: ['modern', 'compat'] })
    initiate(pair)
    pair.network.run(5_000)
    expect(tierOf(pair.concentrator)).toBe('compat')
  })
})

test('what was offered is told to people as a copy, within a budget, and the rest is counted', () => {
  const pair = createPair({ device: { proposals: OLD }, concentrator: TIERED })
  const { concentrator, network } = pair
  concentrator.command({ kind: 'acceptTiers', names: ['modern'] })
  for (let attempt = 0; attempt < 40; attempt += 1) initiate(pair)
  network.run(100)
  const burst = concentrator.eventsOf('attemptFailed')
  expect(burst.length).toBeLessThanOrEqual(12)
  expect(burst[0]?.offered?.[0]?.transforms.map(({ id }) => id)).toContain(KE.MODP_1024)
  network.run(60_000)
  initiate(pair)
  network.run(100)
  expect(concentrator.eventsOf('attemptFailed').at(-1)?.detail).toMatch(/\d+ more were not reported/)
})

test('a Child SA whose peer made no key exchange is rekeyed without one', () => {
  const pair = dial(MODERN)
  pair.transcript.take()
  const { key, child } = pair.concentrator
  pair.concentrator.command({ kind: 'rekeyChild', key, spiIn: child.spiIn })
  pair.network.run(1_000)
  expect(pair.transcript.take().slice(0, 2)).toEqual([
    'con: CREATE_CHILD_SA request 0, SK {N(REKEY_SA), SA, N, TSi, TSr}',
    'dev: CREATE_CHILD_SA response 0, SK {SA, N, TSi, TSr}',
  ])
})

test('a Child SA whose peer made a key exchange is rekeyed with the same', () => {
  const pair = dial({ ike: MODERN.ike, esp: APPLE.esp })
  pair.device.command({ kind: 'rekeyChild', key: pair.device.key, spiIn: pair.device.child.spiIn })
  pair.network.run(1_000)
  pair.transcript.take()
  const { key, child } = pair.concentrator
  pair.concentrator.command({ kind: 'rekeyChild', key, spiIn: child.spiIn })
  pair.network.run(1_000)
  expect(pair.transcript.take().slice(0, 2)).toEqual([
    'con: CREATE_CHILD_SA request 0, SK {N(REKEY_SA), SA, N, KE, TSi, TSr}',
    'dev: CREATE_CHILD_SA response 0, SK {SA, N, KE, TSi, TSr}',
  ])
})
