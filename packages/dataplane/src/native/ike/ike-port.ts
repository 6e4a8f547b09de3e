/**
 * The IKE port (500) of one address on the native rung: a message leaves in one system call, and crowds are read in batches.
 *
 * While very many come, first requests without a cookie wait in a socket of their own (`newcomer-steering.ts`). So whoever answers a
 * flood with cookies serves those first who bring one. Where the kernel steers nothing, there is one socket. Large buffers keep what
 * comes during a pause.
 */
import type { Path, SocketAddress } from '@culvert/ikev2'
import { DatagramReader, READER_BYTES } from './datagram-reader.ts'
import type { IkePort } from '../../contract.ts'
import { ALL_TO_FRONT, NEWCOMERS_TO_BACK } from './newcomer-steering.ts'
import { closeFile, PacketMemory, Syscalls } from '../../foreign/index.ts'
import { encodeSocketAddress, SOCKADDR_BYTES, sockaddrLength } from '../sockets/socket-address.ts'
import { placeProgram, steerBy } from '../lanes/spi-steering.ts'
import { openUdpSocket, type UdpSocket } from '../sockets/udp-socket.ts'

const IKE_HEADER_BYTES = 28
const LARGEST_MESSAGE = 65_507

export class NativeIkePort implements IkePort {
  readonly local: SocketAddress
  readonly #memory: PacketMemory
  readonly #syscalls: Syscalls
  readonly #front: UdpSocket
  readonly #reader: DatagramReader
  readonly #message: number
  readonly #name: number
  #isClosed = false

  /** @throws the bind error of the system; nothing stays open then */
  static open(bind: SocketAddress, onDatagram: (bytes: Uint8Array, path: Path) => void): NativeIkePort {
    const memory = new PacketMemory(READER_BYTES + LARGEST_MESSAGE)
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
    [front, back]: readonly [UdpSocket, UdpSocket],
    onDatagram: (bytes: Uint8Array, path: Path) => void,
  ) {
    this.#memory = memory
    this.#syscalls = syscalls
    this.#front = front
    this.local = front.local
    this.#message = memory.allocate(LARGEST_MESSAGE)
    this.#name = memory.allocate(SOCKADDR_BYTES)
    const calm = placeProgram(memory, ALL_TO_FRONT)
    const crowded = placeProgram(memory, NEWCOMERS_TO_BACK)
    const steer = (isCrowded: boolean): boolean => steerBy(syscalls, front.fd, isCrowded ? crowded : calm)
    const isSteered = steer(false)
    if (!isSteered) closeFile(back.fd) // else the kernel would spread what comes over both
    const sockets = isSteered
      ? { front, back, steer: (isCrowded: boolean) => void steer(isCrowded) }
      : { front, back: null }
    this.#reader = new DatagramReader(memory, syscalls, sockets, (bytes, remote) => {
      if (bytes.length >= IKE_HEADER_BYTES) onDatagram(bytes, { local: this.local, remote })
    })
  }

  get isCrowded(): boolean {
    return this.#reader.isCrowded
  }

  send(bytes: Uint8Array, remote: SocketAddress): void {
    const { length } = bytes
    if (this.#isClosed || remote.port === 0 || length > LARGEST_MESSAGE) return
    encodeSocketAddress(remote, this.#memory.bytes, this.#name)
    if (this.#memory.bytes[this.#name] !== this.#front.family) return
    this.#memory.bytes.set(bytes, this.#message)
    const nameBytes = sockaddrLength(this.#memory, this.#name)
    this.#syscalls.sendto(this.#front.fd, this.#message, length, this.#name, nameBytes)
  }

  close(): Promise<void> {
    this.#isClosed = true
    return this.#reader.close()
  }
}
