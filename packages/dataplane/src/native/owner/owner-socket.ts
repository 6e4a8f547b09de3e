/**
 * What the owning thread does itself on the workers' descriptors: sends IKE messages and keepalives, wakes a worker.
 *
 * Sending never waits: a full socket buffer loses the message, which IKE repeats.
 */
import type { DataPlaneOptions } from '../../contract.ts'
import { chooseLocal, isWildcard } from '../../local-choice.ts'
import type { BoundSocket } from '../messages/messages.ts'
import { AF_INET, closeFile, epoll, eventfd, type PacketMemory, type Syscalls } from '../../foreign/index.ts'
import type { SocketAddress } from '@culvert/ikev2'
import { NON_ESP_MARKER_BYTES } from '@culvert/esp'
import { NativeEspError } from '../../native-esp-error.ts'
import { encodeSocketAddress, familyOf, SOCKADDR_BYTES, sockaddrLength } from '../sockets/socket-address.ts'
import { type IcmpSocket, openIcmpSockets } from '../path-mtu/icmp-sockets.ts'
import { openRawSocket, type RawCarrier, type RawSocket } from '../sockets/raw-socket.ts'
import { hearOwnSpis, ownSpisProgram, steerBySpi, steeringProgram } from '../lanes/spi-steering.ts'
import { openUdpSocket, setDontFragment, type UdpSocket } from '../sockets/udp-socket.ts'

/** Of the SPI in the header (RFC 4302 2). */
const AH_SPI_AT = 4
const LARGEST_MESSAGE = 65_507
/** What every host takes in one piece (RFC 791 3.1), less IPv4 and UDP headers. */
const NEVER_FRAGMENTED = 548

export class OwnerSocket {
  /** Where each address is bound, in the order of `bind`. */
  readonly locals: readonly SocketAddress[]
  readonly #memory: PacketMemory
  readonly #syscalls: Syscalls
  /** By address; then lane by lane one for each worker, and with several lanes a last one for IKE. */
  readonly #groups: UdpSocket[][]
  #workers = 1
  #lanes = 1
  /** Whether the kernel sends IKE, and nothing else, to a socket of its own in every group. */
  #isParted = false
  readonly #wakeFds: number[] = []
  readonly #epollFds: number[] = []
  /** By worker: each hears every message. Null: the path MTU cannot be learned, and DF is clear. */
  readonly #icmp: (readonly IcmpSocket[] | null)[]
  readonly #families: readonly number[]
  readonly #wantsGro: boolean
  readonly #rawCarriers: readonly RawCarrier[]
  /** By worker, then by address. */
  readonly #rawSockets: RawSocket[][] = []
  readonly #message: number
  readonly #name: number

  /** Binds every address once. Throws when one cannot be bound; nothing stays open then. */
  constructor(
    memory: PacketMemory,
    syscalls: Syscalls,
    { bind, outer, offload, nativeEsp, ah }: Pick<DataPlaneOptions, 'bind' | 'outer' | 'offload' | 'nativeEsp' | 'ah'>,
  ) {
    this.#memory = memory
    this.#syscalls = syscalls
    this.#message = memory.allocate(LARGEST_MESSAGE)
    this.#name = memory.allocate(SOCKADDR_BYTES)
    const families = bind.map(({ address }) => familyOf(address))
    const isLearning = outer?.pathMtu !== 'fragment'
    this.#icmp = [isLearning ? openIcmpSockets(memory, syscalls, families) : null]
    this.#families = families
    this.#rawCarriers = [...(nativeEsp === true ? (['esp'] as const) : []), ...(ah === true ? (['ah'] as const) : [])]
    this.#wantsGro = offload?.udpGro !== false
    this.#groups = this.#openAll(bind).map((socket) => [socket])
    this.locals = this.#groups.map(([first]) => first!.local)
  }

  /**
   * Gives each worker its sockets and its event counter. Call it once.
   * @param lanes of each worker and address
   * @returns whether the kernel sends each datagram to the worker and lane of its SPI; true for one of each
   */
  spread(workers: number, lanes: number): boolean {
    this.#workers = workers
    this.#lanes = lanes
    for (let worker = 0; worker < workers; worker++) {
      this.#wakeFds.push(must(eventfd(), 'an event counter'))
      this.#epollFds.push(must(epoll(), 'an epoll instance'))
    }
    for (let worker = 0; worker < workers; worker++) {
      this.#rawSockets.push(this.#rawCarriers.flatMap((carrier) => this.#openRaw(worker, carrier)))
    }
    while (this.#icmp.length < workers) this.#icmp.push(this.#openIcmp())
    const isSteered = this.#groups.map((group) => this.#spreadGroup(group)).every(Boolean)
    this.#isParted = isSteered && lanes > 1 && this.locals.every((local) => !isWildcard(local))
    return isSteered
  }

  #spreadGroup(group: UdpSocket[]): boolean {
    const first = group[0]!
    const forEsp = this.#workers * this.#lanes
    if (forEsp === 1) return true
    const ikeSocket = this.#lanes === 1 ? 0 : forEsp
    while (group.length < forEsp) group.push(this.#open(first.local, first))
    if (ikeSocket === forEsp) group.push(this.#open(first.local, first, false))
    return steerBySpi(this.#memory, this.#syscalls, first.fd, steeringProgram(forEsp, ikeSocket))
  }

  /**
   * The sockets of IKE in the order of `bind`, which are the caller's from then on: to read, and to close. Null where they are not
   * IKE's alone, or do not tell at which address a datagram was sent to: then the first worker has them.
   */
  get ikeSockets(): readonly UdpSocket[] | null {
    return this.#isParted ? this.#groups.map((group) => group[this.#ikeSocket]!) : null
  }

  get #ikeSocket(): number {
    return this.#workers * this.#lanes
  }

  /** The sockets of one worker, in the order of `bind`; then those directly in IP. */
  boundOf(worker: number): readonly BoundSocket[] {
    const isOwn = (index: number): boolean =>
      index === this.#ikeSocket ? worker === 0 && !this.#isParted : index % this.#workers === worker
    const inUdp = this.#groups.map((group) => {
      const fds = group.filter((_socket, index) => isOwn(index)).map(({ fd }) => fd)
      return { fds, local: group[0]!.local, carrier: 'udp' as const }
    })
    const inIp = (this.#rawSockets[worker] ?? []).map(({ fd, local, carrier }) => ({ fds: [fd], local, carrier }))
    return [...inUdp, ...inIp]
  }

  icmpOf(worker: number): readonly IcmpSocket[] | null {
    return this.#icmp[worker] ?? null
  }

  get wakeFds(): readonly number[] {
    return this.#wakeFds
  }

  get epollFds(): readonly number[] {
    return this.#epollFds
  }

  get gro(): boolean {
    return this.#groups.every(([first]) => first!.gro)
  }

  wake(worker: number): void {
    this.#syscalls.signalEventfd(this.#wakeFds[worker]!)
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
    for (const fd of [...this.#wakeFds, ...this.#epollFds]) closeFile(fd)
  }

  #send(length: number, remote: SocketAddress, local: SocketAddress | undefined): void {
    const [socket] = this.#groups[chooseLocal(this.locals, remote, local)] ?? []
    if (socket === undefined) return
    encodeSocketAddress(remote, this.#memory.bytes, this.#name)
    const nameBytes = sockaddrLength(this.#memory, this.#name)
    // A long IKE message that is lost for its length would be lost again: better in pieces. ESP may pass without DF meanwhile.
    const mayFragment = this.#isLearning && length > NEVER_FRAGMENTED
    if (mayFragment) setDontFragment(this.#syscalls, socket.fd, socket.family, false)
    this.#syscalls.sendto(socket.fd, this.#message, length, this.#name, nameBytes)
    if (mayFragment) setDontFragment(this.#syscalls, socket.fd, socket.family, true)
  }

  get #isLearning(): boolean {
    return this.#icmp[0] !== null
  }

  #open(bind: SocketAddress, beside?: UdpSocket, wantsGro: boolean = this.#wantsGro): UdpSocket {
    const options = { bind, dontFragment: this.#isLearning, wantsGro, ...(beside && { beside }) }
    return openUdpSocket(this.#memory, this.#syscalls, options)
  }

  #openIcmp(): readonly IcmpSocket[] | null {
    return this.#isLearning ? openIcmpSockets(this.#memory, this.#syscalls, this.#families) : null
  }

  #closeIcmp(): void {
    for (const sockets of this.#icmp) closeAll(sockets ?? [])
  }

  #openAll(bind: readonly SocketAddress[]): UdpSocket[] {
    const sockets: UdpSocket[] = []
    try {
      for (const address of bind) sockets.push(this.#open(address))
      return sockets
    } catch (error) {
      closeAll(sockets)
      this.#closeIcmp()
      throw error
    }
  }

  /** Every raw socket gets every packet: each worker's lets through its own. @throws NativeEspError; nothing of it stays open then */
  #openRaw(worker: number, carrier: RawCarrier): RawSocket[] {
    const dontFragment = this.#icmp[0] !== null
    const opened = this.locals.map((bind) =>
      openRawSocket(this.#memory, this.#syscalls, { carrier, bind, dontFragment }),
    )
    const sockets = opened.filter((socket) => socket !== null)
    if (sockets.length === opened.length) {
      for (const socket of sockets) this.#hearOwn(socket, worker)
      return sockets
    }
    closeAll(sockets)
    throw new NativeEspError('it needs raw sockets (CAP_NET_RAW)', { carrier })
  }

  /** Where the kernel does not filter, the worker does. */
  #hearOwn({ fd, local, carrier }: RawSocket, worker: number): void {
    if (this.#workers === 1) return
    const isIp4 = familyOf(local.address) === AF_INET
    const program = ownSpisProgram(worker, this.#workers, { isIp4, spiAt: carrier === 'ah' ? AH_SPI_AT : 0 })
    hearOwnSpis(this.#memory, this.#syscalls, fd, program)
  }

  #closeSockets(): void {
    closeAll(this.#rawSockets.flat())
    for (const group of this.#groups) closeAll(this.#isParted ? group.slice(0, this.#ikeSocket) : group)
    this.#closeIcmp()
  }
}

function must(fd: number, what: string): number {
  if (fd < 0) throw new Error(`cannot make ${what} (errno ${-fd})`)
  return fd
}

function closeAll(sockets: readonly { readonly fd: number }[]): void {
  for (const { fd } of sockets) closeFile(fd)
}
