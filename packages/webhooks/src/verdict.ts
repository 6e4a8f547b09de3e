/**
 * What came of an attempt (Standard Webhooks, "Operational considerations"): 2xx is success and everything else is not, a redirect
 * least of all, as it would lead a signed body to where nobody has checked.
 */
import { retryAfterSec } from './retry-after.ts'

/** Null: there was no answer in time, or nobody was reached. */
export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>> } | null

export type Verdict =
  | { readonly kind: 'delivered' }
  /** The receiver does not want this message any more; others it does. */
  | { readonly kind: 'aborted' }
  /** The endpoint is no more: it is switched off. */
  | { readonly kind: 'gone' }
  | {
      readonly kind: 'again'
      /** It has too much: nothing is sent to it for a while, and this is no sign that it is broken. */
      readonly throttle: boolean
      /** What it asked for; null: nothing. */
      readonly retryAfterSec: number | null
    }

const gone = 410
const tooMuch = new Set([429, 502, 504])
/** A header of the answer by which a receiver refuses one message for good. */
const stopHeader = 'webhook-delivery'
const stopValue = 'abort-message'

/** @param answer with names of headers in lower case @param nowMs Unix time, for a `Retry-After` that is a date */
export function verdictOf(answer: Answer, nowMs: number): Verdict {
  if (answer === null) return { kind: 'again', throttle: false, retryAfterSec: null }
  const { status, headers } = answer
  if (status >= 200 && status <= 299) return { kind: 'delivered' }
  if (status === gone) return { kind: 'gone' }
  if (headers[stopHeader]?.trim().toLowerCase() === stopValue) return { kind: 'aborted' }
  return { kind: 'again', throttle: tooMuch.has(status), retryAfterSec: retryAfterSec(headers['retry-after'], nowMs) }
}
