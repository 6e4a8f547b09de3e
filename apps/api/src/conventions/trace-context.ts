/**
 * W3C Trace Context: a caller's `traceparent` goes on here. Its trace id stands in every line of the log of the request; the
 * answer names it with a span of our own. What is none is left alone, as the standard asks.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  /** Of this call, for the answer. */
  readonly traceparent: string
}

const form = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.{0,200})?$/
const known = new WeakMap<IncomingMessage, TraceContext | null>()

/** @returns null when the caller sent no trace; the same for the same request each time */
export function traceContextOf(message: IncomingMessage): TraceContext | null {
  const before = known.get(message)
  if (before !== undefined) return before
  const [, traceId, flags = '00'] = form.exec(String(message.headers['traceparent'] ?? '')) ?? []
  const made = traceId === undefined ? null : newSpan(traceId, flags)
  known.set(message, made)
  return made
}

function newSpan(traceId: string, flags: string): TraceContext {
  const spanId = randomBytes(8).toString('hex')
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` }
}
