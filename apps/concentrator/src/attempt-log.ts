/**
 * Log lines about failed attach attempts, for which nobody has to prove anything: bounded, or a flood of attempts becomes a flood
 * of lines. What is left out is counted in the next line.
 */
import type { IkeEvent } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { identityText } from './credential-desk.ts'

const MOST_LINES = 20
const LINE_EVERY_MS = 1000

type FailedAttempt = Extract<IkeEvent, { kind: 'attemptFailed' }>

/** @returns to be called for each failed attempt, `nowMs` of a monotonic clock */
export function createAttemptLog(log: Pick<Logger, 'info' | 'debug'>): (event: FailedAttempt, nowMs: number) => void {
  let lines = MOST_LINES
  let countedMs = 0
  let leftOut = 0

  return (event, nowMs) => {
    const earned = Math.floor((nowMs - countedMs) / LINE_EVERY_MS)
    if (earned > 0) {
      lines = Math.min(MOST_LINES, lines + earned)
      countedMs = nowMs
    }
    if (lines === 0) {
      leftOut++
      return
    }
    lines--
    const { reason, detail, path } = event
    log.info({ reason, detail, ...(leftOut > 0 && { leftOut }) }, 'an attach attempt failed')
    log.debug({ identity: event.idI ? identityText(event.idI) : null, from: path.remote }, 'the attempt came from')
    leftOut = 0
  }
}
