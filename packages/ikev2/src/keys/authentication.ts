/**
 * What the AUTH payload covers, and its value for a pre-shared key (RFC 7296 2.15).
 *
 *   signed octets = real message | peer's nonce | prf(SK_p, ID body) | IntAuth (RFC 9242, when there were such exchanges)
 *   AUTH          = prf(prf(shared secret, "Key Pad for IKEv2"), signed octets)
 *
 * The real message is the sender's own IKE_SA_INIT message as it was on the wire, the ID body as it was received: nothing is
 * encoded again. Compare with `constantTimeEqual`.
 */
import type { Prf } from '@culvert/crypto'
import type { Pieces } from '../message/octets.ts'

const KEY_PAD = new TextEncoder().encode('Key Pad for IKEv2')

export interface SignedParts {
  /** The whole first message of the side that signs: the IKE_SA_INIT message that succeeded, cookie included. */
  readonly realMessage: Uint8Array
  /** Nonce of the other side. */
  readonly peerNonce: Uint8Array
  /** SK_pi or SK_pr: of the side that signs. */
  readonly skP: Uint8Array
  /** Body of its ID payload, from the ID type on. */
  readonly idBody: Uint8Array
  readonly intAuth?: Uint8Array
}

/** @returns the parts themselves: to be used before they change. */
export function signedOctets(prf: Prf, parts: SignedParts): Pieces {
  const { realMessage, peerNonce, skP, idBody, intAuth } = parts
  const macedId = prf.compute(skP, idBody)
  return intAuth === undefined ? [realMessage, peerNonce, macedId] : [realMessage, peerNonce, macedId, intAuth]
}

/** AUTH data of method 2; also with the MSK of an EAP method as the secret (RFC 7296 2.16). */
export function sharedKeyAuth(prf: Prf, secret: Uint8Array, ...octets: Pieces): Uint8Array {
  const authKey = authKeyOf(prf, secret)
  const auth = prf.compute(authKey, ...octets)
  authKey.fill(0)
  return auth
}

/** With what both ends make AUTH data that share this secret. @returns a fresh array, which the caller zeroes. */
export function authKeyOf(prf: Prf, secret: Uint8Array): Uint8Array {
  return prf.compute(secret, KEY_PAD)
}
