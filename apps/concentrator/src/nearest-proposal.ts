/** What a peer offered beside what is taken here, in words of people. Nothing is decided by it. */
import { transformText } from '@culvert/concentrator-core'
import type { NearestProposal } from '@culvert/db'
import { nearestMatch, proposalTiers, type Proposal, type TierName } from '@culvert/ikev2'

const TYPES = [
  'ENCR',
  'PRF',
  'INTEG',
  'KE',
  'ESN',
  'ADDKE1',
  'ADDKE2',
  'ADDKE3',
  'ADDKE4',
  'ADDKE5',
  'ADDKE6',
  'ADDKE7',
]
const MOST_NAMES = 32

/**
 * @param allowed tiers to compare with
 * @returns null when there is nothing to compare
 */
export function nearestProposal(offered: readonly Proposal[], allowed: readonly TierName[]): NearestProposal | null {
  const tiers = proposalTiers.filter(({ name }) => allowed.includes(name))
  const nearest = nearestMatch(offered, tiers)
  return (
    nearest && {
      tier: nearest.tier,
      proposal: nearest.proposalNumber,
      differsIn: nearest.differences.map(({ type, offered: theirs, accepted }) => ({
        type: TYPES[type - 1] ?? `TYPE_${type}`,
        offered: theirs.slice(0, MOST_NAMES).map(transformText),
        accepted: accepted.map(transformText),
      })),
    }
  )
}

/** The best tier in which it could have been taken, allowed or not; null for none. */
export function matchingTier(offered: readonly Proposal[]): TierName | null {
  const nearest = nearestMatch(offered, proposalTiers)
  return nearest?.differences.length === 0 ? nearest.tier : null
}
