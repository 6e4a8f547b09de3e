/**
 * Keys of an IKE SA for a dissector: only where the configuration says so, never in production.
 */
import { type Context, emit } from '../endpoint/context.ts'
import type { Channel } from '../sa/channel.ts'
import type { IkeSa } from '../sa/ike-sa.ts'

/** To be called whenever an IKE SA got keys: made, rekeyed, resumed, or mixed with another key exchange. The event holds copies. */
export function exposeKeys(context: Context, sa: IkeSa, channel: Channel): void {
  if (context.config.exposeKeys !== true) return
  const { sending, receiving, transforms } = channel
  const [ofInitiator, ofResponder] = sa.originalInitiator ? [sending, receiving] : [receiving, sending]
  const keys = {
    spiI: sa.spiI,
    spiR: sa.spiR,
    encr: transforms.encr,
    integ: transforms.integ,
    skEi: ofInitiator.encrKey.slice(),
    skEr: ofResponder.encrKey.slice(),
    skAi: ofInitiator.integKey.slice(),
    skAr: ofResponder.integKey.slice(),
  }
  emit(context, { kind: 'ikeKeys', keys })
}
