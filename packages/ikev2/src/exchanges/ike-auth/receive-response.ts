/**
 * The response to our IKE_AUTH request (RFC 7296 1.2, 2.15, 2.21.2).
 *
 * The responder proves itself with the same secret under the identity we expect, else it hears AUTHENTICATION_FAILED in an
 * INFORMATIONAL exchange and the attempt is over. Without a usable Child SA the IKE SA stays (C33).
 */
import { closeAttachment, forgetIkeSa, reportFailure } from '../../endpoint/closing.ts'
import type { CloseReason } from '../../endpoint/contract.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Identity } from '../../message/model.ts'
import { AUTH_METHOD, EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { compareBytes, constantTimeEqual } from '../../message/octets.ts'
import type { AuthSent, IkeSa } from '../../sa/ike-sa.ts'
import { findPayload, firstError } from '../../sa/payload-shape.ts'
import { prfOf } from '../ike-keys.ts'
import { notify } from '../notify.ts'
import { completeInitiation } from './complete.ts'
import { secretOf } from './initiate.ts'
import { responderAuth } from './psk.ts'

export function receiveAuthResponse(context: Context, received: Received, state: AuthSent): void {
  const { payloads, sa } = received
  const idR = findPayload(payloads, 'idR')
  const auth = findPayload(payloads, 'auth')
  if (idR === null || auth === null) {
    const error = firstError(payloads)
    const isRefusal = error?.type === NOTIFY.AUTHENTICATION_FAILED
    abandonAuth(context, sa, state, isRefusal ? 'authenticationFailed' : 'protocolError')
    return
  }
  const isGenuine = sameIdentity(idR.id, state.peer.remoteId) && provesSecret(context, state, auth)
  if (isGenuine) completeInitiation(context, sa, state, payloads)
  else refuseResponder(context, sa, state)
}

/** Ends an attempt of ours at this point, without a word to the peer. */
export function abandonAuth(context: Context, sa: IkeSa, state: AuthSent, reason: CloseReason): void {
  forgetIkeSa(context, sa)
  report(context, state, reason)
}

function report(context: Context, { attachment, peer }: AuthSent, reason: CloseReason): void {
  closeAttachment(context, attachment, reason)
  const detail = reason === 'peerSilent' ? 'no answer to IKE_AUTH' : 'authentication did not succeed'
  const { label: subject, localId: idI } = peer
  reportFailure(context, { path: attachment.route.path, subject, idI, stage: 'auth', reason, detail })
}

function sameIdentity(a: Identity, b: Identity): boolean {
  return a.type === b.type && compareBytes(a.data, b.data) === 0
}

function provesSecret(context: Context, state: AuthSent, auth: { method: number; data: Uint8Array }): boolean {
  const { channel, peer, init } = state
  const expected = responderAuth(prfOf(context.env.crypto, channel), secretOf(peer), init, peer.remoteId)
  return auth.method === AUTH_METHOD.SHARED_KEY_MIC && constantTimeEqual(expected, auth.data)
}

function refuseResponder(context: Context, sa: IkeSa, state: AuthSent): void {
  const { attachment, channel, spiIn } = state
  context.effects.push({ kind: 'releaseSpi', spiIn })
  sa.state = { phase: 'deleting', attachment, channel }
  const exchange = { sa, channel, exchangeType: EXCHANGE.INFORMATIONAL }
  const attempt = { kind: 'deleteIke', reason: 'authenticationFailed' } as const
  const isSent = sendRequest(context, exchange, [notify(NOTIFY.AUTHENTICATION_FAILED)], attempt)
  if (!isSent) forgetIkeSa(context, sa)
  report(context, state, 'authenticationFailed')
}
