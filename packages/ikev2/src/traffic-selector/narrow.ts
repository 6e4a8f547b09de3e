/**
 * Narrows the selectors a peer offers to what policy allows (RFC 7296 2.9).
 *
 * The answer is everything both sides agree on, so it always contains what is allowed of the first selector, the one that may
 * describe the packet that made the peer start (C38). It never holds a selector twice nor one that another covers, and it is
 * bounded.
 */
import type { TrafficSelector } from '../message/model.ts'
import { contains, intersect, sameSelector } from './selector.ts'

/** Selectors in one answer; the first ones of the offer win. */
const MAX_SELECTORS = 32

/**
 * @param offered TSi or TSr as it came. @param allowed by the policy for that side.
 * @returns the common part, in the order of the offer, `allowed` itself when that is all of it; null when there is none
 *   (TS_UNACCEPTABLE).
 */
export function narrow(
  offered: readonly TrafficSelector[],
  allowed: readonly TrafficSelector[],
): readonly TrafficSelector[] | null {
  let agreed: TrafficSelector[] = []
  for (const theirs of offered) {
    for (const ours of allowed) {
      const common = commonOf(ours, theirs)
      if (common === null || agreed.some((selector) => contains(selector, common))) continue
      agreed = agreed.filter((selector) => !contains(common, selector))
      if (agreed.length < MAX_SELECTORS) agreed.push(common)
    }
  }
  if (agreed.length === 0) return null
  const isAll = agreed.length === allowed.length && agreed.every((selector, index) => selector === allowed[index])
  return isAll ? allowed : agreed.slice() // an array that was pushed to keeps room for more
}

/** What is ours entirely is our own object: one for all peers, and nothing of the message it came in is kept alive. */
function commonOf(ours: TrafficSelector, theirs: TrafficSelector): TrafficSelector | null {
  const common = intersect(ours, theirs)
  return common !== null && sameSelector(common, ours) ? ours : common
}

/** Whether every selector of `inner` lies within one of `outer`: a rekey may not come out narrower (C40, RFC 7296 2.9.2). */
export function covers(outer: readonly TrafficSelector[], inner: readonly TrafficSelector[]): boolean {
  return inner.every((selector) => outer.some((candidate) => contains(candidate, selector)))
}
