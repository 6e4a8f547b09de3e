/**
 * What the owning thread does itself on the worker's descriptors: sends IKE messages and keepalives, wakes the worker.
 *
 * Sending never waits: a full socket buffer loses the message, which IKE repeats.
 */
import type { DataPlaneOptions } from '../contract.ts'
import { chooseLocal } from '../local-choice.ts'
import type { BoundSocket } from './messages.ts'
import { closeFile, eventfd, type Syscalls } from './syscalls.ts'
import type { SocketAddress } from '@culvert/ikev2'
import { NON_ESP_MARKER_BYTES } from '@culvert/esp'
import type { PacketMemory } from './packet-memory.ts'
import { encodeSocketAddress, familyOf, SOCKADDR_BYTES, sockaddrLength } from './socket-address.ts'
import { type IcmpSocket, openIcmpSockets } from './icmp-sockets.ts'
import { openUdpSocket, setDontFragment, type UdpSocket } from './udp-socket.ts'

const LARGEST_MESSAGE = 65_507
/** What every host takes in one piece (RFC 791 3.1), less IPv4 and UDP headers. */
const NEVER_FRAGMENTED = 548

export class OwnerSocket {
  readonly wakeFd: number
  /** Where each is bound, in the order of `bind`. */
  readonly locals: readonly SocketAddress[]
  /** Null: the path MTU cannot be learned, and DF is clear. */
  readonly icmp: readonly IcmpSocket[] | null
  readonly #memory: PacketMemory
  readonly #syscalls: Syscalls
  readonly #sockets: readonly UdpSocket[]
  readonly #message: number
  readonly #name: number

  /** Throws when an address cannot be bound; nothing stays open then. */
  constructor(
    memory: PacketMemory,
    syscalls: Syscalls,
    { bind, outer, offload }: Pick<DataPlaneOptions, 'bind' | 'outer' | 'offload'>,
  ) {
    this.#memory = memory
    this.#syscalls = syscalls
    this.#message = memory.allocate(LARGEST_MESSAGE)
    this.#name = memory.allocate(SOCKADDR_BYTES)
    const families = bind.map(({ address }) => familyOf(address))
    this.icmp = outer?.pathMtu === 'fragment' ? null : openIcmpSockets(memory, syscalls, families)
    this.#sockets = this.#openAll(bind, offload?.udpGro !== false)
    this.locals = this.#sockets.map(({ local }) => local)
    this.wakeFd = eventfd()
    if (this.wakeFd < 0) {
      this.#closeSockets()
      throw new Error(`cannot make an event counter (errno ${-this.wakeFd})`)
    }
  }

  get bound(): readonly BoundSocket[] {
    return this.#sockets.map(({ fd, local }) => ({ fd, local }))
  }

  get gro(): boolean {
    return this.#sockets.every(({ gro }) => gro)
  }

  wake(): void {
    this.#syscalls.signalEventfd(this.wakeFd)
  }

  sendIke(bytes: Uint8Array, remote: SocketAddress, local: SocketAddress | undefined): void {
    if (bytes.length + NON_ESP_MARKER_BYTES > LARGEST_MESSAGE) return
    this.#memory.bytes.fill(0, this.#message, this.#message + NON_ESP_MARKER_BYTES)
    this.#memory.bytes.set(bytes, this.#message + NON_ESP_MARKER_BYTES)
    this.#send(bytes.length + NON_ESP_MARKER_BYTES, remote, local)
  }

  sendKeepalive(remote: SocketAddress, local: SocketAddress | undefined): void {
    this.#memory.bytes[this.#message] = 0xff
    this.#send(1, remote, local)
  }

  close(): void {
    this.#closeSockets()
    closeFile(this.wakeFd)
  }

  #send(length: number, remote: SocketAddress, local: SocketAddress | undefined): void {
    const socket = this.#sockets[chooseLocal(this.locals, remote, local)]
    if (socket === undefined) return
    encodeSocketAddress(remote, this.#memory.bytes, this.#name)
    const nameBytes = sockaddrLength(this.#memory, this.#name)
    // A long IKE message that is lost for its length would be lost again: better in pieces. ESP may pass without DF meanwhile.
    const mayFragment = this.icmp !== null && length > NEVER_FRAGMENTED
    if (mayFragment) setDontFragment(this.#syscalls, socket.fd, socket.family, false)
    this.#syscalls.sendto(socket.fd, this.#message, length, this.#name, nameBytes)
    if (mayFragment) setDontFragment(this.#syscalls, socket.fd, socket.family, true)
  }

  #openAll(bind: readonly SocketAddress[], wantsGro: boolean): UdpSocket[] {
    const sockets: UdpSocket[] = []
    try {
      const dontFragment = this.icmp !== null
      for (const address of bind) {
        sockets.push(openUdpSocket(this.#memory, this.#syscalls, { bind: address, dontFragment, wantsGro }))
      }
      return sockets
    } catch (error) {
      closeAll(sockets)
      closeAll(this.icmp ?? [])
      throw error
    }
  }

  #closeSockets(): void {
    closeAll(this.#sockets)
    closeAll(this.icmp ?? [])
  }
}

function closeAll(sockets: readonly { readonly fd: number }[]): void {
  for (const { fd } of sockets) closeFile(fd)
}
