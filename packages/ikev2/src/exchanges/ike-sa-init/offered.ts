/**
 * What a peer offered and could not be taken, for people: copies, and not more reports than anybody can read.
 *
 * Nothing in IKE_SA_INIT is authenticated and a report costs more than a refusal, so there is a budget for all senders together;
 * what goes beyond it is counted and told with the next report.
 */
import { reportFailure } from '../../endpoint/closing.ts'
import type { Path } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { decodeMessage } from '../../message/decode.ts'
import type { Proposal } from '../../message/model.ts'
import type { InitExchange } from '../../sa/ike-sa.ts'
import { findPayload } from '../../sa/payload-shape.ts'
import { takeToken } from '../../sa/token-bucket.ts'

/** NO_PROPOSAL_CHOSEN in IKE_SA_INIT. */
export function reportRefusedOffer(context: Context, path: Path, offered: readonly Proposal[]): void {
  const { tables, env } = context
  if (!takeToken(tables.reportedOffers, env.nowMs)) {
    tables.unreportedOffers += 1
    return
  }
  const others = tables.unreportedOffers === 0 ? '' : `; ${tables.unreportedOffers} more were not reported`
  tables.unreportedOffers = 0
  reportFailure(context, {
    path,
    subject: null,
    idI: null,
    stage: 'init',
    reason: 'noProposal',
    detail: `nothing acceptable offered for the IKE SA${others}`,
    offered: copyProposals(offered),
  })
}

/** What the initiator of a half-open IKE SA offered for it. */
export function offeredForIke({ request }: Pick<InitExchange, 'request'>): readonly Proposal[] {
  const message = decodeMessage(request)
  return message.ok ? copyProposals(findPayload(message.value.payloads, 'sa')?.proposals ?? []) : []
}

/** Copies that share nothing with the datagram they came in. */
export function copyProposals(proposals: readonly Proposal[]): readonly Proposal[] {
  return proposals.map((proposal) => ({
    ...proposal,
    spi: proposal.spi.slice(),
    transforms: proposal.transforms.map((transform) => ({ ...transform })),
  }))
}
