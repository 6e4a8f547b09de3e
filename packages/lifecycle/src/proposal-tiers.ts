/** Which sets of algorithms a device may use: the nearest of device, network and organization that says something decides. */
export const proposalTiers = ['modern', 'standard', 'compat'] as const
export type ProposalTier = (typeof proposalTiers)[number]

/** What holds where nobody has said anything; `compat` (SHA-1, small groups, 3DES) is never part of it. */
export const defaultProposalTiers: readonly ProposalTier[] = ['modern', 'standard']

export const tierSources = ['device', 'network', 'organization', 'default'] as const
export type TierSource = (typeof tierSources)[number]

/** What each level says, null for nothing. */
export interface TierSettings {
  readonly device: readonly ProposalTier[] | null
  readonly network: readonly ProposalTier[] | null
  readonly organization: readonly ProposalTier[] | null
}

export interface EffectiveTiers {
  /** Strongest first. */
  readonly tiers: readonly ProposalTier[]
  readonly source: TierSource
}

export function effectiveTiers(settings: TierSettings): EffectiveTiers {
  for (const source of ['device', 'network', 'organization'] as const) {
    const said = settings[source]
    if (said) return { tiers: proposalTiers.filter((tier) => said.includes(tier)), source }
  }
  return { tiers: defaultProposalTiers, source: 'default' }
}
