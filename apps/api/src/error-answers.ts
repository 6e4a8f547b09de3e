/** Writes problems: for errors in requests, for requests so broken that no route saw them, for bytes that are no HTTP. */
import { DomainError, errorRegistry, type ErrorCode } from '@culvert/contracts'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import { problemContentType, toDomainError, toProblem } from './problem.ts'

export function answerErrors(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
  const known = toDomainError(error)
  const { problem, headers } = toProblem(known, request.id)
  log(request, known, problem.status)
  void reply
    .code(problem.status)
    .headers({ ...headers, 'x-request-id': request.id, 'cache-control': 'no-store' })
    .type(problemContentType)
    .serializer(JSON.stringify)
    .send(problem)
}

/** 5xx is worth waking for, what the caller did wrong is not. */
function log(request: FastifyRequest, error: DomainError, status: number): void {
  const fields = {
    method: request.method,
    route: request.routeOptions?.url,
    code: error.code,
    ...error.internalContext,
  }
  if (status >= 500) request.log.warn({ ...fields, err: error.cause ?? error }, 'request failed')
  else request.log.debug(fields, 'request refused')
}

const brokenHttp: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/** The parser gave up on the bytes of this connection: one answer, then it is closed. */
export function answerBrokenHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const code = brokenHttp[error.code ?? ''] ?? 'malformed_request'
  const { problem } = toProblem(new DomainError(code), 'none')
  const body = JSON.stringify(problem)
  const { status, title } = errorRegistry[code]
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
