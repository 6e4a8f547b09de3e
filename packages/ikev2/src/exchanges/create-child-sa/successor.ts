/**
 * Makes the IKE SA that follows another one, on either end of the exchange (RFC 7296 2.18, RFC 9370 2.2.4).
 *
 *   SKEYSEED = prf(old SK_d, SK(0) | Ni | Nr | SK(1) | ... SK(n))
 */
import type { Context } from '../../endpoint/context.ts'
import { shareTransforms } from '../../endpoint/tables.ts'
import { type IkeInput, wipeSecrets } from '../../sa/agreement.ts'
import { addOther, type Attachment } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import { createIkeSa, type IkeSa } from '../../sa/ike-sa.ts'
import { exposeKeys } from '../expose-keys.ts'
import { establishedState } from '../ike-establish.ts'
import { deriveChannel, prfOf } from '../ike-keys.ts'

/**
 * @param old channel of the IKE SA that is rekeyed.
 * @param additional secrets of the additional key exchanges; zeroed with the first one.
 * @returns the new IKE SA, established, among the `others` of the attachment.
 */
export function makeSuccessor(
  context: Context,
  attachment: Attachment,
  old: Channel,
  { originalInitiator, input, additional }: Succession,
): IkeSa {
  const { env, tables } = context
  const { resolved, spiI, spiR } = input
  const { channel } = deriveChannel({
    ...input,
    resolved: { ...resolved, transforms: shareTransforms(tables, resolved.transforms) },
    originalInitiator,
    fragmentation: old.fragmentation,
    additional,
    oldSkD: old.skD,
    oldPrf: prfOf(env.crypto, old),
  })
  wipeSecrets([input.sharedSecret, ...additional])
  const state = establishedState(context, attachment, channel)
  const sa = createIkeSa({ spiI, spiR, originalInitiator, route: attachment.route, state })
  tables.bySpi.set(sa.localSpi, sa)
  exposeKeys(context, sa, channel)
  addOther(attachment, sa)
  context.touched.add(sa)
  return sa
}

export interface Succession {
  readonly originalInitiator: boolean
  readonly input: IkeInput
  readonly additional: readonly Uint8Array[]
}
