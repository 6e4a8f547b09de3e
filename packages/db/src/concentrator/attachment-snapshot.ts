/**
 * What a concentrator knows about one device's presence, as it is written to Postgres.
 */
import type { ProposalTier } from '@culvert/lifecycle'

export interface AttachmentSnapshot {
  readonly deviceId: string
  readonly organizationId: string
  readonly state: 'attached' | 'detached'
  /** Leased this time; null for a family that was not asked for or cannot be had. */
  readonly address4: string | null
  readonly address6: string | null
  /** The one that was proven; null when the core named none. */
  readonly credentialId: string | null
  readonly remoteAddress: string
  readonly remotePort: number
  readonly behindNat: boolean
  readonly attachedAt: Date
  readonly detachedAt: Date | null
  readonly detachReason: string | null
  readonly lastSeenAt: Date
  /** The presence began or ended since the last write: an event and a notice are due. */
  readonly changed: boolean
  /** Since the last write; left out: none. */
  readonly rekeyed?: { readonly ike: number; readonly child: number }
  readonly ikeSas: readonly IkeSaSnapshot[]
}

export interface IkeSaSnapshot {
  readonly spiI: string
  readonly spiR: string
  readonly initiator: boolean
  readonly encryption: string
  readonly integrity: string | null
  readonly prf: string
  readonly keyExchange: string
  /** RFC 9370, in order. */
  readonly additionalKeyExchanges: readonly string[]
  readonly tier: ProposalTier | null
  readonly establishedAt: Date
  readonly childSas: readonly ChildSaSnapshot[]
}

export interface ChildSaSnapshot {
  readonly spiIn: number
  readonly spiOut: number
  readonly encryption: string
  readonly integrity: string | null
  readonly esn: boolean
  readonly selectorsLocal: readonly string[]
  readonly selectorsRemote: readonly string[]
  readonly installedAt: Date
}
