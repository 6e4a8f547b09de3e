/** The HTTP/1.1 part: one request and one bounded answer on a socket that stands. */
import { type Socket } from 'node:net'
import { Client, errors, type Dispatcher } from 'undici'
import { type EgressRequest } from './egress-request.ts'
import { EgressError } from './failure.ts'
import { type Target } from './url.ts'

/** What the host answered, whatever its status: 3xx too, which nobody follows. */
export interface Answer {
  readonly status: number
  /** Names in lower case; a name that came twice has its values joined by ", ". */
  readonly headers: Readonly<Record<string, string>>
  /** As it came on the wire, not decompressed. */
  readonly body: Buffer
  /** The body was longer than what was read. */
  readonly truncated: boolean
}

export interface ExchangeOptions {
  readonly socket: Socket
  readonly target: Target
  readonly request: EgressRequest
  readonly signal: AbortSignal
}

/** Bytes of the status line and all headers, trailers too. */
const maxHeaderBytes = 16_384
/** They frame the message or the connection (RFC 9110 7.6.1, RFC 9112 6), so only this package writes them. */
const framing = new Set(
  'host connection keep-alive proxy-connection transfer-encoding content-length te trailer upgrade expect'.split(' '),
)

/** @throws EgressError for a header that would change the framing or is not one (RFC 9110 5.5, 5.6.2) */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const allowed = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !framing.has(name.toLowerCase())
    if (!allowed) throw new EgressError('header_refused', `The header ${JSON.stringify(name)} cannot be set.`)
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new EgressError('header_refused', `The value of the header ${name} holds a character that is not allowed.`)
    }
  }
}

/**
 * @param onStatus called when the headers have come
 * @throws EgressError, or what `signal` says
 */
export async function exchange(options: ExchangeOptions, onStatus: (status: number) => void): Promise<Answer> {
  const { socket, target, request, signal } = options
  let headersSeen = false
  const client = clientOn(socket, target)
  try {
    const { statusCode, headers, body } = await client.request({
      method: request.method ?? 'POST',
      path: target.url.pathname + target.url.search,
      headers: request.headers,
      body: request.method === 'GET' ? null : request.body,
      signal,
    })
    headersSeen = true
    onStatus(statusCode)
    const read = await readBody(body, request.maxResponseBytes)
    return { status: statusCode, headers: plainHeaders(headers), ...read }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw explain(error, headersSeen)
  } finally {
    await client.destroy()
  }
}

/** A client for this one socket: it may not open another, and closes it after the answer. */
function clientOn(socket: Socket, { url }: Target): Client {
  let given = false
  return new Client(url.origin, {
    connect(_options, callback) {
      const first = !given
      given = true
      // Not at once: the client is inside of its own step, and would wait for another one.
      queueMicrotask(() =>
        first ? callback(null, socket) : callback(new Error('one connection for one exchange'), null),
      )
    },
    pipelining: 0, // Connection: close
    allowH2: false,
    headersTimeout: 0, // the whole exchange has one limit
    bodyTimeout: 0,
    maxHeaderSize: maxHeaderBytes,
  })
}

async function readBody(
  body: Dispatcher.ResponseData['body'],
  maxBytes: number,
): Promise<Pick<Answer, 'body' | 'truncated'>> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, maxBytes - length))
    length += chunk.length
    if (length > maxBytes) return { body: Buffer.concat(chunks), truncated: true }
  }
  return { body: Buffer.concat(chunks), truncated: false }
}

/** Without a prototype: the host chooses the names. */
function plainHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const plain = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return plain
}

function explain(error: unknown, headersSeen: boolean): EgressError {
  const part = headersSeen ? 'in the middle of its answer' : 'before it answered'
  if (error instanceof errors.HeadersOverflowError) {
    return new EgressError('response_headers_too_large', 'The headers of the answer are too large.', { cause: error })
  }
  if (error instanceof errors.HTTPParserError) {
    return new EgressError('invalid_response', 'The answer is not HTTP/1.1.', { cause: error })
  }
  return new EgressError('connection_closed', `The host closed the connection ${part}.`, { cause: error })
}
