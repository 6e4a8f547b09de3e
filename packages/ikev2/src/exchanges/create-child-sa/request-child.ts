/**
 * Our rekey of a Child SA: the request (RFC 7296 1.3.3).
 *
 * ```
 *   HDR, SK {N(REKEY_SA, our inbound SPI), SA, Ni, [KEi], TSi, TSr}  -->
 * ```
 *
 * The selectors are those in use. An offer with a KE payload holds NONE too, for a peer without PFS.
 */
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload, Proposal, Spi } from '../../message/model.ts'
import { EXCHANGE, KE, NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { proposalsFor } from '../../proposal/offer.ts'
import { type Attachment, findChildIn } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { ChildSa } from '../../sa/child-sa.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import type { Attempt, KeyOffer, Task, Work } from '../../sa/request.ts'
import { NONCE_BYTES } from '../ike-sa-init/respond.ts'
import { childNotify, notify, spiBytes } from '../notify.ts'

type RekeyChild = Extract<Work, { kind: 'rekeyChild' }>

/** @returns `skipped` when there is nothing (any more) to rekey, `exhausted` when the IKE SA cannot send. */
export function requestChildRekey(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
  task: Task & { readonly work: RekeyChild },
): 'sent' | 'skipped' | 'exhausted' {
  const child = findChildIn(attachment, task.work.spiIn)
  if (child === null || child.state.kind !== 'installed') return 'skipped'
  const offer = makeOffer(context, task.work.group ?? groupToOffer(attachment, child))
  const spiIn = offer === null ? null : context.env.allocateChildSpi()
  if (offer === null || spiIn === null) return 'skipped'
  const payloads: Payload[] = [
    childNotify(NOTIFY.REKEY_SA, child.spiIn),
    ...(child.mode === 'transport' ? [notify(NOTIFY.USE_TRANSPORT_MODE)] : []),
    { kind: 'sa', proposals: childProposals(attachment, spiIn, offer.group) },
    { kind: 'nonce', data: offer.nonce },
    ...keyPayload(offer),
    { kind: 'tsI', selectors: child.tsLocal },
    { kind: 'tsR', selectors: child.tsRemote },
  ]
  const { refusals } = task
  const { mode, tsLocal, tsRemote } = child
  const attempt: Attempt = {
    kind: 'rekeyChild',
    replaces: child.spiIn,
    spiIn,
    offer,
    mode,
    tsLocal,
    tsRemote,
    refusals,
    rival: null,
  }
  const exchange = { ...ike, exchangeType: EXCHANGE.CREATE_CHILD_SA }
  if (sendRequest(context, exchange, payloads, attempt)) return 'sent'
  context.effects.push({ kind: 'releaseSpi', spiIn })
  return 'exhausted'
}

/** With tiers, which are for peers of all kinds, only one that made a key exchange for this Child SA is offered one: some fail else. */
function groupToOffer({ policy }: Attachment, child: ChildSa): number {
  const [best] = policy.tiers
  return best === undefined || best.name !== null ? child.group : (best.esp[0]?.ke[0]?.id ?? KE.NONE)
}

/** What we offer for a Child SA in CREATE_CHILD_SA. */
export function childProposals({ policy }: Attachment, spiIn: Spi, group: number): readonly Proposal[] {
  const options = group === KE.NONE ? ({ kePolicy: 'absent' } as const) : childOffer(group)
  return proposalsFor(policy.esp, PROTOCOL.ESP, spiBytes(spiIn), options)
}

function childOffer(group: number): { readonly kePolicy: 'optional'; readonly keGroupFirst: number } {
  return { kePolicy: 'optional', keGroupFirst: group }
}

/** @returns null when the provider lacks the group. */
export function makeOffer(context: Context, group: number): KeyOffer | null {
  const { env } = context
  const keyExchange = group === KE.NONE ? null : env.crypto.keyExchange(group)?.generate(env.rng)
  return keyExchange === undefined ? null : { nonce: env.rng(NONCE_BYTES), group, keyExchange }
}

export function keyPayload({ group, keyExchange }: KeyOffer): readonly Payload[] {
  return keyExchange === null ? [] : [{ kind: 'ke', group, data: keyExchange.publicValue }]
}
