/** How long things that callers make stay good: a time in the future, not too far away. */
import { DomainError } from '@culvert/contracts'

const dayMs = 86_400_000
export const keyLifetime = { usualMs: 365 * dayMs, longestMs: 731 * dayMs }

/** @returns undefined when no time is given. @throws validation_failed for one that is over or further away than `longestMs` */
export function expiryOf(text: string | undefined, longestMs: number = keyLifetime.longestMs): Date | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  const leftMs = time.getTime() - Date.now()
  if (leftMs > 0 && leftMs <= longestMs) return time
  const message =
    leftMs > 0 ? `must be at most ${Math.floor(longestMs / dayMs)} days from now` : 'must be in the future'
  throw new DomainError('validation_failed', {
    publicDetail: `body /expiresAt ${message}.`,
    errors: [{ in: 'body', pointer: '/expiresAt', message }],
  })
}
