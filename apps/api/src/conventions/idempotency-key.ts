/**
 * `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header-07): a string of RFC 8941 3.3.3 in quotes, or the
 * same characters without quotes, as many clients send it; both are the same key. 1 to 255 characters.
 */
import { DomainError } from '@culvert/contracts'
import type { FastifyRequest } from 'fastify'

const quoted = /^"((?:[ !#-[\]-~]|\\["\\]){1,510})"$/
const bare = /^[!#-+\--:<-[\]-~]{1,255}$/ // no quotes, commas, semicolons, backslashes, blanks

/** @returns the key, null without one @throws invalid_idempotency_key */
export function readIdempotencyKey(request: FastifyRequest): string | null {
  const header = request.headers['idempotency-key']
  if (header === undefined) return null
  const text = String(header).trim()
  const key = quoted.exec(text)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? (bare.test(text) ? text : '')
  if (key.length > 0 && key.length <= 255) return key
  throw new DomainError('invalid_idempotency_key', {
    errors: [{ in: 'header', pointer: '/idempotency-key', message: 'must be 1 to 255 characters in quotes' }],
  })
}
