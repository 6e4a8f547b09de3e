/** A failed attempt in the words of people and of the API: what was offered, with names and numbers, and why it ended. */
import { transformName } from '@culvert/crypto'
import type { CloseReason, Proposal } from '@culvert/ikev2'
import type { AttemptReason } from '@culvert/lifecycle'

export interface ReadableTransform {
  readonly type: number
  readonly id: number
  readonly keyBits: number | null
  readonly name: string
}

export interface ReadableProposal {
  readonly number: number
  readonly protocolId: number
  readonly transforms: readonly ReadableTransform[]
}

/** @param proposals as decoded, in the order of the peer; SPIs are left out */
export function readableProposals(proposals: readonly Proposal[]): ReadableProposal[] {
  return proposals.map(({ number, protocolId, transforms }) => ({
    number,
    protocolId,
    transforms: transforms.map(({ type, id, keyBits }) => ({
      type,
      id,
      keyBits,
      name: transformName(type, id, keyBits),
    })),
  }))
}

/** The closed set that the API shows; the credential desk says itself that there is no credential, and the database what became of one. */
export function attemptReasonOf(reason: CloseReason): AttemptReason {
  switch (reason) {
    case 'noProposal':
      return 'no_proposal'
    case 'authenticationFailed':
      return 'authentication_failed'
    case 'revoked':
      return 'credential_revoked'
    case 'refused':
      return 'refused'
    case 'protocolError':
      return 'protocol_error'
    case 'expired':
    case 'peerSilent':
      return 'timed_out'
    case 'superseded':
      return 'superseded'
    case 'redirected':
      return 'redirected'
    case 'deletedByPeer':
    case 'deletedLocally':
    case 'shutdown':
      return 'shutdown'
  }
}
