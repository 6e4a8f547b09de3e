/**
 * IKE_INTERMEDIATE as initiator: one exchange for each additional key exchange, then IKE_AUTH (RFC 9242 3.2, RFC 9370 2.2.2).
 */
import { closeAttachment, forgetIkeSa, reportFailure } from '../../endpoint/closing.ts'
import type { CloseReason } from '../../endpoint/contract.ts'
import type { Context, Received } from '../../endpoint/context.ts'
import { headerOf, sendRequest } from '../../endpoint/outbound.ts'
import { nextIntAuth, receivedOctets, sentOctets } from '../../keys/int-auth.ts'
import type { MessageId, Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { EMPTY } from '../../message/octets.ts'
import type { IkeSa, IntermediateSent } from '../../sa/ike-sa.ts'
import { findPayload, firstError } from '../../sa/payload-shape.ts'
import { sendAuthRequest } from '../ike-auth/initiate.ts'
import { abandonAuth } from '../ike-auth/receive-response.ts'
import { prfOf } from '../ike-keys.ts'
import { isDone, renewKeys } from './progress.ts'

type Attempted = Pick<IntermediateSent, 'attachment' | 'peer' | 'isChildless' | 'channel' | 'init'>

/** What follows IKE_SA_INIT: the additional key exchanges that were agreed, or IKE_AUTH at once. */
export function proceed(context: Context, sa: IkeSa, attempted: Attempted): void {
  const done = attempted.init.isResumed ? attempted.channel.transforms.additionalKe.length : 0
  advance(context, sa, { ...attempted, progress: { done, intAuthI: EMPTY, intAuthR: EMPTY } })
}

function advance(context: Context, sa: IkeSa, next: Omit<IntermediateSent, 'phase' | 'keyExchange'>): void {
  if (isDone(next)) authenticate(context, sa, next)
  else askNext(context, sa, next)
}

function askNext(context: Context, sa: IkeSa, next: Omit<IntermediateSent, 'phase' | 'keyExchange'>): void {
  const { channel, init, progress } = next
  const { env } = context
  const method = channel.transforms.additionalKe[progress.done]
  const keyExchange = method === undefined ? undefined : env.crypto.keyExchange(method.id)?.generate(env.rng)
  if (method === undefined || keyExchange === undefined) return
  const payloads: readonly Payload[] = [{ kind: 'ke', group: method.id, data: keyExchange.publicValue }]
  const exchange = { sa, channel, exchangeType: EXCHANGE.IKE_INTERMEDIATE }
  const asked = sentOctets(headerOf(exchange, channel.sent.next as MessageId, false), payloads)
  const intAuthI = nextIntAuth(prfOf(env.crypto, channel), init.skPi, progress.intAuthI, asked)
  sa.state = { ...next, phase: 'intermediateSent', keyExchange, progress: { ...progress, intAuthI } }
  sendRequest(context, exchange, payloads, { kind: 'intermediate' })
}

function authenticate(context: Context, sa: IkeSa, attempted: Attempted): void {
  const { attachment, peer, isChildless, channel, init } = attempted
  const spiIn = isChildless ? null : context.env.allocateChildSpi()
  if (spiIn === null && !isChildless) {
    end(context, sa, { attachment, peer }, 'protocolError', 'no inbound SPI is free')
    return
  }
  sa.state = { phase: 'authSent', attachment, peer, channel, init, spiIn }
  if (!sendAuthRequest(context, sa, sa.state)) abandonAuth(context, sa, sa.state, 'authenticationFailed')
}

/** The payloads fit the table. */
export function receiveIntermediateResponse(context: Context, received: Received, state: IntermediateSent): void {
  const { sa, channel, payloads, octets } = received
  const { init, progress, keyExchange, attachment, peer, isChildless } = state
  const method = channel.transforms.additionalKe[progress.done]
  const ke = findPayload(payloads, 'ke')
  const answered = receivedOctets(octets)
  const isOfMethod = ke !== null && ke.group === method?.id
  const sharedSecret = isOfMethod && firstError(payloads) === null ? keyExchange.sharedSecret(ke.data) : null
  if (sharedSecret === null || answered === null) {
    const isRefusal = firstError(payloads)?.type === NOTIFY.NO_PROPOSAL_CHOSEN
    abandonIntermediate(context, sa, state, isRefusal ? 'noProposal' : 'protocolError')
    return
  }
  const intAuthR = nextIntAuth(prfOf(context.env.crypto, channel), init.skPr, progress.intAuthR, answered)
  const renewed = renewKeys(context, sa, { channel, init, progress: { ...progress, intAuthR } }, sharedSecret)
  advance(context, sa, { attachment, peer, isChildless, ...renewed })
}

/** Ends an attempt of ours between IKE_SA_INIT and IKE_AUTH, without a word to the peer. */
export function abandonIntermediate(context: Context, sa: IkeSa, state: IntermediateSent, reason: CloseReason): void {
  const detail =
    reason === 'peerSilent' ? 'no answer to IKE_INTERMEDIATE' : 'an additional key exchange did not succeed'
  end(context, sa, state, reason, detail)
}

function end(
  context: Context,
  sa: IkeSa,
  { attachment, peer }: Pick<Attempted, 'attachment' | 'peer'>,
  reason: CloseReason,
  detail: string,
): void {
  forgetIkeSa(context, sa)
  closeAttachment(context, attachment, reason)
  const { path } = attachment.route
  const { label: subject, localId: idI } = peer
  reportFailure(context, { path, subject, idI, stage: 'intermediate', reason, detail })
}
