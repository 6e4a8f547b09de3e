/** What the two ends prove themselves with. */
import type { SigningKey, VerifyingKey } from '@culvert/crypto'
import type { TierName } from './configuration.ts'

/** A post-quantum preshared key (RFC 8784). `id` is the body of PPK_IDENTITY: type octet, then the name. */
export interface Ppk {
  readonly id: Uint8Array
  readonly secret: Uint8Array
}

/** A PPK as a responder holds it. */
export interface ResponderPpk extends Ppk {
  readonly isRequired: boolean
}

/** A signing key and the certificates that speak for it, DER, the signer's own first. */
export interface Signer {
  readonly key: SigningKey
  readonly certificates: readonly Uint8Array[]
  /** Who certifies it, as CERTREQ names authorities (RFC 7296 3.7); left out: nobody in particular. */
  readonly authority?: Uint8Array
}

export type InitiatorProof =
  | { readonly kind: 'psk'; readonly secret: Uint8Array }
  | ({ readonly kind: 'signature' } & Signer)

/** How a peer wants to prove itself: method of its AUTH payload, `eap` when there is none, `other` for what we never take. */
export type ProofKind = 'psk' | 'signature' | 'eap' | 'other'

export interface PeerCertificate {
  /** CERT encoding (RFC 7296 3.6). */
  readonly encoding: number
  readonly data: Uint8Array
}

/** One way in which the peer may prove itself; rotation gives several. `id` comes back when it was the one. */
export type Candidate =
  | { readonly kind: 'psk'; readonly id: string; readonly secret: Uint8Array }
  /** Key of a certificate that was checked and bound to the identity. */
  | { readonly kind: 'publicKey'; readonly id: string; readonly key: VerifyingKey }
  /** Start EAP; which method is the driver's business. With `withoutOurProof` a peer that takes EAP only hears no AUTH of ours. */
  | { readonly kind: 'eap'; readonly id: string | null; readonly withoutOurProof: boolean }

export interface FoundCredential {
  /** Comes back in later questions and events. Null when only EAP will tell. */
  readonly subject: string | null
  readonly candidates: readonly Candidate[]
  /** How we prove ourselves. Left out: with the peer's own shared key. */
  readonly signer?: Signer
  /** With keys of other kinds, for peers that do not check a signature of `signer`. */
  readonly otherSigners?: readonly Signer[]
  /** Tiers this peer may use; an IKE SA in another one is refused. Left out: any. */
  readonly tiers?: readonly TierName[]
  /** All that are good now, rotation gives two; the peer names one. With a required one nothing is attached without. */
  readonly ppks?: readonly ResponderPpk[]
}

/**
 * What stands in for a credential that is not there, or that is not of the kind the peer wants to prove: so that nobody learns
 * which identities exist, and how they authenticate (N26). Nothing proven with it is ever believed.
 */
export interface Decoy {
  /** Of the realm: how we would prove ourselves. With it, or with `withoutOurProof`, EAP is played to its failure. */
  readonly signer?: Signer
  readonly otherSigners?: readonly Signer[]
  /** Key of the certificate the peer sent, to compute with. */
  readonly key?: VerifyingKey
  readonly withoutOurProof?: boolean
  /** Of the realm, as in `FoundCredential`. */
  readonly tiers?: readonly TierName[]
}
