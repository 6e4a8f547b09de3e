/** Headers that change how a request is done: `If-Match` (RFC 9110 13.1.1) and `Prefer` (RFC 7240). */
import { DomainError } from '@culvert/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** @returns the version that the caller saw, null when it does not care */
export function ifMatch(request: FastifyRequest): number | null {
  const header = request.headers['if-match']?.trim()
  if (header === undefined || header === '*') return null
  const version = /^"(\d{1,9})(\.[\w-]{1,64})?"$/.exec(header)?.[1] // what follows the version is of the answer alone
  if (version === undefined) {
    throw new DomainError('precondition_failed', {
      errors: [{ in: 'header', pointer: '/if-match', message: 'is not an `ETag` of this resource' }],
    })
  }
  return Number(version)
}

/** `conditional.ts` adds a hash of the answer. */
export function setEtag(reply: FastifyReply, version: number): void {
  reply.header('etag', `"${version}"`)
}

const defaultWaitSec = 5
const longestWaitSec = 30

/** `?wait=` wins over `Prefer: wait=n` and `Prefer: respond-async`. */
export function waitMs(request: FastifyRequest, wait: number | undefined): number {
  if (wait !== undefined) return wait * 1_000
  const preferences = String(request.headers['prefer'] ?? '')
    .split(',')
    .map((text) => text.trim().toLowerCase())
  const asked = preferences
    .map((text) => /^wait\s*=\s*"?(\d{1,4})"?$/.exec(text)?.[1])
    .find((text) => text !== undefined)
  if (asked !== undefined) return Math.min(Number(asked), longestWaitSec) * 1_000
  return preferences.includes('respond-async') ? 0 : defaultWaitSec * 1_000
}

/** Aborted when the caller hangs up. */
export function callerSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  if (request.raw.destroyed && !request.raw.complete) gone.abort()
  return gone.signal
}
