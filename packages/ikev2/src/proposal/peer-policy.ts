/**
 * What may be negotiated with one peer: the tiers it may use, best first.
 *
 * A tier is a policy with a name. Where no tiers are configured there is one without a name, made of `proposals`.
 */
import type { ChildProtocol, EndpointConfig, ProposalPolicy, SuitePolicy, TierName } from '../endpoint/contract.ts'

export interface NamedPolicy extends ProposalPolicy {
  readonly name: TierName | null
}

/** Made once for each combination of tiers and shared by reference. */
export interface PeerPolicy {
  readonly tiers: readonly NamedPolicy[]
  /** The ESP suites of all of them, best first. */
  readonly esp: readonly SuitePolicy[]
  /** Of AH; empty where it is not allowed. */
  readonly ah: readonly SuitePolicy[]
  /** What we propose for a new Child SA. */
  readonly proposes: ChildProtocol
}

/** What we propose as initiator, whatever tiers there are; read at each use, so that it may be replaced while SAs stand. */
export function ownPolicy(config: EndpointConfig, proposes: ChildProtocol = 'esp'): PeerPolicy {
  return {
    get tiers() {
      return [{ ...config.proposals, name: null }]
    },
    get esp() {
      return config.proposals.esp
    },
    get ah() {
      return config.proposals.ah ?? []
    },
    proposes,
  }
}

/** @param names of tiers a peer may use; null for all. A name that is not configured adds nothing. */
export function tierPolicy(config: EndpointConfig, names: readonly TierName[] | null): PeerPolicy {
  const { tiers } = config
  if (tiers === undefined) return ownPolicy(config)
  const allowed = names === null ? tiers : tiers.filter(({ name }) => names.includes(name))
  const ah = allowed.flatMap((tier) => tier.ah ?? [])
  return { tiers: allowed, esp: allowed.flatMap(({ esp }) => esp), ah, proposes: 'esp' }
}

/** The suites of Child SAs of this protocol. */
export function childSuitesOf(policy: PeerPolicy, protocol: ChildProtocol): readonly SuitePolicy[] {
  return protocol === 'ah' ? policy.ah : policy.esp
}

/** The suites we offer when we rekey an IKE SA: those of the tier it was made in. */
export function ikeSuitesOf({ tiers }: PeerPolicy, tier: TierName | null): readonly SuitePolicy[] {
  return tiers.find(({ name }) => name === tier)?.ike ?? []
}
