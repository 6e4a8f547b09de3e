/** Which proposals a target writes: those of the allowed tiers that it knows, `compat` only where there is nothing else. */
import { proposalTiers, type ProposalTier } from '@culvert/lifecycle'

/** A tier that is left out is one the target cannot do. */
export type SuiteTable<T> = { readonly [K in ProposalTier]?: T }

/** @returns strongest first; empty when the target can do none of the tiers */
export function suitesFor<T>(tiers: readonly ProposalTier[], table: SuiteTable<T>): T[] {
  const known = proposalTiers.filter((tier) => tiers.includes(tier) && table[tier] !== undefined)
  const strong = known.filter((tier) => tier !== 'compat')
  return (strong.length > 0 ? strong : known).flatMap((tier) => table[tier] ?? [])
}
