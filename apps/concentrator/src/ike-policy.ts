/**
 * The IKE policy of a concentrator: what it calls itself, what it accepts, how patient it is.
 *
 * Retransmission waits as strongSwan does (4 s, then 1.8 times longer, five times), so that a device in a dead spot is not given
 * up before it would give up itself. Lifetimes are longer than what devices usually set: the device rekeys first.
 */
import { defaultAhSuites, modernTier, proposalTiers, type EndpointConfig, type ProposalTier } from '@culvert/ikev2'
import { outerAddressesOf, type ConcentratorSettings } from './settings.ts'

const ID_FQDN = 2

export function endpointConfigOf(settings: ConcentratorSettings): EndpointConfig {
  return {
    localId: { type: ID_FQDN, data: new TextEncoder().encode(settings.ikeIdentity) },
    proposals: modernTier, // of an initiator, which this node never is
    tiers: settings.ah ? proposalTiers.map(withAh) : proposalTiers,
    features: { mobike: true, redirect: true, childless: true, resumption: settings.ticketLifetimeSec > 0, ppk: true },
    addresses: outerAddressesOf(settings),
    cookieThreshold: 100,
    maxHalfOpen: 2000,
    maxIkeSas: settings.maxDevices,
    fragmentBytes: 1280,
    forceUdpEncap: !settings.nativeEsp,
    exposeKeys: settings.keyLogFolder !== null,
    timing: {
      livenessMs: settings.livenessSec * 1000,
      retransmit: { firstMs: 4000, factor: 1.8, tries: 5 },
      halfOpenMs: 30_000,
      ikeRekeyMs: settings.ikeRekeySec * 1000,
      childRekeyMs: settings.childRekeySec * 1000,
      natKeepaliveMs: 0,
    },
  }
}

/** Without encryption: for devices alone that may have the tier nobody has by default. */
function withAh(tier: ProposalTier): ProposalTier {
  return tier.name === 'compat' ? { ...tier, ah: defaultAhSuites } : tier
}
