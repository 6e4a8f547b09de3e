/**
 * IKE_INTERMEDIATE as responder: one additional key exchange (RFC 9242 3.2, RFC 9370 2.2.2).
 *
 * ```
 *   HDR(IKE_INTERMEDIATE), SK {KEi(n)}  -->
 *                                      <--  HDR(IKE_INTERMEDIATE), SK {KEr(n)}        new keys from here on
 * ```
 *
 * There are as many as were negotiated and no more: then only IKE_AUTH is heard, before only this (C37, N27).
 */
import type { Context, Received } from '../../endpoint/context.ts'
import { answerFatally } from '../../endpoint/fatal.ts'
import { headerOf, respond } from '../../endpoint/outbound.ts'
import { nextIntAuth, receivedOctets, sentOctets } from '../../keys/int-auth.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE } from '../../message/numbers.ts'
import type { IntermediateAwaited } from '../../sa/ike-sa.ts'
import { findPayload } from '../../sa/payload-shape.ts'
import { exchangeKeys } from '../child-answer.ts'
import { prfOf } from '../ike-keys.ts'
import { followInitiator } from '../ike-sa-init/nat-detection.ts'
import { isDone, renewKeys } from './progress.ts'

/** The payloads fit the table. */
export function receiveIntermediateRequest(context: Context, received: Received, state: IntermediateAwaited): void {
  const { sa, channel, messageId, payloads, path } = received
  if (!followInitiator(sa.route, path)) return
  const { init, progress, digest, expiresAtMs } = state
  const method = channel.transforms.additionalKe[progress.done]
  const asked = receivedOctets(received.octets)
  const exchanged = method && asked && exchangeKeys(context, method.id, findPayload(payloads, 'ke'))
  if (!exchanged || !asked || method === undefined) {
    answerFatally(context, received)
    return
  }
  const answer: readonly Payload[] = [{ kind: 'ke', group: method.id, data: exchanged.publicValue }]
  const exchange = { sa, channel, exchangeType: EXCHANGE.IKE_INTERMEDIATE }
  respond(context, exchange, messageId, answer, path)
  const prf = prfOf(context.env.crypto, channel)
  const answered = sentOctets(headerOf(exchange, messageId, true), answer)
  const chained = {
    ...progress,
    intAuthI: nextIntAuth(prf, init.skPi, progress.intAuthI, asked),
    intAuthR: nextIntAuth(prf, init.skPr, progress.intAuthR, answered),
  }
  const renewed = renewKeys(context, sa, { channel, init, progress: chained }, exchanged.sharedSecret)
  const kept = { channel: renewed.channel, init: renewed.init, digest, expiresAtMs }
  sa.state = isDone(renewed)
    ? { ...kept, phase: 'initAnswered' }
    : { ...kept, phase: 'intermediateAwaited', progress: renewed.progress }
}
