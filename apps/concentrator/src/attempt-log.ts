/**
 * Log lines about failed attach attempts, for which nobody has to prove anything: bounded, or a flood of attempts becomes a flood
 * of lines. What is left out is counted in the next line. A line names the device whose identity was claimed by our own id of it,
 * never by what the peer sent; that says whose identity it was, not who claimed it.
 */
import type { Identity, IkeEvent } from '@culvert/ikev2'
import type { Logger } from '@culvert/observability'
import { identityText } from './credential-desk.ts'

const MOST_LINES = 20
const LINE_EVERY_MS = 1000
/** An attempt fails soon after its identity was found, so few are enough. */
const MOST_CLAIMED = 1000

type FailedAttempt = Extract<IkeEvent, { kind: 'attemptFailed' }>

export interface AttemptLog {
  /** Somebody claims an identity that is a device's. */
  claimed(idI: Identity, deviceId: string): void
  /** @param nowMs of a monotonic clock */
  failed(event: FailedAttempt, nowMs: number): void
}

export function createAttemptLog(log: Pick<Logger, 'info' | 'debug'>): AttemptLog {
  /** Device ids by identity, the latest last. */
  const devices = new Map<string, string>()
  let lines = MOST_LINES
  let countedMs = 0
  let leftOut = 0

  function claimed(idI: Identity, deviceId: string): void {
    const identity = identityText(idI)
    if (identity === null) return
    devices.delete(identity)
    devices.set(identity, deviceId)
    if (devices.size <= MOST_CLAIMED) return
    const oldest = devices.keys().next()
    if (!oldest.done) devices.delete(oldest.value)
  }

  function failed(event: FailedAttempt, nowMs: number): void {
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
    const identity = event.idI && identityText(event.idI)
    const deviceId = event.subject ?? devices.get(identity ?? '')
    log.info(
      { ...(deviceId !== undefined && { deviceId }), reason, detail, ...(leftOut > 0 && { leftOut }) },
      'an attach attempt failed',
    )
    log.debug({ identity, from: path.remote }, 'the attempt came from')
    leftOut = 0
  }

  return { claimed, failed }
}
