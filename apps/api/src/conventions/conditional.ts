/**
 * `ETag` and `If-None-Match` (RFC 9110 8.8.3, 13.1.2). A route says the version of its resource; the tag is that version and a
 * hash of the answer, which may hold more than what the version counts, such as whether a device is online. `If-Match`
 * compares the version alone (`preconditions.ts`).
 */
import { createHash } from 'node:crypto'
import type { Api } from '../context.ts'

export function conditional(v1: Api): void {
  v1.addHook('onSend', async (request, reply, payload: unknown) => {
    const version = /^"(\d+)"$/.exec(String(reply.getHeader('etag') ?? ''))?.[1]
    if (version === undefined || typeof payload !== 'string') return payload
    const etag = `"${version}.${createHash('sha256').update(payload).digest('base64url').slice(0, 16)}"`
    reply.header('etag', etag)
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || reply.statusCode !== 200 || !names(request.headers['if-none-match'], etag)) return payload
    reply.code(304).removeHeader('content-type').removeHeader('content-length')
    return ''
  })
}

/** The weak comparison of RFC 9110 8.8.3.2. */
function names(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
