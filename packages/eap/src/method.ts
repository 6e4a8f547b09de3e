/**
 * What an EAP method is to the authenticator and to the peer that run it. Methods see Type-Data only: codes, identifiers, Nak and
 * the bounds on rounds are the runner's (`authenticator.ts`, `peer.ts`).
 *
 * A run belongs to one conversation and shares nothing with another one. It never throws on what the other side sent: bad
 * Type-Data ends it.
 */
import type { Rng } from '@culvert/crypto'

export type EapMethodName = 'tls' | 'mschapv2'

/** Why a conversation failed; for people, never for the peer. */
export type EapFailureReason =
  /** Not EAP, not in this state, or not from this conversation. */
  | 'malformed'
  | 'unexpected'
  | 'identifierMismatch'
  /** More rounds or octets than any honest peer needs. */
  | 'bounds'
  /** The peer refused every method there is. */
  | 'noCommonMethod'
  | 'unknownIdentity'
  | 'wrongSecret'
  /** The TLS handshake failed, on our side or by an alert of the peer. */
  | 'tls'
  | 'noCertificate'
  | 'certificateRefused'
  /** The other side did not believe us. */
  | 'refusedByPeer'
  /** A callback of ours rejected. */
  | 'lookup'
  | 'closed'
  /** A bug of ours. */
  | 'internal'

/** A method that came to its own good end. */
export interface EapProof {
  /** 64 octets; the receiver owns and zeroes it. */
  readonly msk: Uint8Array
  /** Who was proven, which may differ from what was claimed. */
  readonly identity: string
  /** EAP-TLS: certificates of the peer in DER as they came, its own first; else empty. */
  readonly certificates: readonly Uint8Array[]
}

export type EapMethodStep =
  /** `lost`: the verdict is against the peer, and this request says so. */
  | { readonly kind: 'request'; readonly data: Uint8Array; readonly lost?: EapFailureReason }
  | { readonly kind: 'success'; readonly proof: EapProof }
  | { readonly kind: 'failure'; readonly reason: EapFailureReason }

export interface EapMethodContext {
  /** What the peer called itself, unproven; null when nothing was asked or known. */
  readonly claimedIdentity: string | null
  readonly rng: Rng
}

/** The authenticator's side of a method, ready to be run any number of times. */
export interface EapMethod {
  readonly name: EapMethodName
  readonly type: number
  start(context: EapMethodContext): EapMethodRun
}

export interface EapMethodRun {
  /**
   * @param data Type-Data of the peer's response; null for the first request
   * @param identifier of the request that is to be made
   */
  next(data: Uint8Array | null, identifier: number): Promise<EapMethodStep>
  /** Zeroes and frees everything; safe at any time and twice. */
  close(): void
}

/** What the peer's side of a method says to a request. */
export interface EapPeerStep {
  /** Type-Data of the response; null when there is nothing to say but that it is over. */
  readonly data: Uint8Array | null
  /** The method's own verdict, `open` as long as there is none. */
  readonly verdict: 'open' | 'success' | 'failure'
}

export interface EapPeerMethod {
  readonly name: EapMethodName
  readonly type: number
  start(rng: Rng): EapPeerMethodRun
}

export interface EapPeerMethodRun {
  next(data: Uint8Array): Promise<EapPeerStep>
  /** 64 octets that the caller owns; null before the verdict `success`. */
  msk(): Uint8Array | null
  close(): void
}

export function methodRequest(data: Uint8Array, lost?: EapFailureReason): EapMethodStep {
  return { kind: 'request', data, ...(lost && { lost }) }
}

export function methodFailure(reason: EapFailureReason): EapMethodStep {
  return { kind: 'failure', reason }
}
