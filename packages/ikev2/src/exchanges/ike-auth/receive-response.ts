/**
 * The response to our IKE_AUTH request (RFC 7296 1.2, 2.15, 2.21.2).
 *
 * The responder proves itself under the identity we expect, with the secret we share or with a signature whose key the driver
 * trusts for that identity; else it hears AUTHENTICATION_FAILED in an INFORMATIONAL exchange and the attempt is over. Without a
 * usable Child SA the IKE SA stays (C33).
 */
import type { VerifyingKey } from '@culvert/crypto'
import { closeAttachment, forgetIkeSa, reportFailure } from '../../endpoint/closing.ts'
import type { Answer, CloseReason } from '../../endpoint/contract.ts'
import { ask, type Context, type Received } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import { isSignedBy, peerSignature } from '../../keys/signature-choice.ts'
import { identityBody } from '../../message/identity-codec.ts'
import type { Identity, Payload } from '../../message/model.ts'
import { AUTH_METHOD, EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { compareBytes, concatBytes, constantTimeEqual, EMPTY, type Pieces } from '../../message/octets.ts'
import type { AuthSent, IkeSa, TrustAsked } from '../../sa/ike-sa.ts'
import { findNotify, findPayload, firstError, type PayloadOf } from '../../sa/payload-shape.ts'
import { prfOf } from '../ike-keys.ts'
import { notify } from '../notify.ts'
import { authOctets } from './auth-octets.ts'
import { peerCertificates } from './certificates.ts'
import { beginAnew } from '../session-resume/begin-anew.ts'
import { completeInitiation } from './complete.ts'
import { isSharedKeyAuth, proofKindOf } from './peer-proof.ts'
import { applyPpk } from './ppk.ts'

type TrustAnswer = Extract<Answer, { kind: 'trust' }>

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
  if (!sameIdentity(idR.id, state.peer.remoteId) || !agreesOnPpk(context, state, payloads)) {
    refuseResponder(context, sa, state)
  } else if (proofKindOf(auth.method) === 'signature' && !state.init.isResumed)
    askTrust(context, sa, state, { idR, payloads })
  else if (provesSecret(context, state, { idR, auth })) completeInitiation(context, sa, state, payloads)
  else refuseResponder(context, sa, state)
}

/** Checks the signature with the key the driver trusts. */
export function answerTrust(context: Context, sa: IkeSa, state: TrustAsked, { key }: TrustAnswer): void {
  const { payloads } = state
  const idR = findPayload(payloads, 'idR')
  const auth = findPayload(payloads, 'auth')
  const isGenuine = key !== null && idR !== null && auth !== null && provesKey(context, state, { idR, auth, key })
  if (isGenuine) completeInitiation(context, sa, state, payloads)
  else refuseResponder(context, sa, state)
}

/** Ends an attempt of ours at this point, without a word to the peer. */
export function abandonAuth(context: Context, sa: IkeSa, state: AuthSent | TrustAsked, reason: CloseReason): void {
  if (state.init.isResumed) {
    beginAnew(context, sa, state)
    return
  }
  forgetIkeSa(context, sa)
  report(context, state, reason)
}

function report(context: Context, { attachment, peer }: AuthSent | TrustAsked, reason: CloseReason): void {
  closeAttachment(context, attachment, reason)
  const detail = reason === 'peerSilent' ? 'no answer to IKE_AUTH' : 'authentication did not succeed'
  const { label: subject, localId: idI } = peer
  reportFailure(context, { path: attachment.route.path, subject, idI, stage: 'auth', reason, detail })
}

function sameIdentity(a: Identity, b: Identity): boolean {
  return a.type === b.type && compareBytes(a.data, b.data) === 0
}

/**
 * The responder says whether it mixed the PPK in (RFC 8784 3); then we do, and its AUTH has to fit. Saying so falsely in either
 * direction makes it fail.
 *
 * @returns false when the PPK is required and was not taken.
 */
function agreesOnPpk(context: Context, state: AuthSent, payloads: readonly Payload[]): boolean {
  const { peer, channel, init } = state
  const { ppk } = peer
  if (ppk === undefined || init.isResumed) return true
  if (!init.usesPpk || findNotify(payloads, NOTIFY.PPK_IDENTITY) === null) return !ppk.isRequired
  applyPpk(prfOf(context.env.crypto, channel), channel, init, ppk.secret)
  return true
}

interface ResponderProof {
  readonly idR: PayloadOf<'idR'>
  readonly auth: PayloadOf<'auth'>
}

function provesSecret(context: Context, state: AuthSent, proof: ResponderProof): boolean {
  const secret = state.peer.proof.kind === 'psk' ? state.peer.proof.secret : null
  const octets = octetsOf(context, state, proof.idR)
  const prf = prfOf(context.env.crypto, state.channel)
  if (state.init.isResumed) return constantTimeEqual(prf.compute(state.init.skPr, ...octets), proof.auth.data)
  const isMade = isSharedKeyAuth(prf, secret ?? EMPTY, octets, proof.auth.data)
  return isMade && secret !== null && proof.auth.method === AUTH_METHOD.SHARED_KEY_MIC
}

function askTrust(
  context: Context,
  sa: IkeSa,
  state: AuthSent,
  { idR, payloads }: { readonly idR: PayloadOf<'idR'>; readonly payloads: readonly Payload[] },
): void {
  const certificates = peerCertificates(payloads)
  const asked = ask(context, sa, { kind: 'trust', label: state.peer.label, idR: idR.id, certificates })
  const expiresAtMs = context.env.nowMs + context.config.timing.halfOpenMs
  sa.state = { ...state, phase: 'trustAsked', ask: asked, payloads, expiresAtMs }
  context.touched.add(sa)
}

function provesKey(
  context: Context,
  state: TrustAsked,
  { idR, auth, key }: ResponderProof & { readonly key: VerifyingKey },
): boolean {
  const signature = peerSignature(auth.method, auth.data, state.init.hashes)
  const octets = concatBytes(...octetsOf(context, state, idR))
  return signature !== null && !signature.isLegacyRsa && isSignedBy(key, signature, octets)
}

function octetsOf(context: Context, state: AuthSent | TrustAsked, idR: PayloadOf<'idR'>): Pieces {
  const { channel, init } = state
  const prf = prfOf(context.env.crypto, channel)
  return authOctets(prf, init, 'responder', identityBody(idR.id, idR.reserved), init.skPr)
}

function refuseResponder(context: Context, sa: IkeSa, state: AuthSent | TrustAsked): void {
  const { attachment, channel, spiIn } = state
  if (spiIn !== null) context.effects.push({ kind: 'releaseSpi', spiIn })
  sa.state = { phase: 'deleting', attachment, channel }
  const exchange = { sa, channel, exchangeType: EXCHANGE.INFORMATIONAL }
  const attempt = { kind: 'deleteIke', reason: 'authenticationFailed' } as const
  const isSent = sendRequest(context, exchange, [notify(NOTIFY.AUTHENTICATION_FAILED)], attempt)
  if (!isSent) forgetIkeSa(context, sa)
  report(context, state, 'authenticationFailed')
}
