/**
 * The small HTTP server a simulated device offers on its inner address, so that a tunnel has something to reach.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'

export interface WebPage {
  readonly port: number
  close(): Promise<void>
}

/** @param address inner address; the server listens there only. */
export async function serveWebPage(address: string, port: number, identity: string): Promise<WebPage> {
  const server: Server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(`Hello from ${identity} at ${address}\n${request.method} ${request.url}\n`)
  })
  server.listen(port, address)
  await once(server, 'listening')
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : port,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
