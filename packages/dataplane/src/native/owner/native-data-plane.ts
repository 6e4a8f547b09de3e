/**
 * The owner's side of the native data plane: takes over the descriptors, starts the workers, passes SAs in and messages out.
 *
 * Every worker is told of every SA, in the same order. What is asked within one turn of the event loop is posted as one batch. The
 * first worker that dies or hangs ends all of them: the node fails over instead of limping.
 */
import { randomInt } from 'node:crypto'
import { InvariantError } from '@culvert/bytes'
import {
  classifyDatagram,
  DatagramKind,
  type MoveFindings,
  NON_ESP_MARKER_BYTES,
  type Placement,
  spiIndex,
  SubjectPolicies,
  type SubjectPolicy,
} from '@culvert/esp'
import type { ChildSaDescription, Path, SocketAddress, Spi } from '@culvert/ikev2'
import type {
  DataPlane,
  DataPlaneHandlers,
  DataPlaneOptions,
  MappedHost,
  NodeCounters,
  SaCounters,
} from '../../contract.ts'
import { ip4Number } from '../../ip4-number.ts'
import { closeTun, type OpenTun } from '../../tun/open-tun.ts'
import { readNode, readSa } from '../shared-memory/counters.ts'
import { DataThread } from './data-thread.ts'
import { DatagramReader, READER_BYTES } from '../ike/datagram-reader.ts'
import { KeyArenas } from '../messages/key-arena.ts'
import {
  type FromWorker,
  IKE_ENTRIES,
  type InstallAnswer,
  type ReceivedIke,
  type ToWorker,
  type WorkerSetup,
} from '../messages/messages.ts'
import type { OwnerSocket } from './owner-socket.ts'
import { closeFile, PacketMemory, Syscalls } from '../../foreign/index.ts'
import { LOOK_INTERVAL_MS, PulseWatch } from './pulse-watch.ts'
import { ControlWord, createCommonBuffers, sharedSaWords, SharedState } from '../shared-memory/shared-state.ts'
import { familyOf } from '../sockets/socket-address.ts'
import { ToldLimits } from './told-limits.ts'
import type { TunOffload } from '../superpackets/tun-offload.ts'
import type { UdpSocket } from '../sockets/udp-socket.ts'

export interface NativeParts {
  readonly options: DataPlaneOptions
  readonly handlers: DataPlaneHandlers
  /** Spread over the workers. */
  readonly socket: OwnerSocket
  readonly tun: OpenTun
  readonly offload: TunOffload
  /** OpenSSL is called by lists. */
  readonly callLists: boolean
  readonly threads: number
  /** The kernel sends each datagram to the worker and lane of its SPI. */
  readonly isSteered: boolean
  /** The kernel puts packets for each tunnel into its queue of the TUN. */
  readonly isParted: boolean
}

/** What the workers have not all answered yet. */
interface Waiting {
  left: number
  error: string | null
  resolve(): void
  reject(error: Error): void
}

export class NativeDataPlane implements DataPlane {
  readonly rung = 'native'
  readonly description: string
  readonly local: SocketAddress
  readonly locals: readonly SocketAddress[]
  readonly #parts: NativeParts
  readonly #common: WorkerSetup['common']
  readonly #threads: readonly DataThread[]
  readonly #shared: readonly SharedState[]
  readonly #looking: NodeJS.Timeout
  readonly #policies: SubjectPolicies
  readonly #ended: Promise<void>
  readonly #end: () => void
  readonly #waiting = new Map<number, Waiting>()
  readonly #arenas = new KeyArenas()
  readonly #limits: ToldLimits
  readonly #ikeSockets: readonly UdpSocket[]
  /** SPI by index, 0 where there is none. */
  readonly #installed: Uint32Array
  /** Where the messages of IKE come to this thread. */
  #readers: readonly DatagramReader[] = []
  #commands: ToWorker[] = []
  #flushedMs = -Infinity
  #gatherMs = GATHER_MS
  #gathering: NodeJS.Timeout | null = null
  #tickets = READY
  #state: 'open' | 'closing' | 'failed' = 'open'

  /** Takes over the descriptors; resolves when every worker forwards. */
  static async start(parts: NativeParts): Promise<NativeDataPlane> {
    const plane = new NativeDataPlane(parts)
    try {
      await plane.#await(READY)
      plane.#readIke()
    } catch (error) {
      await plane.#ended // so that another rung finds the port and the TUN free
      throw error
    }
    return plane
  }

  private constructor(parts: NativeParts) {
    const { options, socket, tun, offload, callLists, threads } = parts
    const [first] = socket.locals
    if (first === undefined) throw new InvariantError('a data plane has at least one socket')
    this.#parts = parts
    this.#limits = new ToldLimits(parts.handlers)
    this.local = first
    this.locals = socket.locals
    this.description = describe(parts)
    this.#installed = new Uint32Array(options.maxSas)
    const all = Array.from({ length: threads }, (_, thread) => thread)
    this.#common = createCommonBuffers({
      maxSas: options.maxSas,
      maxSubjects: options.maxSubjects ?? options.maxSas,
      threads,
      hasFlows: options.role.kind === 'concentrator',
      flowHashSeed: randomInt(2 ** 32),
    })
    // It admits no packets.
    this.#policies = new SubjectPolicies(this.#common.subjects, () => {}, { threads, thread: 0 })
    this.#shared = all.map(() => SharedState.create(options.maxSas))
    const { rung: _, ...workerOptions } = options
    const setupOf = (thread: number): WorkerSetup => ({
      options: workerOptions,
      thread,
      threads,
      sockets: socket.boundOf(thread),
      tunFds: tun.fds.filter((_fd, queue) => queue % threads === thread),
      epollFd: socket.epollFds[thread]!,
      wakeFds: socket.wakeFds,
      offload,
      callLists,
      icmp: socket.icmpOf(thread),
      connections: thread === 0 ? tun.connections : [],
      shared: this.#shared.map(({ buffers }) => buffers),
      common: this.#common,
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#ikeSockets = socket.ikeSockets ?? []
    this.#ended = promise
    this.#end = resolve
    this.#threads = all.map((thread) => {
      const receive = (message: FromWorker): void => this.#receive(thread, message)
      const ended = (failure: Error): void => this.#threadEnded(failure)
      return new DataThread(setupOf(thread), () => socket.wake(thread), { receive, ended })
    })
    const watch = new PulseWatch()
    this.#looking = setInterval(() => this.#look(watch), LOOK_INTERVAL_MS).unref()
  }

  async install(child: ChildSaDescription, placement: Placement | null): Promise<void> {
    familyOf(child.path.remote.address)
    if (this.#state !== 'open') throw closedWith(child)
    if (!this.#arenas.hasRoomFor(child.keys)) this.#flush()
    const ticket = ++this.#tickets
    const isFirst = this.#takeIndex(child.spiIn)
    const answered = this.#await(ticket)
    this.#post({ kind: 'install', ticket, child: this.#arenas.pack(child, placement) })
    try {
      await answered
    } catch (error) {
      if (isFirst) this.#freeIndex(child.spiIn)
      throw error
    }
  }

  activateOutbound(spiIn: Spi): void {
    this.#post({ kind: 'activateOutbound', spiIn })
  }

  /** Throws when the address is none. */
  move(spiIn: Spi, path: Path, findings: MoveFindings): void {
    familyOf(path.remote.address)
    this.#post({ kind: 'move', spiIn, path, findings })
  }

  remove(spiIn: Spi): void {
    this.#limits.forget(spiIn)
    this.#freeIndex(spiIn)
    this.#post({ kind: 'remove', spiIn })
  }

  /** Throws when an address is none. */
  mapHost({ synthetic, subject, host }: MappedHost): void {
    this.#post({ kind: 'mapHost', synthetic: ip4Number(synthetic), subject, host: ip4Number(host) })
  }

  /** Throws when the address is none. */
  unmapHost(synthetic: string): void {
    this.#post({ kind: 'unmapHost', synthetic: ip4Number(synthetic) })
  }

  /** Written to shared memory: workers read it with the next packet. */
  setSubject(subject: number, policy: SubjectPolicy): void {
    this.#policies.set(subject, policy)
  }

  removeSubject(subject: number): void {
    this.#policies.remove(subject)
  }

  readSubjects(subjects: readonly number[]): Promise<readonly number[]> {
    return Promise.resolve(subjects.map((subject) => this.#policies.usedBytes(subject)))
  }

  sendIke(bytes: Uint8Array, remote: SocketAddress, local?: SocketAddress): void {
    if (this.#state === 'open') this.#parts.socket.sendIke(bytes, remote, local)
  }

  sendKeepalive(remote: SocketAddress, local?: SocketAddress): void {
    if (this.#state === 'open') this.#parts.socket.sendKeepalive(remote, local)
  }

  readSaCounters(spis: readonly Spi[]): Promise<readonly SaCounters[]> {
    return Promise.resolve(spis.map((spiIn) => readSa(this.#shared, spiIn)).filter((counters) => counters !== null))
  }

  readCounters(): Promise<NodeCounters> {
    return Promise.resolve(readNode(this.#shared))
  }

  /** Ends the workers, then closes the descriptors; the TUN interface itself stays. */
  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#flush()
      this.#state = 'closing'
      for (const thread of this.#threads) {
        thread.ref()
        thread.stop()
      }
    }
    await this.#ended
  }

  #readIke(): void {
    const { handlers } = this.#parts
    const memory = new PacketMemory(READER_BYTES * this.#ikeSockets.length + SCRATCH_BYTES)
    const syscalls = new Syscalls(memory)
    this.#readers = this.#ikeSockets.map((front, index) => {
      const local = this.locals[index]!
      const reader = new DatagramReader(memory, syscalls, { front, back: null }, (bytes, remote) => {
        if (classifyDatagram(bytes, 0, bytes.length) !== DatagramKind.ike) return
        handlers.onIke(bytes.subarray(NON_ESP_MARKER_BYTES), { local, remote })
      })
      reader.unref()
      return reader
    })
  }

  #endReading(): void {
    if (this.#readers.length === 0) for (const { fd } of this.#ikeSockets) closeFile(fd)
    for (const reader of this.#readers) void reader.close()
  }

  /** Sequence numbers begin anew where no SA is installed. @returns false when the workers will refuse it */
  #takeIndex(spiIn: Spi): boolean {
    if (this.#installed[spiIndex(spiIn)] !== 0) return false
    this.#installed[spiIndex(spiIn)] = spiIn
    sharedSaWords(this.#common.sharedSas, spiIn).fill(0)
    return true
  }

  #freeIndex(spiIn: Spi): void {
    if (this.#installed[spiIndex(spiIn)] === spiIn) this.#installed[spiIndex(spiIn)] = 0
  }

  #post(command: ToWorker): void {
    if (this.#state !== 'open') return
    this.#commands.push(command)
    if (this.#commands.length > 1) return
    // Alone it leaves at once; in a crowd those of a moment go together, because a message costs more than what is in it.
    if (performance.now() - this.#flushedMs > this.#gatherMs) queueMicrotask(() => this.#flush())
    else this.#gathering = setTimeout(() => this.#flush(), this.#gatherMs)
  }

  #flush(): void {
    if (this.#gathering !== null) clearTimeout(this.#gathering)
    this.#gathering = null
    this.#flushedMs = performance.now()
    const arena = this.#arenas.seal(this.#threads.length)
    if (this.#commands.length === 0) return
    this.#gatherMs = Math.min(CROWD_GATHER_MS, GATHER_MS + this.#commands.length - 1)
    const batch = { commands: this.#commands, arena }
    this.#commands = []
    for (const thread of this.#threads) thread.post(batch)
  }

  #await(ticket: number): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(new Error('the data plane is closed'))
    if (this.#waiting.size === 0) for (const thread of this.#threads) thread.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { left: this.#threads.length, error: null, resolve, reject })
    })
  }

  #receive(thread: number, message: FromWorker): void {
    const { handlers } = this.#parts
    const { control } = this.#shared[thread]!
    switch (message.kind) {
      case 'ready':
        return this.#answer({ ticket: READY, error: null })
      case 'installed':
        for (const answer of message.answers) this.#answer(answer)
        return
      case 'fault':
        return handlers.onFault?.(message.error)
      case 'ike':
        Atomics.sub(control, ControlWord.ikeBacklog, message.count)
        Atomics.sub(control, ControlWord.ikeBacklogBytes, message.bytes)
        handOver(message.received, this.locals, handlers)
        return
      case 'notices':
        for (const spiIn of message.traffic) handlers.onInboundTraffic(spiIn)
        for (const { spiIn, remote } of message.moved) handlers.onPeerMoved(spiIn, remote)
        for (const spiIn of message.softLimits) this.#limits.soft(spiIn)
        for (const spiIn of message.hardLimits) this.#limits.hard(spiIn)
        for (const subject of message.quotas) handlers.onQuota?.(subject)
        return
    }
  }

  #answer({ ticket, error }: InstallAnswer): void {
    const waiting = this.#waiting.get(ticket)
    if (waiting === undefined) return
    waiting.left--
    waiting.error ??= error
    if (waiting.left > 0) return
    this.#waiting.delete(ticket)
    if (this.#waiting.size === 0 && this.#state === 'open') for (const thread of this.#threads) thread.unref()
    if (waiting.error === null) waiting.resolve()
    else waiting.reject(new Error(`the data plane refused the Child SA: ${waiting.error}`))
  }

  #look(watch: PulseWatch): void {
    if (this.#state !== 'open' || this.#waiting.has(READY)) return // starting takes as long as it takes
    const worker = watch.look(this.#threads.map(({ pulse }) => pulse))
    if (worker === -1) return
    this.#fail(new Error(`data worker ${worker} does not answer`))
    void this.#threads[worker]?.terminate()
    setTimeout(() => this.#end(), GIVE_UP_MS).unref() // and leave the descriptors to it
  }

  #threadEnded(failure: Error): void {
    this.#fail(failure)
    if (this.#threads.some(({ hasEnded }) => !hasEnded)) return
    // Nobody uses the descriptors any more.
    clearInterval(this.#looking)
    this.#arenas.clear()
    this.#endReading()
    this.#parts.socket.close()
    closeTun(this.#parts.tun)
    this.#end()
  }

  /** Once: nobody forwards any more, and everybody who waits is told. */
  #fail(failure: Error): void {
    if (this.#state === 'failed') return
    const isExpected = this.#state === 'closing'
    this.#state = 'failed'
    const hasStarted = !this.#waiting.has(READY)
    for (const thread of this.#threads) if (!thread.hasEnded) thread.stop()
    for (const { reject } of this.#waiting.values()) {
      reject(isExpected ? new Error('the data plane was closed') : failure)
    }
    this.#waiting.clear()
    if (!isExpected && hasStarted) this.#parts.handlers.onFailure(failure)
  }
}

/** Who is heard at one of `locals` keeps that object, as others do. */
function handOver(received: ReceivedIke, locals: readonly SocketAddress[], handlers: DataPlaneHandlers): void {
  for (let at = 0; at < received.length; at += IKE_ENTRIES) {
    const [bytes, localAddress, localPort, remoteAddress, remotePort] = received.slice(at, at + IKE_ENTRIES)
    const heardAt = { address: localAddress as string, port: localPort as number }
    const local = locals.find(({ address, port }) => address === heardAt.address && port === heardAt.port) ?? heardAt
    const remote = { address: remoteAddress as string, port: remotePort as number }
    handlers.onIke(bytes as Uint8Array, { local, remote })
  }
}

function closedWith({ keys }: ChildSaDescription): Error {
  for (const key of [keys.inboundKey, keys.outboundKey, keys.inboundIntegKey, keys.outboundIntegKey]) key.fill(0)
  return new Error('the data plane is closed')
}

/** After a worker that hangs was told to end. */
const GIVE_UP_MS = 2000

/**
 * Commands that come sooner than this after the last ones wait for their like, longer behind many: each of those gave a millisecond
 * more, up to `CROWD_GATHER_MS`. A handshake does not feel it, and what wakes a worker and what it answers costs the same for many.
 */
const GATHER_MS = 2
const CROWD_GATHER_MS = 10

/** Of packet memory, for system calls. */
const SCRATCH_BYTES = 1024

/** Ticket of the workers' first messages. */
const READY = 0

function describe(parts: NativeParts): string {
  const { socket, tun, offload, callLists, threads, isSteered, isParted, options } = parts
  const carries = {
    uso: 'TCP and UDP offload',
    tso: 'TCP offload (no UDP: kernel before 6.2, or not wanted)',
    none: 'no offload',
  }
  const udp = `${options.offload?.udpSegment === false ? 'no GSO' : 'GSO'}${socket.gro ? ' and GRO' : ', no GRO'}`
  const path = socket.icmpOf(0) === null ? 'DF clear' : 'path MTU discovered'
  const wanted = options.dataThreads ?? 1
  const count =
    threads < wanted ? `1 data thread of ${wanted} (the interface was made for one)` : `${threads} data threads`
  const steering = threads === 1 ? '' : isSteered ? ', steered by SPI' : ', hand-off by SPI (no reuseport BPF)'
  const lanes = tun.fds.length / threads
  const parting = lanes === 1 ? '' : `, ${lanes} lanes each by ${isParted ? 'tunnel' : 'flow (no eBPF)'}`
  const openssl = `OpenSSL ${process.versions.openssl}${callLists ? '' : ' call by call'}`
  return `native: ${openssl}, UDP ${udp}, ${path}, TUN ${carries[offload]}, ${count}${steering}${parting}`
}
