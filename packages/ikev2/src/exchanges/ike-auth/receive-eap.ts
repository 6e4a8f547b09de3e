/**
 * Later IKE_AUTH requests of a peer that uses EAP (RFC 7296 2.16).
 *
 * ```
 *   HDR, SK {EAP(response)}  -->   ask eap, or EAP(failure) for what is no answer to our request
 *   HDR, SK {AUTH}           -->   after EAP(success): checked with the MSK, then ask attach
 * ```
 */
import { type Context, type Received, ask } from '../../endpoint/context.ts'
import { authKeyOf } from '../../keys/authentication.ts'
import type { EapProven, EapSent } from '../../sa/ike-sa.ts'
import { AUTH_METHOD } from '../../message/numbers.ts'
import { findPayload } from '../../sa/payload-shape.ts'
import { prfOf } from '../ike-keys.ts'
import { failEap } from './answer-eap.ts'
import { askAttach } from './ask-attach.ts'
import { authOctets } from './auth-octets.ts'
import { EAP_CODE, eapIdentifier, isEapPacket } from './eap-packet.ts'
import { isSharedKeyAuth } from './peer-proof.ts'
import { applyPpk, judgePpk } from './ppk.ts'
import { beginAnswer, readPeerAuth } from './receive-request.ts'
import { rejectPeer } from './reject.ts'
import { eapQuestion } from './start-eap.ts'

/** Packets of the peer in one run; EAP-TLS with long chains takes some twenty. */
const MAX_EAP_ROUNDS = 64

export function receiveEapResponse(context: Context, received: Received, state: EapSent): void {
  const { sa, messageId, payloads } = received
  const packet = findPayload(payloads, 'eap')?.data
  if (packet === undefined || !beginAnswer(received)) return
  const { channel, init, digest, expiresAtMs, claim, eap } = state
  eap.rounds += 1
  const objection = objectionTo(received, state, packet)
  if (objection !== null) {
    failEap(context, sa, state, messageId, objection)
    return
  }
  const question = eapQuestion(sa, { claim, eap }, packet)
  const asked = ask(context, sa, question)
  sa.state = { phase: 'eapAsked', channel, init, digest, expiresAtMs, claim, eap, messageId, ask: asked }
  context.touched.add(sa)
}

function objectionTo({ payloads }: Received, { eap }: EapSent, packet: Uint8Array): string | null {
  if (findPayload(payloads, 'auth') !== null) return 'AUTH came before EAP was done'
  if (!isEapPacket(packet, EAP_CODE.RESPONSE)) return 'not an EAP response'
  if (eapIdentifier(packet) !== eap.identifier) return 'EAP response to another request'
  return eap.rounds > MAX_EAP_ROUNDS ? 'EAP without end' : null
}

/** The AUTH payload that binds EAP to this IKE SA: made with the MSK, or with SK_pi where the method makes none. */
export function receiveEapAuth(context: Context, received: Received, state: EapProven): void {
  const { sa, messageId, payloads } = received
  if (!beginAnswer(received)) return
  const { env } = context
  const { channel, init, claim, found, msk, subject, credential } = state
  const prf = prfOf(env.crypto, channel)
  const auth = readPeerAuth(payloads)
  const ppk = judgePpk(env, prf, init, auth, found.ppks)
  const octets = authOctets(prf, init, 'initiator', claim.idBody, ppk.skPi)
  const isProven = isSharedKeyAuth(prf, msk ?? ppk.skPi, octets, ppk.data)
  ppk.skPi.fill(0)
  const isFit = auth.method === AUTH_METHOD.SHARED_KEY_MIC && findPayload(payloads, 'eap') === null
  if (!isProven || !isFit || ppk.isRefused) {
    const detail = isProven && isFit ? 'no common post-quantum preshared key' : 'no proof of the key EAP made'
    rejectPeer(context, sa, state, { messageId, subject: null, reason: 'authenticationFailed', detail })
    return
  }
  applyPpk(prf, channel, init, ppk.secret)
  const ownProof = { kind: 'sharedKey', authKey: authKeyOf(prf, msk ?? init.skPr) } as const
  const ppkMixed = ppk.secret !== null
  askAttach(context, sa, state, {
    messageId,
    subject,
    credential,
    proof: 'eap',
    tiers: found.tiers,
    ownProof,
    ppkMixed,
  })
}
