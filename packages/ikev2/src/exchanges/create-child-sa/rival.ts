/**
 * The IKE SA that a crossing rekey of the peer made, or is going to make, beside our own attempt (RFC 7296 2.8.2, RFC 9370 2.2.4).
 */
import type { Context } from '../../endpoint/context.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import type { Attempt } from '../../sa/request.ts'
import { type UnfinishedIke, unfinishedIke } from '../../sa/unfinished.ts'

type RekeyIkeAttempt = Extract<Attempt, { kind: 'rekeyIke' }>

/** @returns null when there is none (yet) or the peer deleted it already. */
export function standingRival(context: Context, { rival }: RekeyIkeAttempt): IkeSa | null {
  const sa = rival === null ? undefined : context.tables.bySpi.get(rival.localSpi)
  return sa?.state.phase === 'established' ? sa : null
}

/** The peer's exchange while its additional key exchanges are outstanding. */
export function unfinishedRival(attachment: Attachment, { rival }: RekeyIkeAttempt): UnfinishedIke | null {
  const unfinished = unfinishedIke(attachment)
  return rival !== null && unfinished?.input.spiR === rival.localSpi ? unfinished : null
}

export function rivalRemains(context: Context, attachment: Attachment, attempt: RekeyIkeAttempt): boolean {
  return standingRival(context, attempt) !== null || unfinishedRival(attachment, attempt) !== null
}
