/** What the core asks the driver, and what it is answered. */
import type { VerifyingKey } from '@culvert/crypto'
import type { Identity, TrafficSelector } from '../../message/model.ts'
import type { Path } from './environment.ts'
import type { TierName } from './configuration.ts'
import type { ResponderPpk, ProofKind, PeerCertificate, FoundCredential, Decoy } from './credential.ts'
import type { AttachmentKey, GatewayIdentity } from './attachment.ts'

export type Question =
  /** Who is this? Asked with the claimed identity, before anything is proven. */
  | {
      readonly kind: 'credential'
      readonly idI: Identity
      readonly idR: Identity | null
      readonly path: Path
      readonly proof: ProofKind
      /** In the order they came, bounded in count and size; nothing about them has been checked. */
      readonly certificates: readonly PeerCertificate[]
      /** The peer takes an EAP method in place of our certificate (RFC 5998). */
      readonly eapOnly: boolean
    }
  /** One round of EAP as authenticator: null starts the method, else the peer's whole EAP packet. */
  | {
      readonly kind: 'eap'
      readonly session: EapSession
      readonly idI: Identity
      readonly path: Path
      readonly packet: Uint8Array | null
      /** The peer hears no AUTH of ours before EAP is over: only a method that proves both ends may be used (RFC 5998 4). */
      readonly withoutOurProof: boolean
    }
  /** As initiator: does this chain speak for `idR`? */
  | {
      readonly kind: 'trust'
      readonly label: string
      readonly idR: Identity
      readonly certificates: readonly PeerCertificate[]
    }
  /** A ticket opened: is what stands behind it still good enough, and is this its first use? */
  | {
      readonly kind: 'resume'
      readonly idI: Identity
      readonly subject: string
      readonly credential: string | null
      /** Names the ticket among all of this installation. */
      readonly ticketId: string
      /** In which its IKE SA was made; null without tiers. */
      readonly tier: TierName | null
      /** A PPK is in its keys (RFC 8784). */
      readonly ppkMixed: boolean
      readonly path: Path
    }
  /** The peer proved to be `subject`: may it attach, with which address and selectors? */
  | {
      readonly kind: 'attach'
      readonly key: AttachmentKey
      readonly subject: string
      /** `id` of the candidate that was proven; null when the driver gave none. */
      readonly credential: string | null
      readonly proof: ProofKind | 'ticket'
      readonly requested: RequestedAddresses
      readonly initialContact: boolean
      readonly path: Path
    }

/** Names one run of an EAP method; never reused within an endpoint. */
export type EapSession = number & { readonly __brand: 'EapSession' }

export interface RequestedAddresses {
  readonly ip4: boolean
  readonly ip6: boolean
}

export type Answer =
  /** Null: unknown; the core still does the work of a known one. */
  | {
      readonly kind: 'credential'
      readonly found: FoundCredential | null
      readonly decoy?: Decoy
    }
  | {
      readonly kind: 'eap'
      readonly outcome: 'continue'
      readonly packet: Uint8Array
      /**
       * The method has decided against the peer, and says so in this packet; why, for people, as `detail` of a failure. Many peers
       * are not heard of again.
       */
      readonly lost?: string
    }
  | {
      readonly kind: 'eap'
      readonly outcome: 'failure'
      readonly packet: Uint8Array
      /** Why, for the event `attemptFailed`: holds no secret and is bounded. */
      readonly detail?: string
    }
  | {
      readonly kind: 'eap'
      readonly outcome: 'success'
      readonly packet: Uint8Array
      /** Both AUTH payloads are made with it; null for a method that makes no key (RFC 7296 2.16). */
      readonly msk: Uint8Array | null
      readonly subject: string
      readonly credential: string | null
      /** Of who was proven; they count in place of those in `FoundCredential`. */
      readonly tiers?: readonly TierName[]
      readonly ppks?: readonly ResponderPpk[]
    }
  | { readonly kind: 'trust'; readonly key: VerifyingKey | null }
  | { readonly kind: 'resume'; readonly isAllowed: boolean }
  | {
      readonly kind: 'attach'
      readonly grant: AttachGrant | null
      readonly refusal?: 'addressFailure' | 'refused'
      /** With a null grant: where the peer shall go instead, if it follows redirects. */
      readonly redirect?: GatewayIdentity
    }

export interface AttachGrant {
  /** Leased inner addresses, textual; at most one of each family. */
  readonly ip4: string | null
  readonly ip6: string | null
  readonly dns4: readonly string[]
  readonly dns6?: readonly string[]
  /** Domains to be resolved by these servers alone (RFC 8598). */
  readonly dnsDomains?: readonly string[]
  /** Time after which the peer must authenticate again (RFC 4478); null for never. */
  readonly authLifetimeMs?: number | null
  /** Transport mode is granted to a peer that asks for it. */
  readonly transportMode?: boolean
  /** Lifetime of a resumption ticket for a peer that asks for one; null gives none. */
  readonly ticketLifetimeMs?: number | null
  /** What the peer may reach on our side; TSr is narrowed to it. */
  readonly tsLocal: readonly TrafficSelector[]
  /** What may come from the peer; TSi is narrowed to it (the leased addresses, later LAN prefixes). */
  readonly tsRemote: readonly TrafficSelector[]
  /** Other attachments of the same subject to be closed silently once this one stands; keys of another subject do nothing. */
  readonly replaces: readonly AttachmentKey[]
}
