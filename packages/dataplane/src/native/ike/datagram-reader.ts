/**
 * Reads the datagrams of IKE on the owner's thread, one by one as they come, and in batches while very many do.
 *
 * ```
 *   calm:      everything ───────────▶ front ──▶ the event loop
 *   crowded:   some, as steered ─▶ back ─┐
 *              everything else ──▶ front ┴──▶ batches, again and again, the front first
 * ```
 *
 * What a crowd costs is bounded by what a turn takes. Datagrams from port 0 are dropped: there is no way back to whoever forged them.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { SocketAddress } from '@culvert/ikev2'
import { AF_INET, closeFile, type PacketMemory, type Syscalls } from '../../foreign/index.ts'
import { decodeSocketAddress } from '../sockets/socket-address.ts'
import { UdpReceiver } from '../sockets/udp-receiver.ts'
import type { UdpSocket } from '../sockets/udp-socket.ts'

/** Packet memory that one takes. */
export const READER_BYTES: number = 5 << 18

/** So many in one window begin a crowd. */
const CROWD = 100
const WINDOW_MS = 20
/** It ends when fewer came in this time. */
const CALM = 1000
const CALM_MS = 1000
const TURN_MS = 1
/** The pause doubles up to this while turns find nothing: the event loop keeps reading the front meanwhile. */
const LONGEST_PAUSE_MS = 8
/** Batches of a turn, each of 16 datagrams at most. */
const MOST_BATCHES = 8

export interface ReaderSockets {
  /** Without UDP_GRO. The reader closes it. */
  readonly front: UdpSocket
  /** Read in a crowd alone, and closed with the front; null for none. */
  readonly back: UdpSocket | null
  /** Tells the kernel what belongs to the back. */
  steer?(isCrowded: boolean): void
}

export class DatagramReader {
  readonly #memory: PacketMemory
  readonly #receiver: UdpReceiver
  readonly #sockets: ReaderSockets
  readonly #onDatagram: (bytes: Uint8Array, remote: SocketAddress) => void
  readonly #socket: Socket
  #timer: NodeJS.Timeout | null = null
  #windowMs = -Infinity
  #inWindow = 0
  #pauseMs = TURN_MS
  #isClosed = false

  /** @param onDatagram owns the octets */
  constructor(
    memory: PacketMemory,
    syscalls: Syscalls,
    sockets: ReaderSockets,
    onDatagram: (bytes: Uint8Array, remote: SocketAddress) => void,
  ) {
    const { fd, family } = sockets.front
    this.#memory = memory
    this.#receiver = new UdpReceiver(memory, syscalls)
    this.#sockets = sockets
    this.#onDatagram = onDatagram
    this.#socket = createSocket(family === AF_INET ? 'udp4' : 'udp6').bind({ fd })
    this.#socket.on('message', (bytes, { address, port }) => {
      // Plain octets, as batches have them: what `slice` does to a Buffer is something else.
      this.#handOver(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), { address, port })
      this.#noteMessage()
    })
    this.#socket.on('error', () => {}) // e.g. an ICMP error for an earlier send: never a reason to stop
  }

  get isCrowded(): boolean {
    return this.#timer !== null
  }

  /** It alone does not keep the process alive. */
  unref(): void {
    this.#socket.unref()
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#sockets.back !== null) closeFile(this.#sockets.back.fd)
    return new Promise((done) => this.#socket.close(() => done())) // and the descriptor of the front
  }

  #handOver(bytes: Uint8Array, remote: SocketAddress): void {
    if (!this.#isClosed && remote.port !== 0) this.#onDatagram(bytes, remote)
  }

  #noteMessage(): void {
    if (this.#timer !== null) return
    const nowMs = performance.now()
    if (nowMs - this.#windowMs > WINDOW_MS) this.#beginWindow(nowMs)
    this.#inWindow += 1
    if (this.#inWindow < CROWD || this.#isClosed) return
    this.#sockets.steer?.(true)
    this.#beginWindow(nowMs)
    this.#pauseMs = TURN_MS
    this.#timer = setTimeout(() => this.#turn(), TURN_MS)
  }

  #beginWindow(nowMs: number): void {
    this.#windowMs = nowMs
    this.#inWindow = 0
  }

  #turn(): void {
    this.#timer = null
    const { front, back } = this.#sockets
    let found = this.#read(front, MOST_BATCHES)
    if (back !== null) found += this.#read(back, MOST_BATCHES)
    this.#inWindow += found
    this.#pauseMs = found > 0 ? TURN_MS : Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
    if (this.#isClosed) return
    const nowMs = performance.now()
    if (nowMs - this.#windowMs >= CALM_MS) {
      const isOver = this.#inWindow < CALM
      this.#beginWindow(nowMs)
      if (isOver) return this.#endCrowd()
    }
    this.#timer = setTimeout(() => this.#turn(), this.#pauseMs)
  }

  /** Nobody looks at the back from now on. */
  #endCrowd(): void {
    this.#sockets.steer?.(false)
    if (this.#sockets.back !== null) this.#read(this.#sockets.back, Infinity)
  }

  #read({ fd }: UdpSocket, batches: number): number {
    let total = 0
    for (let batch = 0; batch < batches && !this.#isClosed; batch++) {
      const count = this.#receiver.receive(fd)
      if (count === 0) return total
      total += count
      for (let index = 0; index < count; index++) {
        const { data, length, source } = this.#receiver.buffers[index]!
        this.#handOver(this.#memory.copyOut(data, length), decodeSocketAddress(this.#memory.bytes, source))
      }
    }
    return total
  }
}
