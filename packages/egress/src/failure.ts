/**
 * Why an exchange gave no answer. `message` is one sentence for the person who wrote the URL: it names hosts and ports as they
 * typed them and never an address that they did not type, so that nobody learns the inside of a network from it.
 */

export const failureCodes = [
  'invalid_url',
  'scheme_refused',
  'credentials_refused',
  'port_refused',
  'host_refused',
  'header_refused',
  'address_refused',
  'name_unresolved',
  'connect_failed',
  'proxy_failed',
  'tls_failed',
  'connection_closed',
  'invalid_response',
  'response_headers_too_large',
  'timeout',
  'busy',
  'aborted',
] as const

export type FailureCode = (typeof failureCodes)[number]

/** How far the exchange came. */
export type Stage = 'check' | 'resolve' | 'connect' | 'tls' | 'headers' | 'body'

export interface Failure {
  readonly code: FailureCode
  readonly message: string
}

/** Ends an exchange inside of this package; `send` returns it, nobody outside catches it. */
export class EgressError extends Error implements Failure {
  override readonly name = 'EgressError'
  readonly code: FailureCode

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** @throws what is not an EgressError: that is a bug of this package */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof EgressError)) throw error
  return { code: error.code, message: error.message }
}
