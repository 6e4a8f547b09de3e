/** Servers on loopback that play the host of a URL; `closing` ends them all. */
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import tls from 'node:tls'

export interface Receiver {
  readonly port: number
  /** Connections so far. */
  readonly connections: number
  /** Those that still stand. */
  readonly open: number
  close(): Promise<void>
}

/** @param onSocket speaks to each connection, byte by byte */
export async function startRaw(
  onSocket: (socket: net.Socket) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<Receiver> {
  const server = net.createServer((socket) => {
    socket.resume() // else nobody notices its end
    onSocket(socket)
  })
  return listening(server, host, port)
}

export async function startHttp(handler: http.RequestListener, host = '127.0.0.1', port = 0): Promise<Receiver> {
  return listening(http.createServer(handler), host, port)
}

/** @param onSocket gets each connection after its handshake */
export async function startTls(options: tls.TlsOptions, onSocket: (socket: tls.TLSSocket) => void): Promise<Receiver> {
  return listening(
    tls.createServer(options, onSocket).on('tlsClientError', () => undefined),
    '127.0.0.1',
    0,
  )
}

async function listening(server: net.Server, host: string, port: number): Promise<Receiver> {
  const sockets = new Set<net.Socket>()
  let connections = 0
  server.on('connection', (socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
