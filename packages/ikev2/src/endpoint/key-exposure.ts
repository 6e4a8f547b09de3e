/**
 * Tells a dissector the keys of an IKE SA that was just made, when the configuration asks for that; else does nothing.
 */
import { type Context, emit } from './context.ts'
import type { IkeKeys } from '../keys/key-schedule.ts'
import type { IkeSpi } from '../message/model.ts'
import type { Channel } from '../sa/channel.ts'

/** Called wherever keys of an IKE SA are derived; what goes out are copies. */
export function exposeKeys(
  context: Context,
  { spiI, spiR }: { readonly spiI: IkeSpi; readonly spiR: IkeSpi },
  { transforms }: Channel,
  keys: IkeKeys,
): void {
  if (context.config.exposeKeys !== true) return
  const { encr, integ } = transforms
  const { skEi, skEr, skAi, skAr } = keys
  const copies = { skEi: skEi.slice(), skEr: skEr.slice(), skAi: skAi.slice(), skAr: skAr.slice() }
  emit(context, { kind: 'ikeKeys', keys: { spiI, spiR, encr, integ, ...copies } })
}
