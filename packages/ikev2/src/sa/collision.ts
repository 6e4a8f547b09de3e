/**
 * Who wins when both ends rekey the same SA at once (RFC 7296 2.8.1, 2.8.2).
 *
 * ```
 *   A: rekey, Ni ---\ /--- B: rekey, Ni'          two exchanges, four nonces
 *   A: Nr'  <------- X ------->  B: Nr            lowest octets first, a prefix is lower than what continues it
 * ```
 *
 * The SA made by the exchange that holds the lowest of the four nonces is redundant and is deleted by the one who started that
 * exchange; the other one deletes the old SA. Both ends see the same four nonces and come to the same end.
 */
import { compareBytes } from '../message/octets.ts'

/** The lower one of the two nonces of an exchange: nothing else is needed to decide later. */
export function lowestNonce(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) <= 0 ? a : b
}

/**
 * @param ownLowest lowest nonce of the exchange we started.
 * @param rivalLowest lowest nonce of the exchange the peer started.
 * @returns true when our exchange made the SA that survives.
 */
export function ownExchangeSurvives(ownLowest: Uint8Array, rivalLowest: Uint8Array): boolean {
  return compareBytes(ownLowest, rivalLowest) > 0
}
