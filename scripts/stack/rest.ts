/** Calls to the REST API of this stack, with the key of the first organization. */

const CALL_TIMEOUT_MS = 40_000

export interface Answer<T> {
  readonly status: number
  readonly body: T
}

export type Rest = <T>(method: string, route: string, body?: unknown) => Promise<Answer<T>>

export function restOf(apiUrl: string, key: string): Rest {
  return async <T>(method: string, route: string, body?: unknown) => {
    const response = await fetch(`${apiUrl}${route}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, body: (isJson ? JSON.parse(text) : {}) as T }
  }
}

/** @throws an error that shows the API's own words unless the answer has one of the statuses 200 to 299 */
export async function must<T>(call: Promise<Answer<T>>): Promise<T> {
  const { status, body } = await call
  if (status < 200 || status > 299) throw new Error(`the API answered ${status}: ${JSON.stringify(body)}`)
  return body
}
