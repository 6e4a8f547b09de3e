/**
 * The response to our IKE_AUTH request (RFC 7296 1.2, 2.15, 2.21.2).
 *
 * The responder proves itself with the same secret under the identity we expect, else it hears AUTHENTICATION_FAILED in an
 * INFORMATIONAL exchange and the attempt is over. Without a usable Child SA the IKE SA stays (C33).
 */
import { closeAttachment, forgetIkeSa, reportFailure } from '../../endpoint/closing.ts'
import type { CloseReason } from '../../endpoint/contract.ts'
import { type Context, emit, type Received } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Identity } from '../../message/model.ts'
import { AUTH_METHOD, EXCHANGE, NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { compareBytes, constantTimeEqual, readU32 } from '../../message/octets.ts'
import type { Spi } from '../../message/model.ts'
import { checkChoice } from '../../proposal/offer.ts'
import { addTask, allowSelectors } from '../../sa/attachment.ts'
import type { ChildSa } from '../../sa/child-sa.ts'
import type { AuthSent, IkeSa } from '../../sa/ike-sa.ts'
import { findPayload, firstError } from '../../sa/payload-shape.ts'
import { narrow } from '../../traffic-selector/narrow.ts'
import { childSummary, installChild, resolveChildSuite } from '../child-keys.ts'
import { establishIkeSa, ikeSummary } from '../ike-establish.ts'
import { prfOf } from '../ike-keys.ts'
import { notify } from '../notify.ts'
import { assignedAddresses } from './configuration.ts'
import { firstChildProposals, secretOf } from './initiate.ts'
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
  if (isGenuine) establish(context, received, state)
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

function establish(context: Context, { sa, channel, payloads }: Received, state: AuthSent): void {
  const { attachment } = state
  const { ip4, ip6 } = assignedAddresses(findPayload(payloads, 'cp'))
  establishIkeSa(context, attachment, sa, channel)
  const child = firstChild(context, state, payloads)
  if (child === null) giveUpChild(context, state, payloads)
  const ike = ikeSummary(sa, channel)
  const { key, subject } = attachment
  emit(context, { kind: 'established', key, subject, role: 'initiator', ike, credential: null, ip4, ip6 })
  if (child !== null) emit(context, { kind: 'childEstablished', key, child: childSummary(child) })
}

/** The IKE SA stays without a Child SA; unless the responder believes in one that is not what we offered. */
function giveUpChild(context: Context, { attachment, spiIn }: AuthSent, payloads: Received['payloads']): void {
  context.effects.push({ kind: 'releaseSpi', spiIn })
  if (findPayload(payloads, 'sa') === null) return
  addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
}

/** @returns null when the responder refused it or chose what we did not offer. */
function firstChild(context: Context, state: AuthSent, payloads: Received['payloads']): ChildSa | null {
  const { attachment, channel, init, peer, spiIn } = state
  const answered = findPayload(payloads, 'sa')
  const tsLocal = narrow(findPayload(payloads, 'tsI')?.selectors ?? [], peer.tsLocal)
  const tsRemote = narrow(findPayload(payloads, 'tsR')?.selectors ?? [], peer.tsRemote)
  if (answered === null || tsLocal === null || tsRemote === null) return null
  const options = { protocolId: PROTOCOL.ESP, kePolicy: 'absent' } as const
  const offered = firstChildProposals(context, spiIn)
  const selected = checkChoice(context.config.proposals.esp, offered, answered.proposals, options)
  const suite = selected === null ? null : resolveChildSuite(context.env, selected)
  if (selected === null || suite === null || selected.proposal.spi.length !== 4) return null
  allowSelectors(attachment, { tsLocal, tsRemote })
  return installChild(context, attachment, {
    prf: prfOf(context.env.crypto, channel),
    skD: channel.skD,
    suite,
    nonceI: init.nonceI,
    nonceR: init.nonceR,
    sharedSecret: null,
    exchangeInitiator: true,
    spiIn,
    spiOut: readU32(selected.proposal.spi, 0) as Spi,
    tsLocal,
    tsRemote,
    outbound: true,
    replaces: null,
  })
}
