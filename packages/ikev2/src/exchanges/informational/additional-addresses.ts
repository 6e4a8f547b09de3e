/**
 * Where else this end is reached (RFC 4555 3.4, 3.6): told in IKE_AUTH, and again when it changes. Each list takes the place of the
 * one before.
 *
 * ```
 *   HDR, SK {N(ADDITIONAL_IP4_ADDRESS)+, N(ADDITIONAL_IP6_ADDRESS)+}  -->
 *   HDR, SK {N(NO_ADDITIONAL_ADDRESSES)}  -->                            there is none but the one in use
 * ```
 *
 * What a peer tells us is not kept. A responder needs it only to say that its own address has changed (3.6), and ours does not; an
 * initiator stays with the address of its gateway that it was configured with.
 */
import { compareBytes, parseIp } from '@culvert/bytes'
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { notify } from '../notify.ts'

const MOST_ADDRESSES = 16

/** @returns a notify for each address of ours but the one in use; nothing when nobody said which we have. */
export function additionalAddresses({ config, tables }: Context, { route }: Attachment): readonly Payload[] {
  const here = parseIp(route.path.local.address)
  const others = (tables.ownAddresses ?? config.addresses ?? []).flatMap((text) => {
    const address = parseIp(text)
    return address === undefined || (here !== undefined && compareBytes(address, here) === 0) ? [] : [address]
  })
  return others
    .slice(0, MOST_ADDRESSES)
    .map((address) =>
      notify(address.length === 4 ? NOTIFY.ADDITIONAL_IP4_ADDRESS : NOTIFY.ADDITIONAL_IP6_ADDRESS, address),
    )
}

/** @returns `skipped` without MOBIKE, `exhausted` when the IKE SA cannot send. */
export function announceAddresses(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
): 'sent' | 'skipped' | 'exhausted' {
  if (attachment.mobike === null) return 'skipped'
  const others = additionalAddresses(context, attachment)
  const payloads = others.length === 0 ? [notify(NOTIFY.NO_ADDITIONAL_ADDRESSES)] : others
  const exchange = { ...ike, exchangeType: EXCHANGE.INFORMATIONAL }
  return sendRequest(context, exchange, payloads, { kind: 'announceAddresses' }) ? 'sent' : 'exhausted'
}
