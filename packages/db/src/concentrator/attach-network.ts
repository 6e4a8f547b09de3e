/**
 * What an attaching device gets from its network and organization: one object for all devices of a network, as long as nothing of
 * it changes. Ten thousand devices that share it hold it once.
 */
import type { ProposalTier, RateLimit } from '@culvert/lifecycle'

export interface NetworkSettings {
  readonly networkId: string
  readonly organizationId: string
  readonly networkTiers: readonly ProposalTier[] | null
  readonly organizationTiers: readonly ProposalTier[] | null
  readonly dnsServers: readonly string[]
  readonly dnsDomains: readonly string[]
  readonly reauthenticateAfterSec: number | null
  readonly pools: readonly string[]
  readonly deviceToDevice: boolean
  /** Of devices that have none of their own. */
  readonly rateLimit: RateLimit | null
}

/** Address pools of networks `n`, of both families, as an array of text. */
export const NETWORK_POOLS = `array_remove(ARRAY(SELECT p.pool4::text FROM network_pools p WHERE p.organization_id = n.organization_id AND p.network_id = n.id
    ORDER BY p.pool4) || n.pool6::text, NULL)`

/** As JSON text with the names of `NetworkSettings`, of networks `n` and organizations `o`. */
export const NETWORK_SETTINGS = `json_build_object('networkId', n.id, 'organizationId', n.organization_id, 'networkTiers', n.proposal_tiers, 'organizationTiers', o.proposal_tiers,
  'dnsServers', n.dns_servers, 'dnsDomains', n.dns_domains, 'reauthenticateAfterSec', n.reauthenticate_after_sec,
  'pools', ${NETWORK_POOLS},
  'deviceToDevice', n.device_to_device, 'rateLimit', n.rate_limit)::text`

/** More than a node has networks at a time; who falls out is parsed anew. */
const MOST_NETWORKS = 4096

export interface NetworkBook {
  /** @param text as `NETWORK_SETTINGS` makes it @returns the same object for the same text */
  read(networkId: string, text: string): NetworkSettings
}

export function createNetworkBook(): NetworkBook {
  const networks = new Map<string, { readonly text: string; readonly settings: NetworkSettings }>()
  return {
    read(networkId, text) {
      const known = networks.get(networkId)
      if (known?.text === text) return known.settings
      const settings = JSON.parse(text) as NetworkSettings
      networks.delete(networkId)
      networks.set(networkId, { text, settings })
      const oldest = networks.keys().next()
      if (networks.size > MOST_NETWORKS && !oldest.done) networks.delete(oldest.value)
      return settings
    },
  }
}
