/**
 * The IKE SA that a crossing rekey of the peer made beside our own attempt (RFC 7296 2.8.2).
 */
import type { Context } from '../../endpoint/context.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import type { Attempt } from '../../sa/request.ts'

/** @returns null when there is none or the peer deleted it already. */
export function standingRival(context: Context, attempt: Extract<Attempt, { kind: 'rekeyIke' }>): IkeSa | null {
  const rival = attempt.rival === null ? undefined : context.tables.bySpi.get(attempt.rival.localSpi)
  return rival?.state.phase === 'established' ? rival : null
}
