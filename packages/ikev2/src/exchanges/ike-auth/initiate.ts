/**
 * IKE_AUTH request as initiator (RFC 7296 1.2).
 *
 * ```
 *   HDR, SK {IDi, IDr, AUTH, N(INITIAL_CONTACT), [CP(CFG_REQUEST)], SAi2, TSi, TSr}  -->
 * ```
 *
 * An initiator here is a device with one attachment, so every attempt is an initial contact (2.4).
 */
import type { InitiatorConfig } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload, Proposal, Spi } from '../../message/model.ts'
import { AUTH_METHOD, EXCHANGE, NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { EMPTY } from '../../message/octets.ts'
import { proposalsFor } from '../../proposal/offer.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { AuthSent, IkeSa } from '../../sa/ike-sa.ts'
import { prfOf } from '../ike-keys.ts'
import { notify, spiBytes } from '../notify.ts'
import { requestFor } from './configuration.ts'
import { wishesOf } from './extensions.ts'
import { initiatorAuth } from './psk.ts'

export function sendAuthRequest(context: Context, sa: IkeSa, state: AuthSent): void {
  const { peer, channel, init, spiIn, attachment } = state
  const data = initiatorAuth(prfOf(context.env.crypto, channel), secretOf(peer), init, peer.localId)
  const payloads: Payload[] = [
    { kind: 'idI', id: peer.localId },
    { kind: 'idR', id: peer.remoteId },
    { kind: 'auth', method: AUTH_METHOD.SHARED_KEY_MIC, data },
    notify(NOTIFY.INITIAL_CONTACT),
    ...requestFor(peer.requestAddress),
    { kind: 'sa', proposals: firstChildProposals(attachment, spiIn) },
    { kind: 'tsI', selectors: peer.tsLocal },
    { kind: 'tsR', selectors: peer.tsRemote },
    ...wishesOf(context),
  ]
  sendRequest(context, { sa, channel, exchangeType: EXCHANGE.IKE_AUTH }, payloads, { kind: 'auth' })
}

/** The shared key of the attempt; empty for a signer. */
export function secretOf({ proof }: InitiatorConfig): Uint8Array {
  return proof.kind === 'psk' ? proof.secret : EMPTY
}

/** Without key exchange methods: there is no KE payload in IKE_AUTH. */
export function firstChildProposals({ policy }: Attachment, spiIn: Spi): readonly Proposal[] {
  return proposalsFor(policy.esp, PROTOCOL.ESP, spiBytes(spiIn), { kePolicy: 'absent' })
}
