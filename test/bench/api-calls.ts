/** Calls of a customer's program, on connections that are kept: one after the other for times, several at once for a rate. */
import http from 'node:http'

export interface Answered {
  readonly status: number
  readonly body: string
  readonly ms: number
}

export type CallApi = (method: string, path: string, body?: object | string, type?: string) => Promise<Answered>

export function callerOf(url: string, key: string, connections: number): CallApi {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
  return (method, path, body, type = 'application/json') =>
    new Promise((resolve, reject) => {
      const from = performance.now()
      const payload =
        body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
      const headers = {
        authorization: `Bearer ${key}`,
        ...(payload ? { 'content-type': type, 'content-length': payload.length } : {}),
      }
      const request = http.request(new URL(path, url), { method, agent, headers }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(parts).toString(),
            ms: performance.now() - from,
          }),
        )
      })
      request.on('error', reject)
      request.end(payload)
    })
}

/** @throws when the answer is another one */
export function expectStatus(answer: Answered, status: number): Answered {
  if (answer.status !== status)
    throw new Error(`answered ${answer.status} instead of ${status}: ${answer.body.slice(0, 500)}`)
  return answer
}

/** @returns times of all calls in milliseconds, and how many there were in a second */
export async function callFor(
  seconds: number,
  atOnce: number,
  call: () => Promise<Answered>,
): Promise<{ ms: number[]; perSecond: number }> {
  const ms: number[] = []
  const from = performance.now()
  const until = from + seconds * 1_000
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() < until) ms.push((await call()).ms)
    }),
  )
  return { ms, perSecond: ms.length / ((performance.now() - from) / 1_000) }
}
