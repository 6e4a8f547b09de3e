/**
 * What the owning thread does itself on the worker's descriptors: sends IKE messages and keepalives, wakes the worker.
 *
 * Sending never waits: a full socket buffer loses the message, which IKE repeats.
 */
import { closeFile, eventfd, type Syscalls } from './syscalls.ts'
import type { SocketAddress } from '@culvert/ikev2'
import { NON_ESP_MARKER_BYTES } from '@culvert/esp'
import type { PacketMemory } from './packet-memory.ts'
import { encodeSocketAddress, familyOf, SOCKADDR_BYTES, sockaddrLength } from './socket-address.ts'
import { openUdpSocket, type UdpSocket } from './udp-socket.ts'

const LARGEST_MESSAGE = 65_507

export class OwnerSocket {
  readonly wakeFd: number
  readonly #memory: PacketMemory
  readonly #syscalls: Syscalls
  readonly #socket: UdpSocket
  readonly #message: number
  readonly #name: number

  /** Throws when the address cannot be bound. */
  constructor(memory: PacketMemory, syscalls: Syscalls, bind: SocketAddress) {
    this.#memory = memory
    this.#syscalls = syscalls
    this.#message = memory.allocate(LARGEST_MESSAGE)
    this.#name = memory.allocate(SOCKADDR_BYTES)
    this.#socket = openUdpSocket(memory, syscalls, bind)
    this.wakeFd = eventfd()
    if (this.wakeFd < 0) {
      closeFile(this.#socket.fd)
      throw new Error(`cannot make an event counter (errno ${-this.wakeFd})`)
    }
  }

  get fd(): number {
    return this.#socket.fd
  }

  get local(): SocketAddress {
    return this.#socket.local
  }

  get gro(): boolean {
    return this.#socket.gro
  }

  wake(): void {
    this.#syscalls.signalEventfd(this.wakeFd)
  }

  sendIke(bytes: Uint8Array, remote: SocketAddress): void {
    if (bytes.length + NON_ESP_MARKER_BYTES > LARGEST_MESSAGE) return
    this.#memory.bytes.fill(0, this.#message, this.#message + NON_ESP_MARKER_BYTES)
    this.#memory.bytes.set(bytes, this.#message + NON_ESP_MARKER_BYTES)
    this.#send(bytes.length + NON_ESP_MARKER_BYTES, remote)
  }

  sendKeepalive(remote: SocketAddress): void {
    this.#memory.bytes[this.#message] = 0xff
    this.#send(1, remote)
  }

  close(): void {
    closeFile(this.#socket.fd)
    closeFile(this.wakeFd)
  }

  #send(length: number, remote: SocketAddress): void {
    if (familyOf(remote.address) !== this.#socket.family) return
    encodeSocketAddress(remote, this.#memory.bytes, this.#name)
    const nameBytes = sockaddrLength(this.#memory, this.#name)
    this.#syscalls.sendto(this.#socket.fd, this.#message, length, this.#name, nameBytes)
  }
}
