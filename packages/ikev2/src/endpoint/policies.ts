/**
 * Which peer may use what: looked up by the names of its tiers and shared (`proposal/peer-policy.ts`).
 */
import type { ChildProtocol, TierName } from './contract.ts'
import type { Context } from './context.ts'
import { ownPolicy, type PeerPolicy, tierPolicy } from '../proposal/peer-policy.ts'
import type { Channel } from '../sa/channel.ts'

const OWN = 'own'
const ALL = 'all'

/** What we propose as initiator. */
export function initiatorPolicy(context: Context, protocol: ChildProtocol = 'esp'): PeerPolicy {
  return shared(context, `${OWN}:${protocol}`, () => ownPolicy(context.config, protocol))
}

/** What anybody at all may use now, before it is known who asks. */
export function newcomerPolicy(context: Context): PeerPolicy {
  return responderPolicy(context, context.tables.acceptedTiers)
}

/**
 * What an authenticated peer may use.
 *
 * @param tiers of its credential; left out for any.
 * @returns null when the IKE SA it came with is in a tier it may not use: the answer is NO_PROPOSAL_CHOSEN.
 */
export function policyOfPeer(
  context: Context,
  { transforms }: Channel,
  tiers: readonly TierName[] | undefined,
): PeerPolicy | null {
  const policy = responderPolicy(context, tiers ?? null)
  return policy.tiers.some(({ name }) => name === transforms.tier) ? policy : null
}

function responderPolicy(context: Context, names: readonly TierName[] | null): PeerPolicy {
  if (names === null) return shared(context, ALL, () => tierPolicy(context.config, null))
  const known = (context.config.tiers ?? []).map(({ name }) => name).filter((name) => names.includes(name))
  return shared(context, `tiers:${known.join()}`, () => tierPolicy(context.config, known))
}

function shared({ tables }: Context, key: string, make: () => PeerPolicy): PeerPolicy {
  const known = tables.policies.get(key)
  if (known !== undefined) return known
  const made = make()
  tables.policies.set(key, made)
  return made
}
