/**
 * The IKE port (500) of one address on the native rung: a message leaves in one system call, and while very many come they are read
 * in batches.
 *
 * ```
 *   calm:      everything ─────────────────────────────▶ front ──▶ the event loop, one by one as they come
 *   crowded:   first requests without a cookie ────▶ back ─┐
 *              everything else ───────────────────▶ front ─┴──▶ batches, again and again, the front first
 * ```
 *
 * So whoever answers a flood with cookies serves those first who bring one, and what the flood costs is bounded by what a turn takes
 * from the back. Where the kernel steers nothing, there is a front alone. Large buffers keep what comes during a pause.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { Path, SocketAddress } from '@culvert/ikev2'
import type { IkePort } from './index.ts'
import { ALL_TO_FRONT, BACK, FRONT, NEWCOMERS_TO_BACK } from './newcomer-steering.ts'
import { PacketMemory } from './packet-memory.ts'
import { decodeSocketAddress, encodeSocketAddress, familyOf, SOCKADDR_BYTES, sockaddrLength } from './socket-address.ts'
import { placeProgram, steerBy } from './spi-steering.ts'
import { addressOf, AF_INET, closeFile, Syscalls } from './syscalls.ts'
import { UdpReceiver } from './udp-receiver.ts'
import { openUdpSocket, type UdpSocket } from './udp-socket.ts'

const IKE_HEADER_BYTES = 28
const LARGEST_MESSAGE = 65_507
const MEMORY_BYTES = 5 << 18
/** So many in one window begin a crowd. */
const CROWD = 100
const WINDOW_MS = 20
/** It ends when fewer came in this time. */
const CALM = 1000
const CALM_MS = 1000
const TURN_MS = 1
/** Batches of a turn, each of 16 datagrams at most. */
const FRONT_BATCHES = 8
const BACK_BATCHES = 8

export class NativeIkePort implements IkePort {
  readonly local: SocketAddress
  readonly #memory: PacketMemory
  readonly #syscalls: Syscalls
  readonly #receiver: UdpReceiver
  readonly #sockets: readonly UdpSocket[]
  readonly #onDatagram: (bytes: Uint8Array, path: Path) => void
  readonly #socket: Socket
  readonly #message: number
  readonly #name: number
  /** Heads of the two programs. */
  readonly #calmProgram: number
  readonly #crowdProgram: number
  /** Else there is no back: the kernel would spread what comes over both. */
  readonly #isSteered: boolean
  #timer: NodeJS.Timeout | null = null
  #windowMs = -Infinity
  #inWindow = 0
  #isClosed = false

  /** @throws the bind error of the system; nothing stays open then */
  static open(bind: SocketAddress, onDatagram: (bytes: Uint8Array, path: Path) => void): NativeIkePort {
    const memory = new PacketMemory(MEMORY_BYTES + LARGEST_MESSAGE, addressOf)
    const syscalls = new Syscalls(memory)
    const options = { dontFragment: false, wantsGro: false }
    const front = openUdpSocket(memory, syscalls, { bind, ...options })
    try {
      const back = openUdpSocket(memory, syscalls, { bind: front.local, beside: front, ...options })
      return new NativeIkePort(memory, syscalls, [front, back], onDatagram)
    } catch (error) {
      closeFile(front.fd)
      throw error
    }
  }

  private constructor(
    memory: PacketMemory,
    syscalls: Syscalls,
    sockets: readonly [UdpSocket, UdpSocket],
    onDatagram: (bytes: Uint8Array, path: Path) => void,
  ) {
    const [front] = sockets
    this.#memory = memory
    this.#syscalls = syscalls
    this.#sockets = sockets
    this.#onDatagram = onDatagram
    this.local = front.local
    this.#receiver = new UdpReceiver(memory, syscalls)
    this.#message = memory.allocate(LARGEST_MESSAGE)
    this.#name = memory.allocate(SOCKADDR_BYTES)
    this.#calmProgram = placeProgram(memory, ALL_TO_FRONT)
    this.#crowdProgram = placeProgram(memory, NEWCOMERS_TO_BACK)
    this.#isSteered = this.#steer(this.#calmProgram)
    if (!this.#isSteered) closeFile(sockets[BACK].fd)
    this.#socket = createSocket(front.family === AF_INET ? 'udp4' : 'udp6').bind({ fd: front.fd })
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

  send(bytes: Uint8Array, remote: SocketAddress): void {
    const { length } = bytes
    if (this.#isClosed || remote.port === 0 || length > LARGEST_MESSAGE) return
    if (familyOf(remote.address) !== this.#sockets[FRONT]!.family) return
    this.#memory.bytes.set(bytes, this.#message)
    encodeSocketAddress(remote, this.#memory.bytes, this.#name)
    const nameBytes = sockaddrLength(this.#memory, this.#name)
    this.#syscalls.sendto(this.#sockets[FRONT]!.fd, this.#message, length, this.#name, nameBytes)
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#isSteered) closeFile(this.#sockets[BACK]!.fd)
    return new Promise((done) => this.#socket.close(() => done())) // and the descriptor of the front
  }

  #handOver(bytes: Uint8Array, remote: SocketAddress): void {
    if (this.#isClosed || bytes.length < IKE_HEADER_BYTES || remote.port === 0) return
    this.#onDatagram(bytes, { local: this.local, remote })
  }

  #noteMessage(): void {
    if (this.#timer !== null) return
    const nowMs = performance.now()
    if (nowMs - this.#windowMs > WINDOW_MS) {
      this.#windowMs = nowMs
      this.#inWindow = 0
    }
    this.#inWindow += 1
    if (this.#inWindow < CROWD) return
    if (this.#isSteered) this.#steer(this.#crowdProgram)
    this.#windowMs = nowMs
    this.#inWindow = 0
    this.#timer = setTimeout(() => this.#turn(), TURN_MS)
  }

  #turn(): void {
    this.#timer = null
    if (this.#isClosed) return
    this.#inWindow += this.#read(FRONT, FRONT_BATCHES)
    if (this.#isSteered) this.#inWindow += this.#read(BACK, BACK_BATCHES)
    const nowMs = performance.now()
    if (nowMs - this.#windowMs >= CALM_MS) {
      const isOver = this.#inWindow < CALM
      this.#windowMs = nowMs
      this.#inWindow = 0
      if (isOver) return this.#endCrowd()
    }
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#turn(), TURN_MS)
  }

  /** Nobody looks at the back from now on. */
  #endCrowd(): void {
    if (!this.#isSteered) return
    this.#steer(this.#calmProgram)
    this.#read(BACK, Infinity)
  }

  #read(socket: typeof FRONT | typeof BACK, batches: number): number {
    let total = 0
    for (let batch = 0; batch < batches && !this.#isClosed; batch++) {
      const count = this.#receiver.receive(this.#sockets[socket]!.fd)
      if (count === 0) return total
      total += count
      for (let index = 0; index < count; index++) {
        const { data, length, source } = this.#receiver.buffers[index]!
        const remote = decodeSocketAddress(this.#memory.bytes, source)
        this.#handOver(this.#memory.copyOut(data, length), remote)
      }
    }
    return total
  }

  #steer(program: number): boolean {
    return steerBy(this.#syscalls, this.#sockets[FRONT]!.fd, program)
  }
}
