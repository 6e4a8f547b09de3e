/**
 * The ESP-in-UDP socket of the portable rung: `dgram` with bounded sending.
 *
 * Datagrams go out of a ring of buffers. A buffer comes round again only after more sends than may ever be queued, so one that
 * libuv still holds is never written to. Datagrams from port 0 are dropped: there is no way back to whoever forged them.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { SocketAddress } from '@culvert/ikev2'

export interface UdpPortHandlers {
  /** `bytes` is owned by the handler. */
  onDatagram(bytes: Uint8Array, address: string, port: number): void
  onSendFailed(): void
  onFailure(error: Error): void
}

const RING_BUFFERS = 512
const MAX_QUEUED_SENDS = 256
const SOCKET_BUFFER_BYTES = 4 << 20
const FATAL_ERRORS: readonly string[] = ['EBADF', 'ENOTSOCK', 'ERR_SOCKET_DGRAM_NOT_RUNNING']

export class UdpPort {
  readonly local: SocketAddress
  readonly #socket: Socket
  readonly #ring: Uint8Array[]
  readonly #onSent: (error: Error | null) => void
  #next = 0
  #isClosed = false

  private constructor(socket: Socket, datagramBytes: number, handlers: UdpPortHandlers) {
    const { address, port } = socket.address()
    this.local = { address, port }
    this.#socket = socket
    this.#ring = Array.from({ length: RING_BUFFERS }, () => new Uint8Array(datagramBytes))
    this.#onSent = (error) => {
      if (error !== null) handlers.onSendFailed()
    }
    socket.on('message', (bytes, from) => {
      if (from.port !== 0) handlers.onDatagram(bytes, from.address, from.port)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Most errors here tell of one datagram (an ICMP answer to an earlier send); these tell that the socket is gone.
      if (!this.#isClosed && FATAL_ERRORS.includes(error.code ?? '')) handlers.onFailure(error)
    })
  }

  /**
   * @param datagramBytes largest ESP packet that will be sent
   * @throws the bind error of the system (EADDRINUSE, EACCES, EADDRNOTAVAIL)
   */
  static async open(bind: SocketAddress, datagramBytes: number, handlers: UdpPortHandlers): Promise<UdpPort> {
    const socket = createSocket({
      type: isIPv6(bind.address) ? 'udp6' : 'udp4',
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
      // Addresses are always literal: nothing to look up, and no turn of the event loop for it.
      lookup: (host, _options, done) => done(null, host, isIPv6(host) ? 6 : 4),
    })
    const listening = once(socket, 'listening') // before binding: the lookup above answers at once
    socket.bind({ address: bind.address, port: bind.port, exclusive: true })
    await listening
    return new UdpPort(socket, datagramBytes, handlers)
  }

  /** @returns the buffer the next datagram is written into, or null when too many sends wait in the kernel's way */
  acquire(): Uint8Array | null {
    if (this.#isClosed || this.#socket.getSendQueueCount() >= MAX_QUEUED_SENDS) return null
    const buffer = this.#ring[this.#next]!
    this.#next = (this.#next + 1) % RING_BUFFERS
    return buffer
  }

  /** Sends the first `length` octets of a buffer from `acquire`, or of one that the caller never writes to again. */
  send(buffer: Uint8Array, length: number, remote: SocketAddress): void {
    if (this.#isClosed || remote.port === 0) return // nobody is at port 0, and Node throws
    this.#socket.send(buffer, 0, length, remote.port, remote.address, this.#onSent)
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    return new Promise((resolve) => {
      this.#socket.close(() => resolve())
    })
  }
}
