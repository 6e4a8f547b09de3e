/**
 * `culvert listen`: each event of the feed, one after the other, as a webhook to a receiver that the Internet does not reach. Signed
 * as Standard Webhooks says; told once, whatever the receiver answers.
 */
import type { Culvert, WebhookEvent } from '@culvert/sdk'
import { deliveryBody, readWebhookKey, secretText, signedHeaders, type Signer } from '@culvert/webhooks'
import { createHmac, randomBytes } from 'node:crypto'
import { UsageError } from './usage-error.ts'

export interface ListenOptions {
  readonly forwardTo: URL
  /** All when empty. */
  readonly types: readonly string[]
  readonly since: string
  /** `whsec_...`; one of this run when left out. */
  readonly secret: string | undefined
  readonly out: (line: string) => void
  readonly signal: AbortSignal
}

const answerWithinMs = 15_000

/** Resolves when `signal` says so. @throws CulvertError when the API refuses */
export async function listen(culvert: Culvert, options: ListenOptions): Promise<void> {
  const { forwardTo, types, since, out, signal } = options
  const secret = secretOf(options.secret)
  const signer: Signer = { scheme: 'v1', sign: (octets) => createHmac('sha256', secret).update(octets).digest() }
  // The first call says what is wrong with key, types or time, before anything is promised, and where `now` is: nothing that
  // happens after the promise is left out.
  const query = { since, limit: 1, ...(types.length > 0 ? { types: types.join(',') } : {}) }
  const page = await culvert.get('/v1/events', { params: { query }, signal })
  const begin = since === 'now' && typeof page === 'object' ? { after: page.nextCursor } : { since }
  out(`Events go to ${forwardTo.href}`)
  out(`Signed with ${secretText(secret)}`)
  try {
    for await (const { event } of culvert.events.follow({ ...begin, types, signal }))
      out(
        `${shown(event.timestamp)} ${shown(event.type)} ${shown(event.resourceId)} #${event.sequence} ${await forward(event, forwardTo, signer)}`,
      )
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** @throws UsageError for what is no secret to sign with */
function secretOf(text: string | undefined): Uint8Array {
  if (text === undefined) return randomBytes(32)
  const key = readWebhookKey(text)
  if (key?.scheme === 'v1') return key.secret
  throw new UsageError('CULVERT_WEBHOOK_SECRET is no secret: whsec_ and 24 to 64 bytes in base64.')
}

/** @returns what became of it, in words */
async function forward(event: WebhookEvent, url: URL, signer: Signer): Promise<string> {
  const body = new TextEncoder().encode(deliveryBody(event))
  const headers = {
    'content-type': 'application/json',
    ...signedHeaders({ id: event.id, timestampSec: Math.floor(Date.now() / 1_000), body }, [signer]),
  }
  const startMs = performance.now()
  try {
    const signal = AbortSignal.timeout(answerWithinMs)
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await response.body?.cancel()
    return `-> ${response.status} ${Math.round(performance.now() - startMs)} ms`
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined
    return `-> failed: ${(error as Error).name === 'TimeoutError' ? 'no answer in 15 s' : (cause?.code ?? (error as Error).message)}`
  }
}

/** A terminal is told nothing but letters. */
function shown(text: string): string {
  return text.replaceAll(/[^\w.:+-]/g, '?').slice(0, 80)
}
