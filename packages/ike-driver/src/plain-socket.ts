/**
 * The UDP socket of the IKE port (500): messages without the non-ESP marker (RFC 7296 2.23).
 *
 * Datagrams shorter than an IKE header never reach the core, nor those from port 0, which nobody can answer (and Node throws at
 * the attempt). Sends that the kernel refuses, or that too many wait before, are dropped; the protocol retransmits.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { Path, SocketAddress } from '@culvert/ikev2'

const IKE_HEADER_BYTES = 28
const MOST_QUEUED_SENDS = 256

export interface PlainSocket {
  readonly local: SocketAddress
  send(bytes: Uint8Array, remote: SocketAddress): void
  close(): Promise<void>
}

/** @throws the bind error (EADDRINUSE, EACCES) of the system. */
export async function openPlainSocket(
  bind: SocketAddress,
  onDatagram: (bytes: Uint8Array, path: Path) => void,
): Promise<PlainSocket> {
  const family = isIPv6(bind.address) ? 6 : 4
  const socket: Socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: 1 << 20,
    lookup: (address, _options, found) => found(null, address, family), // only addresses, never names
  })
  const listening = once(socket, 'listening') // told at once, as nothing is looked up
  socket.bind(bind.port, bind.address)
  await listening
  const bound = socket.address()
  const local: SocketAddress = { address: bound.address, port: bound.port }
  socket.on('message', (bytes, from) => {
    if (bytes.length < IKE_HEADER_BYTES || from.port === 0) return
    onDatagram(bytes, { local, remote: { address: from.address, port: from.port } })
  })
  socket.on('error', () => {}) // e.g. an ICMP error for an earlier send: never a reason to stop
  let closed = false
  return {
    local,
    send(bytes, remote) {
      if (closed || remote.port === 0 || socket.getSendQueueCount() >= MOST_QUEUED_SENDS) return
      socket.send(bytes, remote.port, remote.address)
    },
    close() {
      closed = true
      return new Promise((done) => socket.close(() => done()))
    },
  }
}

/** One for each address; a message leaves over that of its local address. */
export interface PlainSockets {
  send(bytes: Uint8Array, remote: SocketAddress, local: SocketAddress): void
  close(): Promise<void>
}

/**
 * @param open makes each; `openPlainSocket` when left out
 * @throws the bind error of the system; nothing stays open then
 */
export async function openPlainSockets(
  binds: readonly SocketAddress[],
  onDatagram: (bytes: Uint8Array, path: Path) => void,
  open: typeof openPlainSocket = openPlainSocket,
): Promise<PlainSockets> {
  const sockets: PlainSocket[] = []
  const close = async (): Promise<void> => void (await Promise.all(sockets.map((socket) => socket.close())))
  try {
    for (const bind of binds) sockets.push(await open(bind, onDatagram))
  } catch (error) {
    await close()
    throw error
  }
  return {
    send(bytes, remote, local) {
      const mine = sockets.find((socket) => socket.local.address === local.address)
      const socket = mine ?? sockets.find((other) => isIPv6(other.local.address) === isIPv6(remote.address))
      socket?.send(bytes, remote)
    },
    close,
  }
}
