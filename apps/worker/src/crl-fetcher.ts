/** Lists of revoked certificates are fetched from hosts that the operator names, and through the guard for URLs of customers. */
import { openEgress, type EgressOptions } from '@culvert/egress'
import { createCrlFetcher, type CrlFetcher } from '@culvert/pki'

const timeoutMs = 10_000
/** Somebody who changes an authority again and again makes no more calls than this. */
const minIntervalMs = 10_000
const httpPort = 80

/** @param hosts separated by commas, each with a port when it is not 80 */
export function openCrlFetcher(hosts: string, egress: EgressOptions): CrlFetcher {
  const allow = hosts.split(',').map((host) => host.trim())
  const ports = allow.map((host) => (URL.canParse(`http://${host}`) ? Number(new URL(`http://${host}`).port) : 0))
  const guarded = openEgress({
    ...egress,
    allowHttp: true,
    ports: ports.map((port) => ({ from: port || httpPort, to: port || httpPort })),
    maxSockets: 8,
  })
  return createCrlFetcher({
    allow,
    timeoutMs,
    minIntervalMs,
    async download(url, bounds) {
      const headers = { accept: 'application/pkix-crl' }
      const request = { url, method: 'GET' as const, headers, body: '' }
      const answer = await guarded.send({ ...request, timeoutMs: bounds.timeoutMs, maxResponseBytes: bounds.maxBytes })
      if (!answer.ok) throw new Error(answer.code)
      if (answer.status !== 200) throw new Error(`status ${answer.status}`)
      if (answer.truncated) throw new Error('too large')
      return new Uint8Array(answer.body)
    },
  })
}
