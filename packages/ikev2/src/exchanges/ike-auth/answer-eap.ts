/**
 * What the EAP method says to the peer, wrapped in IKE_AUTH responses (RFC 7296 2.16).
 *
 * ```
 *   first answer                  <--  HDR, SK {IDr, [CERT+, AUTH], EAP(request)}               eapSent
 *   later ones                    <--  HDR, SK {EAP(request)}                                   eapSent
 *   success of the method         <--  HDR, SK {EAP(success)}                                   eapProven
 *   failure, of whatever kind     <--  HDR, SK {EAP(failure)}, no notify (2.21.2, C32)          rejected
 * ```
 *
 * No method is over before the peer has said anything, so success is never the first answer (C34). A method without our
 * certificate has to make a key, or nobody would have proven who we are (RFC 5998 3).
 */
import { endEap } from '../../endpoint/closing.ts'
import type { Answer, FoundCredential } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { respond } from '../../endpoint/outbound.ts'
import { identityBody } from '../../message/identity-codec.ts'
import type { MessageId, Payload } from '../../message/model.ts'
import { EXCHANGE } from '../../message/numbers.ts'
import type { EapAsked, EapSent, IkeSa } from '../../sa/ike-sa.ts'
import { prfOf } from '../ike-keys.ts'
import { authOctets } from './auth-octets.ts'
import { EAP_CODE, eapFailure, eapIdentifier, isEapPacket } from './eap-packet.ts'
import { authPayload, certificatePayloads } from './own-proof.ts'
import { rejectWith, tellFailure } from './reject.ts'

type EapAnswer = Extract<Answer, { kind: 'eap' }>

export function answerEap(context: Context, sa: IkeSa, state: EapAsked, answer: EapAnswer): void {
  switch (answer.outcome) {
    case 'continue':
      if (isEapPacket(answer.packet, EAP_CODE.REQUEST)) continueEap(context, sa, state, answer)
      else failEap(context, sa, state, state.messageId, 'the EAP method made no request')
      break
    case 'failure': {
      const packet = isEapPacket(answer.packet, EAP_CODE.FAILURE) ? answer.packet : failurePacket(state)
      const detail = answer.detail === undefined ? 'EAP failed' : `EAP failed: ${answer.detail}`
      failWith(context, sa, state, packet, { messageId: state.messageId, detail })
      break
    }
    case 'success':
      succeed(context, sa, state, answer)
      break
  }
}

/** Ends an EAP run from our side, in answer to this request. */
export function failEap(
  context: Context,
  sa: IkeSa,
  state: EapAsked | EapSent,
  messageId: MessageId,
  detail: string,
): void {
  endEap(context, state)
  failWith(context, sa, state, failurePacket(state), { messageId, detail })
}

function failurePacket({ eap }: EapAsked | EapSent): Uint8Array {
  return eapFailure(eap.identifier ?? 0)
}

type Continuation = Extract<EapAnswer, { outcome: 'continue' }>

function continueEap(context: Context, sa: IkeSa, state: EapAsked, { packet, lost }: Continuation): void {
  const { channel, init, digest, expiresAtMs, claim, eap, messageId } = state
  const payloads: readonly Payload[] = [...introduction(context, state), { kind: 'eap', data: packet }]
  eap.identifier = eapIdentifier(packet)
  if (lost !== undefined && !eap.isLost) {
    eap.isLost = true
    tellFailure(context, sa, state, { subject: null, reason: 'authenticationFailed', detail: `EAP failed: ${lost}` })
  }
  const next: EapSent = { phase: 'eapSent', channel, init, digest, expiresAtMs, claim, eap }
  sa.state = next
  respond(context, { sa, channel, exchangeType: EXCHANGE.IKE_AUTH }, messageId, payloads, sa.route.path)
}

/** Who we are, before the first EAP request. The proof is made without a PPK, which nobody has named yet (RFC 8784 3). */
function introduction({ env, config }: Context, { eap, channel, init }: EapAsked | EapSent): readonly Payload[] {
  if (eap.identifier !== null) return []
  const identity: Payload = { kind: 'idR', id: config.localId }
  if (eap.proof === null) return [identity]
  const prf = prfOf(env.crypto, channel)
  const octets = authOctets(prf, init, 'responder', identityBody(config.localId), init.skPr)
  const auth = authPayload(prf, eap.proof, octets)
  return [identity, ...certificatePayloads(eap.proof), auth]
}

type Success = Extract<EapAnswer, { outcome: 'success' }>

function succeed(context: Context, sa: IkeSa, state: EapAsked, answer: Success): void {
  const { channel, init, digest, expiresAtMs, claim, eap, messageId } = state
  const { found } = eap
  const refusal = successRefusal(state, answer)
  if (found === null || refusal !== null) {
    failWith(context, sa, state, failurePacket(state), { messageId, detail: refusal ?? 'identity not known' })
    return
  }
  const { subject, credential, packet, tiers = found.tiers, ppks = found.ppks } = answer
  const msk = answer.msk === null ? null : answer.msk.slice()
  const proven: FoundCredential = { ...found, ...(tiers && { tiers }), ...(ppks && { ppks }) }
  sa.state = { phase: 'eapProven', channel, init, digest, expiresAtMs, claim, found: proven, subject, credential, msk }
  const exchange = { sa, channel, exchangeType: EXCHANGE.IKE_AUTH }
  respond(context, exchange, messageId, [{ kind: 'eap', data: packet }], sa.route.path)
}

/** @returns why this success is none; null when it is one. */
function successRefusal({ eap }: EapAsked, { packet, msk }: Success): string | null {
  if (eap.rounds === 0 || !isEapPacket(packet, EAP_CODE.SUCCESS)) return 'the EAP method had no end'
  if (eap.isLost) return 'the EAP method had decided against the peer'
  if (msk === null && eap.proof === null) return 'an EAP method without key cannot do without our certificate'
  return null
}

function failWith(
  context: Context,
  sa: IkeSa,
  state: EapAsked | EapSent,
  packet: Uint8Array,
  failure: { readonly messageId: MessageId; readonly detail: string },
): void {
  const payloads: readonly Payload[] = [...introduction(context, state), { kind: 'eap', data: packet }]
  rejectWith(context, sa, state, { ...failure, subject: null, reason: 'authenticationFailed' }, payloads)
}
