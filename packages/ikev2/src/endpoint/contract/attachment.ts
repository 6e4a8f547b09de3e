/** Names and ends of an attachment, and the ways back to it. */
/** Names an IKE SA for the driver through all its rekeys; unique within this endpoint. */
export type AttachmentKey = number & { readonly __brand: 'AttachmentKey' }

/** Another gateway (RFC 5685 3). */
export type GatewayIdentity =
  | { readonly kind: 'ip4' | 'ip6'; readonly address: string }
  | { readonly kind: 'fqdn'; readonly name: string }

/** Opaque to the driver, who keeps it secret and hands it back at most once. */
export interface ResumptionTicket {
  readonly ticket: Uint8Array
  readonly state: Uint8Array
}

export type CloseReason =
  | 'deletedByPeer'
  | 'deletedLocally'
  | 'peerSilent'
  | 'superseded'
  | 'revoked'
  | 'authenticationFailed'
  | 'refused'
  | 'noProposal'
  | 'protocolError'
  | 'expired'
  | 'redirected'
  | 'shutdown'
