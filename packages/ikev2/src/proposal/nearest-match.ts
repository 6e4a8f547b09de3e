/**
 * For people who stare at NO_PROPOSAL_CHOSEN: which of our suites comes closest to what a peer offered, and what differs.
 *
 * Nothing here decides anything; the peer never sees it.
 */
import type { SuitePolicy, TierName } from '../endpoint/contract.ts'
import type { Proposal, Transform } from '../message/model.ts'
import { INTEG, KE, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'
import type { NamedPolicy } from './peer-policy.ts'
import { ADDITIONAL_KE_TYPES, isAead, sameTransform, typesOf } from './transform.ts'

/** One transform type in which a proposal and a suite have nothing in common. */
export interface ProposalDifference {
  readonly type: number
  /** What the peer offered of this type; empty when it left it out. */
  readonly offered: readonly Transform[]
  /** What the suite takes; empty when it takes none of this type. */
  readonly accepted: readonly Transform[]
}

export interface NearestMatch {
  /** Null when no tiers are configured. */
  readonly tier: TierName | null
  /** Number of the peer's proposal that comes closest. */
  readonly proposalNumber: number
  /** Empty when the proposal could have been taken in this tier: then the tier was not allowed. */
  readonly differences: readonly ProposalDifference[]
}

/**
 * @param offered proposals of one SA payload, for IKE or for ESP.
 * @param tiers best first; of two that are equally close the better one is named, and the peer's earlier proposal.
 * @returns null when there is nothing to compare.
 */
export function nearestMatch(offered: readonly Proposal[], tiers: readonly NamedPolicy[]): NearestMatch | null {
  let nearest: NearestMatch | null = null
  for (const { name, ike, esp } of tiers) {
    for (const proposal of offered) {
      if (proposal.protocolId !== PROTOCOL.IKE && proposal.protocolId !== PROTOCOL.ESP) continue
      for (const suite of proposal.protocolId === PROTOCOL.IKE ? ike : esp) {
        const differences = differencesBetween(proposal, suite)
        if (nearest === null || differences.length < nearest.differences.length) {
          nearest = { tier: name, proposalNumber: proposal.number, differences }
        }
      }
    }
  }
  return nearest
}

function differencesBetween(proposal: Proposal, suite: SuitePolicy): readonly ProposalDifference[] {
  const known = typesOf(proposal.protocolId)
  const differences = known.flatMap((type) => differenceIn(proposal, suite, type))
  const unknown = proposal.transforms.filter(({ type }) => !known.includes(type))
  const types = [...new Set(unknown.map(({ type }) => type))]
  const foreign = types.map((type) => ({ type, offered: ofType(proposal, type), accepted: [] }))
  return [...differences, ...foreign]
}

function differenceIn(proposal: Proposal, suite: SuitePolicy, type: number): readonly ProposalDifference[] {
  const offered = ofType(proposal, type)
  const accepted = acceptedBy(suite, type)
  const isCommon = offered.some((transform) => accepted.some((other) => sameTransform(transform, other)))
  if (isCommon || mayLack(proposal, type, { offered, accepted })) return []
  return [{ type, offered, accepted }]
}

interface Sides {
  readonly offered: readonly Transform[]
  readonly accepted: readonly Transform[]
}

/** Whether it does no harm that they have nothing in common. */
function mayLack({ protocolId }: Proposal, type: number, { offered, accepted }: Sides): boolean {
  if (offered.length === 0 && accepted.length === 0) return true
  const offersNone = offered.length === 0 || offered.some(({ id }) => id === KE.NONE)
  if (type === TRANSFORM_TYPE.INTEG) {
    return accepted.length === 0 && offered.every(({ id }) => id === INTEG.NONE)
  }
  if (type === TRANSFORM_TYPE.KE) return protocolId !== PROTOCOL.IKE && offersNone
  const mayBeWithout = accepted.length === 0 || accepted.some(({ id }) => id === KE.NONE)
  return ADDITIONAL_KE_TYPES.includes(type) && offersNone && mayBeWithout
}

/** Transforms of one type that a suite takes, in the form in which a peer would offer them. */
function acceptedBy(suite: SuitePolicy, type: number): readonly Transform[] {
  switch (type) {
    case TRANSFORM_TYPE.ENCR:
      return suite.encr
    case TRANSFORM_TYPE.PRF:
      return suite.prf
    case TRANSFORM_TYPE.INTEG:
      return suite.encr.every((encr) => isAead(encr)) ? [] : suite.integ
    case TRANSFORM_TYPE.KE:
      return suite.ke
    case TRANSFORM_TYPE.ESN:
      return suite.esn
    default: {
      const methods = suite.additionalKe?.[ADDITIONAL_KE_TYPES.indexOf(type)] ?? []
      return methods.map((transform) => ({ ...transform, type }))
    }
  }
}

function ofType({ transforms }: Proposal, type: number): readonly Transform[] {
  return transforms.filter((transform) => transform.type === type)
}
