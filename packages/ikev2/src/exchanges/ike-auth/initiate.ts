/**
 * IKE_AUTH request as initiator (RFC 7296 1.2).
 *
 * ```
 *   HDR, SK {IDi, [CERT+], [CERTREQ], IDr, AUTH, N(INITIAL_CONTACT), [N(PPK_IDENTITY), [N(NO_PPK_AUTH)]], [CP(CFG_REQUEST)], SAi2, TSi, TSr}  -->
 * ```
 *
 * An initiator here is a device with one attachment, so every attempt is an initial contact (2.4). With a PPK that is not
 * required, AUTH is made twice: with the mixed key, and without for a responder that does not know the PPK (RFC 8784 3).
 */
import type { Prf } from '@culvert/crypto'
import type { InitiatorConfig } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import { mixPpk } from '../../keys/post-quantum-preshared-key.ts'
import { identityBody } from '../../message/identity-codec.ts'
import type { Payload, Proposal, Spi } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { proposalsFor } from '../../proposal/offer.ts'
import { childSuitesOf } from '../../proposal/peer-policy.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { AuthSent, IkeSa, OwnProof } from '../../sa/ike-sa.ts'
import { prfOf } from '../ike-keys.ts'
import { certificateRequest } from '../ike-sa-init/auth-abilities.ts'
import { notify, protocolIdOf, spiBytes } from '../notify.ts'
import { authOctets } from './auth-octets.ts'
import { requestFor } from './configuration.ts'
import { wishesOf } from './extensions.ts'
import { authPayload, certificatePayloads, initiatorProof, wipeOwnProof } from './own-proof.ts'

/** @returns false when the responder could not check a proof of ours, and nothing was sent. */
export function sendAuthRequest(context: Context, sa: IkeSa, state: AuthSent): boolean {
  const { peer, channel, init, spiIn, attachment } = state
  const prf = prfOf(context.env.crypto, channel)
  const proof = initiatorProof(prf, peer.proof, init)
  if (proof === null) return false
  const payloads: Payload[] = [
    { kind: 'idI', id: peer.localId },
    ...certificatePayloads(proof),
    ...certificateRequest(context),
    { kind: 'idR', id: peer.remoteId },
    ...authPayloads(prf, state, proof),
    notify(NOTIFY.INITIAL_CONTACT),
    ...requestFor(peer.requestAddress),
    ...(spiIn === null ? [] : firstChildPayloads(attachment, peer, spiIn)),
    ...wishesOf(context, attachment, peer),
  ]
  wipeOwnProof(proof)
  sendRequest(context, { sa, channel, exchangeType: EXCHANGE.IKE_AUTH }, payloads, { kind: 'auth' })
  return true
}

function firstChildPayloads(attachment: Attachment, peer: InitiatorConfig, spiIn: Spi): readonly Payload[] {
  return [
    { kind: 'sa', proposals: firstChildProposals(attachment, spiIn) },
    { kind: 'tsI', selectors: peer.tsLocal },
    { kind: 'tsR', selectors: peer.tsRemote },
  ]
}

/** Without key exchange methods: there is no KE payload in IKE_AUTH. */
export function firstChildProposals({ policy }: Attachment, spiIn: Spi): readonly Proposal[] {
  const suites = childSuitesOf(policy, policy.proposes)
  return proposalsFor(suites, protocolIdOf(policy.proposes), spiBytes(spiIn), { kePolicy: 'absent' })
}

function authPayloads(prf: Prf, { peer, init }: AuthSent, proof: OwnProof): readonly Payload[] {
  const authWith = (skPi: Uint8Array): Extract<Payload, { kind: 'auth' }> =>
    authPayload(prf, proof, authOctets(prf, init, 'initiator', identityBody(peer.localId), skPi))
  const { ppk } = peer
  if (ppk === undefined || !init.usesPpk) return [authWith(init.skPi)]
  const mixed = mixPpk(prf, ppk.secret, init.skPi)
  const auth = authWith(mixed)
  mixed.fill(0)
  const fallback = ppk.isRequired ? [] : [notify(NOTIFY.NO_PPK_AUTH, authWith(init.skPi).data)]
  return [auth, notify(NOTIFY.PPK_IDENTITY, ppk.id), ...fallback]
}
