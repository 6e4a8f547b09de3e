/**
 * What becomes of our own rekey or new Child SA when the peer refuses it (RFC 7296 1.3, 2.25; C51).
 *
 * ```
 *   INVALID_KE_PAYLOAD   again at once with the group named, when it is one of ours
 *   TEMPORARY_FAILURE    again after a while, over some minutes; then the IKE SA is given up, or the new Child SA
 *   INVALID_SYNTAX       the IKE SA is gone on both ends (2.21.3)
 *   anything else        not now: again after a while, until the lifetime ends
 * ```
 */
import { closeAttachment } from '../../endpoint/closing.ts'
import type { SuitePolicy } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { readU16 } from '../../message/octets.ts'
import { addTask, type Attachment } from '../../sa/attachment.ts'
import type { Notify } from '../../sa/payload-shape.ts'
import type { Work } from '../../sa/request.ts'

type RefusableWork = Extract<Work, { kind: 'rekeyIke' | 'rekeyChild' | 'createChild' }>

const TEMPORARY_FAILURE_DELAY_MS = 5_000
const MAX_REFUSALS = 40
const MAX_GROUP_CHANGES = 3
/** Wait before another rekey after a refusal for good. */
export const REKEY_RETRY_MS = 60_000

export interface Refused {
  readonly work: RefusableWork
  /** Group of the KE payload we sent. */
  readonly group: number
  readonly refusals: number
  readonly policy: readonly SuitePolicy[]
}

/** @returns `later` when the caller may try again after REKEY_RETRY_MS; `done` when everything is arranged. */
export function handleRefusal(
  context: Context,
  attachment: Attachment,
  error: Notify,
  refused: Refused,
): 'later' | 'done' {
  const { work, refusals } = refused
  switch (error.type) {
    case NOTIFY.INVALID_SYNTAX:
      closeAttachment(context, attachment, 'protocolError')
      return 'done'
    case NOTIFY.INVALID_KE_PAYLOAD: {
      const group = readU16(error.data, 0)
      if (!isAnotherOfOurs(group, refused) || refusals >= MAX_GROUP_CHANGES) return 'later'
      addTask(attachment, { work: { ...work, group }, notBeforeMs: context.env.nowMs, refusals: refusals + 1 })
      return 'done'
    }
    case NOTIFY.TEMPORARY_FAILURE: {
      const notBeforeMs = context.env.nowMs + TEMPORARY_FAILURE_DELAY_MS + jitterMs(context)
      if (refusals >= MAX_REFUSALS && work.kind === 'createChild') return 'later'
      if (refusals < MAX_REFUSALS) addTask(attachment, { work, notBeforeMs, refusals: refusals + 1 })
      else addTask(attachment, { work: { kind: 'deleteIke', reason: 'expired' }, notBeforeMs: 0, refusals: 0 })
      return 'done'
    }
    default:
      return 'later'
  }
}

function isAnotherOfOurs(group: number, refused: Refused): boolean {
  return group !== refused.group && refused.policy.some((suite) => suite.ke.some(({ id }) => id === group))
}

/** Keeps the two ends from asking again at the same moment. */
function jitterMs(context: Context): number {
  const [high = 0, low = 0] = context.env.rng(2)
  return (high * 256 + low) % TEMPORARY_FAILURE_DELAY_MS
}
