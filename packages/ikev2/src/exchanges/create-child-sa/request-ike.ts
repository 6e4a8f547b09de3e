/**
 * Our rekey of the IKE SA: the request (RFC 7296 1.3.2, 2.18).
 *
 * ```
 *   HDR, SK {SA (our new SPI), Ni, KEi}  -->
 * ```
 */
import type { Context } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import type { Payload, Proposal } from '../../message/model.ts'
import { EXCHANGE, PROTOCOL } from '../../message/numbers.ts'
import { ikeSpiBytes } from '../../message/octets.ts'
import { proposalsFor } from '../../proposal/offer.ts'
import { ikeSuitesOf } from '../../proposal/peer-policy.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import type { Task, Work } from '../../sa/request.ts'
import { keyPayload, makeOffer } from './request-child.ts'

type RekeyIke = Extract<Work, { kind: 'rekeyIke' }>

/** @returns `skipped` when the policy has no method the provider knows, `exhausted` when the IKE SA cannot send. */
export function requestIkeRekey(
  context: Context,
  attachment: Attachment,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
  task: Task & { readonly work: RekeyIke },
): 'sent' | 'skipped' | 'exhausted' {
  const group = task.work.group ?? firstGroup(attachment, ike.channel)
  const offer = makeOffer(context, group)
  if (offer === null) return 'skipped'
  const localSpi = context.env.allocateIkeSpi()
  const payloads: Payload[] = [
    { kind: 'sa', proposals: rekeyProposals(attachment, ike.channel, ikeSpiBytes(localSpi), group) },
    { kind: 'nonce', data: offer.nonce },
    ...keyPayload(offer),
  ]
  const attempt = { kind: 'rekeyIke', localSpi, offer, refusals: task.refusals, rival: null } as const
  const exchange = { ...ike, exchangeType: EXCHANGE.CREATE_CHILD_SA }
  return sendRequest(context, exchange, payloads, { ...attempt }) ? 'sent' : 'exhausted'
}

/**
 * What we offer for a rekey: the tier in use, the group of the KE payload first, and additional key exchanges only to a peer that
 * has shown that it knows them.
 */
export function rekeyProposals(
  { policy }: Attachment,
  { transforms }: Channel,
  spi: Uint8Array,
  group: number,
): readonly Proposal[] {
  const suites = ikeSuitesOf(policy, transforms.tier)
  const additionalKe = transforms.additionalKe.length > 0
  return proposalsFor(suites, PROTOCOL.IKE, spi, { kePolicy: 'required', keGroupFirst: group, additionalKe })
}

/** The group in use, unless the policy has it no more: the KE payload is of a group we offer (C14). */
function firstGroup({ policy }: Attachment, { transforms }: Channel): number {
  const groups = ikeSuitesOf(policy, transforms.tier).flatMap(({ ke }) => ke.map(({ id }) => id))
  return groups.includes(transforms.ke.id) ? transforms.ke.id : (groups[0] ?? transforms.ke.id)
}
