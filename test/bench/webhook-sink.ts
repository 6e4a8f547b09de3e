/** The receivers of the bench of webhooks, a process of their own: paths below /hangs are never answered, others at once. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** When each delivery came, Unix time in milliseconds. */
export type Arrival = readonly [id: string, path: string, atMs: number]

let arrivals: Arrival[] = []
const server = createServer((request, response) => {
  const path = request.url ?? ''
  arrivals.push([String(request.headers['webhook-id']), path, performance.timeOrigin + performance.now()])
  request.resume()
  if (!path.startsWith('/hangs')) response.writeHead(204).end()
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () =>
  process.send?.((server.address() as AddressInfo).port),
)
process.on('message', () => {
  process.send?.(arrivals)
  arrivals = []
})
process.on('disconnect', () => process.exit(0))
