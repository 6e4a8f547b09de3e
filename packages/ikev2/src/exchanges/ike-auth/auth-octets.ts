/**
 * The octets an AUTH payload covers (RFC 7296 2.15): a whole first message, a nonce, an identity, the IKE_INTERMEDIATE exchanges.
 */
import type { Prf } from '@culvert/crypto'
import { signedOctets } from '../../keys/authentication.ts'
import type { Pieces } from '../../message/octets.ts'
import type { InitExchange } from '../../sa/ike-sa.ts'

export type Side = 'initiator' | 'responder'

/**
 * @param side which end of IKE_SA_INIT signs.
 * @param idBody body of its ID payload as it was on the wire.
 * @param skP SK_pi or SK_pr of that side; with a PPK the mixed one (RFC 8784 3).
 */
export function authOctets(prf: Prf, init: InitExchange, side: Side, idBody: Uint8Array, skP: Uint8Array): Pieces {
  const { request, response, nonceI, nonceR, intAuth } = init
  return side === 'initiator'
    ? signedOctets(prf, { realMessage: request, peerNonce: nonceR, skP, idBody, intAuth })
    : signedOctets(prf, { realMessage: response, peerNonce: nonceI, skP, idBody, intAuth })
}
