/**
 * How far the additional key exchanges before IKE_AUTH are, and what they do to the keys (RFC 9370 2.2.2).
 *
 * ```
 *   SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr)        then all seven keys, as in RFC 7296 2.14
 * ```
 *
 * From the next message on the new keys are used; message ids and IVs count on. The responder keeps the old keys of the peer until
 * the next request, in case its response was lost.
 */
import type { Context } from '../../endpoint/context.ts'
import { intAuthOf } from '../../keys/int-auth.ts'
import { deriveIkeKeys } from '../../keys/key-schedule.ts'
import type { SkKeys } from '../../message/seal.ts'
import { type Channel, forgetFormerKeys } from '../../sa/channel.ts'
import type { IkeSa, InitExchange, IntermediateProgress } from '../../sa/ike-sa.ts'
import { exposeKeys } from '../expose-keys.ts'
import { prfOf } from '../ike-keys.ts'

export interface Renewed {
  readonly channel: Channel
  /** With the new SK_pi and SK_pr; once all key exchanges are through, with IntAuth. */
  readonly init: InitExchange
  readonly progress: IntermediateProgress
}

/** One more key exchange is through. @param sharedSecret zeroed. */
export function renewKeys(
  context: Context,
  sa: IkeSa,
  { channel, init, progress }: Renewed,
  sharedSecret: Uint8Array,
): Renewed {
  const { nonceI, nonceR } = init
  const { cipher, integ } = channel.sending
  const suite = { prf: prfOf(context.env.crypto, channel), cipher, integ }
  const spis = { spiI: sa.spiI, spiR: sa.spiR }
  const keys = deriveIkeKeys(suite, { nonceI, nonceR, ...spis, sharedSecret, oldSkD: channel.skD })
  const ofInitiator: SkKeys = { cipher, integ, encrKey: keys.skEi, integKey: keys.skAi }
  const ofResponder: SkKeys = { cipher, integ, encrKey: keys.skEr, integKey: keys.skAr }
  const next: Channel = {
    ...channel,
    skD: keys.skD,
    sending: sa.originalInitiator ? ofInitiator : ofResponder,
    receiving: sa.originalInitiator ? ofResponder : ofInitiator,
    formerReceiving: channel.receiving,
  }
  if (sa.originalInitiator) forgetFormerKeys(next)
  const { encrKey, integKey } = channel.sending
  for (const secret of [sharedSecret, channel.skD, init.skPi, init.skPr, encrKey, integKey]) secret.fill(0)
  exposeKeys(context, sa, next)
  const done = progress.done + 1
  const isLast = done === channel.transforms.additionalKe.length
  const messageId = sa.originalInitiator ? channel.sent.next : channel.received.expected
  const intAuth = isLast ? intAuthOf(progress.intAuthI, progress.intAuthR, messageId) : init.intAuth
  return {
    channel: next,
    init: { ...init, skPi: keys.skPi, skPr: keys.skPr, intAuth },
    progress: { ...progress, done },
  }
}

export function isDone({ channel, progress }: Pick<Renewed, 'channel' | 'progress'>): boolean {
  return progress.done >= channel.transforms.additionalKe.length
}
