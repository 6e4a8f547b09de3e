/**
 * IKE_FOLLOWUP_KE as initiator: the request for the next additional key exchange (RFC 9370 2.2.4).
 */
import type { Context, Received } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { findNotify } from '../../sa/payload-shape.ts'
import type { CreatingAttempt, FollowUp } from '../../sa/request.ts'
import { linkPayload } from './promise.ts'

type Outstanding<T extends CreatingAttempt> = Omit<NonNullable<T['followUp']>, 'keyExchange'>

/**
 * Goes on after a response that names the state the responder keeps; the window is free.
 *
 * @returns false when the response has no such name, or nothing can be sent any more: the IKE SA is of no use then.
 */
export function sendFollowUp<T extends CreatingAttempt>(
  context: Context,
  { sa, channel, payloads }: Pick<Received, 'sa' | 'channel' | 'payloads'>,
  attempt: T,
  outstanding: Outstanding<T>,
): boolean {
  const { env } = context
  const link = findNotify(payloads, NOTIFY.ADDITIONAL_KEY_EXCHANGE)
  const method = outstanding.methods[outstanding.secrets.length]
  const keyExchange = method === undefined ? undefined : env.crypto.keyExchange(method.id)?.generate(env.rng)
  if (link === null || method === undefined || keyExchange === undefined) return false
  const ke: Payload = { kind: 'ke', group: method.id, data: keyExchange.publicValue }
  const followUp: FollowUp<unknown> = { ...outstanding, keyExchange }
  const exchange = { sa, channel, exchangeType: EXCHANGE.IKE_FOLLOWUP_KE }
  return sendRequest(context, exchange, [ke, linkPayload(link.data)], { ...attempt, followUp } as CreatingAttempt)
}
