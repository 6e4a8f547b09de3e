/**
 * The one place where errors become answers (RFC 9457). Exhaustive: a domain error by its code, a framework error by its
 * kind, a database that is away by 503, everything else by 500 with nothing told but the request id.
 */
import { DomainError, errorRegistry, type ErrorCode, type FieldError, type Problem } from '@culvert/contracts'
import { isDatabaseUnavailable, RequestTakenOver } from '@culvert/db'
import { isRequestFault } from './validation.ts'

export const problemContentType = 'application/problem+json'

export interface ProblemAnswer {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

/** Fastify's own errors that are the caller's fault. */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
}

export function toProblem(error: unknown, requestId: string): ProblemAnswer {
  const known = toDomainError(error)
  const { status, title } = errorRegistry[known.code]
  const headers: Record<string, string> = {}
  if (known.retryAfterSec !== null) headers['retry-after'] = String(known.retryAfterSec)
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="culvert"'
  return {
    headers,
    problem: {
      type: `/errors/${known.code}`,
      title,
      status,
      detail: known.publicDetail,
      instance: `urn:request:${requestId}`,
      code: known.code,
      requestId,
      ...(known.errors.length > 0 ? { errors: known.errors.map((field) => ({ ...field })) } : {}),
    },
  }
}

export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error
  if (isRequestFault(error)) return validationError(error.fields)
  if (error instanceof RequestTakenOver) return new DomainError('idempotency_in_progress', { retryAfterSec: 2 })
  if (isDatabaseUnavailable(error)) return new DomainError('database_unavailable', { retryAfterSec: 2, cause: error })
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown }
  const mapped = typeof code === 'string' ? frameworkCodes[code] : undefined
  if (mapped) return new DomainError(mapped, { cause: error })
  // The JSON parser and the HTTP layer mark what the caller did wrong with a 4xx status.
  if (statusCode === 400) return new DomainError('malformed_request', { cause: error })
  return new DomainError('internal_error', { cause: error })
}

export function validationError(errors: readonly FieldError[]): DomainError {
  const [first] = errors
  const where = first
    ? `${first.in}${first.pointer === '' ? '' : ` ${first.pointer}`} ${first.message}`
    : 'a field is wrong'
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return new DomainError('validation_failed', { publicDetail: `${where}${more}.`, errors })
}
