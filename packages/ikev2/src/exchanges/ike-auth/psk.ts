/**
 * Proves and checks a pre-shared key (RFC 7296 2.15).
 *
 * The work is the same for an unknown identity, a wrong secret and a good one, and every candidate is compared (N26, A11).
 */
import type { Prf } from '@culvert/crypto'
import type { Candidate, Env } from '../../endpoint/contract.ts'
import { sharedKeyAuth, signedOctets } from '../../keys/authentication.ts'
import { identityBody } from '../../message/identity-codec.ts'
import type { Identity } from '../../message/model.ts'
import { constantTimeEqual } from '../../message/octets.ts'
import type { InitExchange } from '../../sa/ike-sa.ts'

/** Rotation makes two secrets good at once; an unknown identity costs as much as one with two. */
const CANDIDATES = 2
const DECOY_BYTES = 32

/** AUTH data with which the initiator of the IKE SA proves `secret`. */
export function initiatorAuth(prf: Prf, secret: Uint8Array, init: InitExchange, idI: Identity): Uint8Array {
  const { request: realMessage, nonceR: peerNonce, skPi: skP, intAuth } = init
  const idBody = identityBody(idI)
  return sharedKeyAuth(prf, secret, signedOctets(prf, { realMessage, peerNonce, skP, idBody, intAuth }))
}

/** AUTH data with which the responder proves `secret`. */
export function responderAuth(prf: Prf, secret: Uint8Array, init: InitExchange, idR: Identity): Uint8Array {
  const { response: realMessage, nonceI: peerNonce, skPr: skP, intAuth } = init
  const idBody = identityBody(idR)
  return sharedKeyAuth(prf, secret, signedOctets(prf, { realMessage, peerNonce, skP, idBody, intAuth }))
}

export type PskCandidate = Extract<Candidate, { kind: 'psk' }>

export interface InitiatorProof {
  readonly init: InitExchange
  readonly idBody: Uint8Array
  readonly authData: Uint8Array
}

/**
 * Finds the secret the initiator proved.
 *
 * @param candidates all that are good now; empty for an unknown identity.
 * @returns null when none fits.
 */
export function findProvenPsk(
  env: Env,
  prf: Prf,
  { init, idBody, authData }: InitiatorProof,
  candidates: readonly Candidate[],
): PskCandidate | null {
  const { request: realMessage, nonceR: peerNonce, skPi: skP, intAuth } = init
  const octets = signedOctets(prf, { realMessage, peerNonce, skP, idBody, intAuth })
  const psks = candidates.filter((candidate) => candidate.kind === 'psk')
  let proven: PskCandidate | null = null
  for (let index = 0; index < Math.max(CANDIDATES, psks.length); index += 1) {
    const candidate = psks[index]
    const expected = sharedKeyAuth(prf, candidate?.secret ?? env.rng(DECOY_BYTES), octets)
    if (constantTimeEqual(expected, authData) && candidate !== undefined) proven ??= candidate
  }
  return proven
}
