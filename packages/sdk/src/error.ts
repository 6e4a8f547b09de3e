/** What goes wrong is one class of error, to be told apart by `code`. */
import type { Problem } from './schema.ts'

/** Codes of the API, and those of calls that the API did not answer. */
export type CulvertErrorCode =
  | Problem['code']
  /** No answer came: the network, a name, a certificate. It is not known whether the call was done. */
  | 'connection_failed'
  /** What was waited for did not come in time. */
  | 'timeout'
  /** An answer that is not of this API, such as the page of a proxy. */
  | 'unexpected_answer'

export interface CulvertErrorDetails {
  readonly code: CulvertErrorCode
  readonly title: string
  readonly detail: string
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  readonly errors?: Problem['errors'] | undefined
  readonly retryAfterSec?: number | undefined
  readonly cause?: unknown
}

export class CulvertError extends Error {
  /** Stable: decide by it. */
  readonly code: CulvertErrorCode
  readonly title: string
  /** For people. */
  readonly detail: string
  /** Of the answer; null when there was none. */
  readonly status: number | null
  /** Tell it when you report a fault; null when the API did not answer. */
  readonly requestId: string | null
  /** Wrong fields, each by a JSON pointer. */
  readonly errors: NonNullable<Problem['errors']>
  /** The same call may succeed after this many seconds. */
  readonly retryAfterSec: number | null

  constructor(details: CulvertErrorDetails) {
    super(`${details.code}: ${details.detail}`, details.cause === undefined ? {} : { cause: details.cause })
    this.name = 'CulvertError'
    this.code = details.code
    this.title = details.title
    this.detail = details.detail
    this.status = details.status ?? null
    this.requestId = details.requestId ?? null
    this.errors = details.errors ?? []
    this.retryAfterSec = details.retryAfterSec ?? null
  }
}

/** @param response one that is not 2xx; its body is read */
export async function errorOf(response: Response): Promise<CulvertError> {
  const { status } = response
  const text = await response.text().catch(() => '')
  const retryAfterSec = retryAfterOf(response) ?? undefined
  const problem = readProblem(response, text)
  if (problem) return new CulvertError({ ...problem, status, retryAfterSec })
  return new CulvertError({
    code: 'unexpected_answer',
    title: 'The answer is not one of the API',
    detail: `The answer has status ${status} and is no problem of the API: is this its address, and is a proxy before it?`,
    status,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterSec,
  })
}

function readProblem(response: Response, text: string): Problem | null {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return null
  try {
    const problem = JSON.parse(text) as Partial<Problem>
    return typeof problem.code === 'string' && typeof problem.detail === 'string' ? (problem as Problem) : null
  } catch {
    return null
  }
}

/** `Retry-After` (RFC 9110 10.2.3): seconds, or a date. */
export function retryAfterOf(response: Response): number | null {
  const text = response.headers.get('retry-after')?.trim()
  if (text === undefined || text === '') return null
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - Date.now()) / 1_000))
}
