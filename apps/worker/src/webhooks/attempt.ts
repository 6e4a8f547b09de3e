/** One attempt: the request that is signed and sent, and what came of it in the form that the log keeps. */
import type { AttemptResult, DueDelivery } from '@culvert/db'
import type { Egress, EgressResult } from '@culvert/egress'
import { deliveryBody, delayAfter, signedHeaders, verdictOf, type Signer, type Verdict } from '@culvert/webhooks'

export interface Outcome {
  readonly verdict: Verdict
  readonly status: number | null
  readonly durationMs: number
  readonly result: AttemptResult
}

export interface AttemptMeans {
  readonly egress: Egress
  readonly random: () => number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** The whole exchange. */
export const attemptTimeoutMs = 15_000
/** Of the answer's body, kept in the log. */
const keptBodyBytes = 8_192
const keptHeaders = 40
const keptHeaderCharacters = 500
const userAgent = 'Culvert-Webhooks/1.0'
/** Of receivers to themselves. */
const secretHeaders = new Set(['set-cookie', 'set-cookie2', 'authorization', 'proxy-authenticate', 'www-authenticate'])

/** @returns null when nothing was sent: too much is under way here, or this process ends */
export async function attemptDelivery(
  { url, delivery, signers }: { url: string; delivery: DueDelivery; signers: readonly Signer[] },
  { egress, random, timeoutMs, signal }: AttemptMeans,
): Promise<Outcome | null> {
  const at = new Date()
  const { event } = delivery
  if (event === null) return unsent(delivery, at, 'event_forgotten', 'The event is forgotten.', null)
  if (signers.length === 0) {
    const nextMs = delayAfter(delivery.step + 1, random())
    return unsent(delivery, at, 'key_unreadable', 'No key of the endpoint can be read by this installation.', nextMs)
  }
  const body = new TextEncoder().encode(deliveryBody({ ...event, timestamp: event.createdAt.toISOString() }))
  const message = { id: event.id, timestampSec: Math.floor(at.getTime() / 1_000), body }
  const headers = {
    'content-type': 'application/json',
    'user-agent': userAgent,
    ...signedHeaders(message, signers),
  }
  const sent = await egress.send({ url, headers, body, timeoutMs, maxResponseBytes: keptBodyBytes, signal })
  if (!sent.ok && (sent.code === 'busy' || sent.code === 'aborted')) return null
  const verdict = verdictOf(sent.ok ? sent : null, Date.now())
  const nextMs = verdict.kind === 'again' ? delayAfter(delivery.step + 1, random(), verdict.retryAfterSec) : null
  const durationMs = Math.round(sent.durations.totalMs)
  return {
    verdict,
    status: sent.status,
    durationMs,
    result: {
      deliveryId: delivery.id,
      organizationId: delivery.organizationId,
      state: stateOf(verdict, nextMs),
      nextMs,
      at,
      durationMs,
      requestHeaders: headers,
      ...answerOf(sent),
    },
  }
}

function stateOf({ kind }: Verdict, nextMs: number | null): AttemptResult['state'] {
  switch (kind) {
    case 'delivered':
      return 'delivered'
    case 'aborted':
      return 'aborted'
    case 'gone':
      return 'failed'
    case 'again':
      return nextMs === null ? 'failed' : 'pending'
  }
}

type AnswerFields = Pick<
  AttemptResult,
  'status' | 'responseHeaders' | 'responseBody' | 'responseTruncated' | 'error' | 'errorDetail'
>

function answerOf(sent: EgressResult): AnswerFields {
  if (!sent.ok) {
    const none = { status: null, responseHeaders: null, responseBody: null, responseTruncated: false }
    return { ...none, error: sent.code, errorDetail: sent.message }
  }
  const headers = Object.entries(sent.headers)
    .filter(([name]) => !secretHeaders.has(name))
    .slice(0, keptHeaders)
    .map(([name, value]) => [name, asText(value.slice(0, keptHeaderCharacters))])
  return {
    status: sent.status,
    responseHeaders: Object.fromEntries(headers) as Record<string, string>,
    responseBody: asText(new TextDecoder().decode(sent.body)),
    responseTruncated: sent.truncated,
    error: null,
    errorDetail: null,
  }
}

/** What is written into a row as text and as JSON: without NUL and halves of pairs, which PostgreSQL refuses. */
function asText(value: string): string {
  return value.replaceAll('\0', '\uFFFD').toWellFormed()
}

function unsent(delivery: DueDelivery, at: Date, error: string, errorDetail: string, nextMs: number | null): Outcome {
  const { id: deliveryId, organizationId } = delivery
  const none = { status: null, responseHeaders: null, responseBody: null, responseTruncated: false }
  const state = nextMs === null ? 'failed' : 'pending'
  return {
    verdict: { kind: 'again', throttle: false, retryAfterSec: null },
    status: null,
    durationMs: 0,
    result: {
      deliveryId,
      organizationId,
      state,
      nextMs,
      at,
      durationMs: 0,
      requestHeaders: {},
      ...none,
      error,
      errorDetail,
    },
  }
}
