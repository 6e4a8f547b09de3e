/**
 * The data worker: one thread, both directions, from the first message to the last.
 *
 * A round asks epoll what there is, for which it may sleep; then it takes one batch of datagrams of every lane that has some and
 * what other workers handed over, drains every queue of the TUN that has something, a portion of each when there are several, and
 * looks at the mail word. Every `AIR_MS` at the latest it returns to the event loop, because a thread that never does can be neither ended nor joined. An error here ends
 * the worker; its owner fails over.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { opensslProvider } from '@culvert/crypto'
import { DeviceIsolation, DropCode, HostMappings, RandomPool, SubjectPolicies } from '@culvert/esp'
import { dialAddressesOf } from '../../dial-addresses.ts'
import { createChecksum } from '../superpackets/checksum.ts'
import { Coalescer } from '../superpackets/coalescer.ts'
import { Openssl, PacketMemory, POLL_FAILED, Syscalls } from '../../foreign/index.ts'
import { Faults } from './faults.ts'
import type { ForwardingSite } from './forwarding-site.ts'
import { Hairpin } from './hairpin.ts'
import { IcmpListener } from '../path-mtu/icmp-sockets.ts'
import { Inbound } from './inbound.ts'
import { Handoff, HANDOFF_BYTES } from '../lanes/handoff.ts'
import { finishArena, withChildSa } from '../messages/key-arena.ts'
import { laneWordOf } from '../lanes/lanes.ts'
import type { FromWorker, InstallAnswer, PostedBatch, ToWorker, WorkerSetup } from '../messages/messages.ts'
import { NativeSad } from '../sa/native-sad.ts'
import { Notices } from './notices.ts'
import type { OuterSocket } from '../sockets/outer-socket.ts'
import { Outbound } from './outbound.ts'
import { PathMtus } from '../path-mtu/path-mtus.ts'
import type { Portion } from '../lanes/portion.ts'
import { ReadySet } from './ready-set.ts'
import { RouteMtus } from '../path-mtu/route-mtu.ts'
import { VNET_HEADER_BYTES } from '../superpackets/segmenter.ts'
import { ControlWord, MOST_FLOWS, NodeField, SharedState } from '../shared-memory/shared-state.ts'
import { SOCKADDR_BYTES } from '../sockets/socket-address.ts'
import { sharedMs } from '../../shared-clock.ts'
import { transformBytes, TransformFactory } from '../sa/transform-factory.ts'
import { UdpReceiver } from '../sockets/udp-receiver.ts'
import { UdpSender } from '../sockets/udp-sender.ts'

const AIR_MS = 20
const POLL_MS = 250
const NOTICE_POLL_MS = 20
const FIXED_BYTES = 2 << 20
/** What a receiver and a sender take. */
const SOCKET_BYTES = 5 << 18
/**
 * Of a round: for a lane that alone has something, and for each of several. What comes next waits until the round is over, so even a
 * lane that is alone gets no more octets than go through in half a millisecond.
 */
const ALONE = { buffers: 16, frames: 64, bytes: 1 << 18 } as const
const AMONG_OTHERS = { buffers: 4, frames: 16, bytes: 1 << 18 } as const

class DataWorker {
  readonly #setup: WorkerSetup
  readonly #port: MessagePort
  readonly #shared: SharedState
  readonly #syscalls: Syscalls
  readonly #memory: PacketMemory
  readonly #notices: Notices
  readonly #sads: NativeSad
  /** Null in the role of a device. */
  readonly #hosts: HostMappings | null
  readonly #isolation: DeviceIsolation | null
  readonly #policies: SubjectPolicies | null
  readonly #sockets: readonly OuterSocket[]
  readonly #handoff: Handoff
  readonly #wakeFd: number
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  readonly #paths: PathMtus
  readonly #routes: RouteMtus
  readonly #icmp: IcmpListener
  /** Sockets of all lanes of all addresses. */
  readonly #lanes: readonly { readonly socket: OuterSocket; readonly fd: number }[]
  /** Queues of the TUN, event counter, sockets for ICMP, `#lanes`. */
  readonly #ready: ReadySet
  readonly #wakeAt: number
  readonly #icmpAt: number
  readonly #lanesAt: number

  constructor(setup: WorkerSetup, port: MessagePort) {
    const { options, tunFds, offload } = setup
    this.#setup = setup
    this.#port = port
    this.#shared = new SharedState(setup.shared[setup.thread]!)
    const memory = new PacketMemory(memoryBytes(setup))
    this.#memory = memory
    const checksum = createChecksum(memory)
    this.#syscalls = new Syscalls(memory)
    this.#notices = new Notices(this.#shared, (message) => this.#post(message))
    this.#hosts = options.role.kind === 'concentrator' ? new HostMappings(randomInt(2 ** 32)) : null
    this.#isolation = createIsolation(setup, this.#hosts)
    const tellQuota = (subject: number): void => this.#notices.noteQuota(subject)
    this.#policies = this.#isolation && new SubjectPolicies(setup.common.subjects, tellQuota, setup)
    this.#sockets = setup.sockets.map(({ fds, local, carrier }) => ({
      fds,
      local,
      carrier,
      receiver: new UdpReceiver(memory, this.#syscalls),
      sender: new UdpSender(
        memory,
        this.#syscalls,
        fds[0]!,
        carrier === 'udp' && options.offload?.udpSegment !== false,
      ),
    }))
    this.#icmp = new IcmpListener(memory, this.#syscalls, setup.icmp ?? [])
    this.#routes = new RouteMtus(memory, this.#syscalls)
    this.#paths = new PathMtus({
      memory,
      shared: this.#shared,
      routeMtu: (destination) => (setup.icmp === null ? 0 : this.#routes.ask(destination)),
      locals: this.#sockets.map(({ local }) => local),
    })
    this.#sads = this.#createSads(memory, checksum)
    this.#handoff = new Handoff({
      memory,
      thread: setup.thread,
      threads: setup.threads,
      rings: setup.common.rings,
      controls: setup.shared.map(({ control }) => new Int32Array(control)),
      wake: (thread) => this.#syscalls.signalEventfd(setup.wakeFds[thread]!),
    })
    const site: ForwardingSite = {
      memory,
      checksum,
      sads: this.#sads,
      shared: this.#shared,
      notices: this.#notices,
      faults: new Faults(this.#notices, (error) => this.#post({ kind: 'fault', error })),
      isolation: this.#isolation,
      policies: this.#policies,
      tunMtuBytes: options.tun.mtuBytes,
      paths: this.#paths,
      tosMask: options.outer?.dscp === 'copy' ? 0xff : 3,
      dontFragment: setup.icmp !== null,
      handoff: this.#handoff,
      others: setup.shared.filter((_shared, thread) => thread !== setup.thread).map(({ sas }) => new Float64Array(sas)),
    }
    const toTun = { write: (frame: number, length: number): void => this.#writeTun(frame, length) }
    const coalescer = new Coalescer(memory, checksum, toTun, { tcp: offload !== 'none', udp: offload === 'uso' })
    this.#outbound = new Outbound(site, this.#syscalls, tunFds[0]!, this.#sockets)
    this.#inbound = new Inbound(site, this.#sockets, coalescer, new Hairpin(site, this.#outbound))
    const icmp = setup.icmp ?? []
    this.#wakeFd = setup.wakeFds[setup.thread]!
    this.#lanes = this.#sockets.flatMap((socket) => socket.fds.map((fd) => ({ socket, fd })))
    this.#wakeAt = tunFds.length
    this.#icmpAt = this.#wakeAt + 1
    this.#lanesAt = this.#icmpAt + icmp.length
    const fds = [...tunFds, this.#wakeFd, ...[...icmp, ...this.#lanes].map(({ fd }) => fd)]
    this.#ready = new ReadySet(memory, this.#syscalls, setup.epollFd, fds)
  }

  async run(): Promise<void> {
    const { control } = this.#shared
    let airedMs = performance.now()
    this.#post({ kind: 'ready' })
    while (Atomics.load(control, ControlWord.stop) === 0) {
      this.#wait()
      this.#readMail() // before packets that came after it
      const nowMs = performance.now()
      this.#notices.nowMs = nowMs
      if (this.#policies !== null) this.#policies.nowMs = sharedMs(nowMs)
      this.#forward(nowMs)
      if (nowMs - airedMs < AIR_MS) continue
      airedMs = nowMs
      this.#isolation?.advanceTo(Math.floor(sharedMs(nowMs) / 1000))
      this.#tendPaths(nowMs)
      this.#publish()
      Atomics.add(control, ControlWord.pulse, 1)
      await nextTurn()
    }
  }

  close(): void {
    this.#sads.clear()
    this.#routes.close()
    this.#publish()
  }

  #forward(nowMs: number): void {
    this.#heed(nowMs)
    this.#receive()
    this.#inbound.receiveHandedOver()
    this.#drainTun()
    this.#outbound.flush()
    this.#notices.flush()
  }

  #receive(): void {
    const ready = this.#ready.countReady(this.#lanesAt, this.#lanes.length)
    if (ready === 0) return
    const portion: Portion = ready === 1 ? ALONE : AMONG_OTHERS
    for (let index = 0; index < this.#lanes.length; index++) {
      if (this.#ready.eventsOf(this.#lanesAt + index) === 0) continue
      const { socket, fd } = this.#lanes[index]!
      this.#inbound.receive(socket, fd, portion)
    }
  }

  #drainTun(): void {
    const { tunFds } = this.#setup
    const ready = this.#ready.countReady(0, tunFds.length)
    if (ready === 0) return
    const portion: Portion = ready === 1 ? ALONE : AMONG_OTHERS
    for (let queue = 0; queue < tunFds.length; queue++) {
      const events = this.#ready.eventsOf(queue)
      if (events === 0) continue
      if ((events & POLL_FAILED) !== 0) throw new Error('the TUN interface was removed')
      this.#outbound.drain(tunFds[queue]!, portion)
    }
  }

  /** Returns at once when there is something. */
  #wait(): void {
    const { control } = this.#shared
    const timeoutMs = this.#notices.isWaiting ? NOTICE_POLL_MS : POLL_MS
    Atomics.store(control, ControlWord.asleep, 1)
    // What was handed over before this word was set woke nobody.
    this.#ready.wait(this.#handoff.isEmpty ? timeoutMs : 0)
    Atomics.store(control, ControlWord.asleep, 0)
  }

  /** What is no packet of a tunnel: a call of the owner or of another worker, and what routers say. */
  #heed(nowMs: number): void {
    if (this.#ready.eventsOf(this.#wakeAt) !== 0) this.#syscalls.drainEventfd(this.#wakeFd)
    if (this.#ready.countReady(this.#icmpAt, this.#lanesAt - this.#icmpAt) > 0) this.#tendPaths(nowMs)
  }

  /** What was learned about the paths to peers since the last time. */
  #tendPaths(nowMs: number): void {
    for (const { sender } of this.#sockets) {
      const record = sender.tooLongFor === 0 ? undefined : this.#sads.at(sender.tooLongFor)
      if (record !== undefined) this.#paths.noteRefused(record, nowMs)
      sender.tooLongFor = 0
    }
    this.#icmp.drain((error) => this.#paths.noteRouterError(error, nowMs))
    this.#paths.advanceTo(nowMs)
  }

  #readMail(): void {
    const { control } = this.#shared
    if (Atomics.exchange(control, ControlWord.mail, 0) === 0) return
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: PostedBatch } | undefined
      if (received === undefined) return
      this.#obeyAll(received.message)
    }
  }

  #obeyAll({ commands, arena }: PostedBatch): void {
    const answers: InstallAnswer[] = []
    for (const command of commands) this.#obey(command, arena, answers)
    finishArena(arena)
    if (answers.length > 0) this.#post({ kind: 'installed', answers })
  }

  #obey(message: ToWorker, arena: SharedArrayBuffer | null, answers: InstallAnswer[]): void {
    switch (message.kind) {
      case 'install': {
        answers.push({ ticket: message.ticket, error: this.#install(message, arena) })
        return
      }
      case 'activateOutbound':
        this.#sads.sad.activateOutbound(message.spiIn)
        return
      case 'remove':
        this.#sads.remove(message.spiIn)
        return
      case 'mapHost':
        this.#hosts?.set(message.synthetic, message.subject, message.host)
        return
      case 'unmapHost':
        this.#hosts?.delete(message.synthetic)
        return
      case 'move':
        this.#sads.move(message.spiIn, message.path, message.findings)
        return
    }
  }

  /** One SA that cannot be made must not end the worker. */
  #install({ child: posted }: ToWorker & { kind: 'install' }, arena: SharedArrayBuffer | null): string | null {
    try {
      return withChildSa(posted, arena, (child, placement) => this.#sads.install(child, placement))
    } catch (error) {
      return error instanceof Error ? error.message : 'unknown error'
    }
  }

  #writeTun(frame: number, length: number): void {
    const { tunFds } = this.#setup
    // Where the kernel follows what is written, answers come back by the lane of their tunnel.
    const lane = tunFds.length === 1 ? 0 : laneWordOf(this.#memory, frame + VNET_HEADER_BYTES) % tunFds.length
    if (this.#syscalls.write(tunFds[lane]!, frame, length) >= 0) return
    this.#shared.node[NodeField.drops + DropCode.tunWriteFailed]!++
  }

  #publish(): void {
    const { node } = this.#shared
    node[NodeField.refusedRuns] = this.#sockets.reduce((sum, { sender }) => sum + sender.refusedRuns, 0)
    node[NodeField.drops + DropCode.sendFailed] = this.#sockets.reduce((sum, { sender }) => sum + sender.failed, 0)
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message)
  }

  #createSads(memory: PacketMemory, checksum: ReturnType<typeof createChecksum>): NativeSad {
    const {
      nodeSlot,
      maxSas,
      maxSubjects = maxSas,
      replayWindowPackets,
      role,
      incarnation,
      lifetime,
    } = this.#setup.options
    const { thread, common, callLists } = this.#setup
    const { sharedSas } = common
    const random = new RandomPool((length) => randomBytes(length))
    const openssl = new Openssl(memory, { callLists })
    const provider = opensslProvider
    const transforms = new TransformFactory({
      memory,
      checksum,
      openssl,
      random,
      provider,
      incarnation,
      thread,
      maxSas,
    })
    const outboundBy = role.kind === 'concentrator' ? 'destination' : 'source'
    const options = { nodeSlot, maxSas, maxSubjects, replayWindowPackets, outboundBy, lifetime } as const
    const hosts = this.#hosts
    return new NativeSad(
      { memory, shared: this.#shared, transforms, sockets: this.#sockets, paths: this.#paths, sharedSas },
      { ...options, ...(hosts && { hosts }) },
    )
  }
}

function memoryBytes({ options: { maxSas }, sockets }: WorkerSetup): number {
  return FIXED_BYTES + HANDOFF_BYTES + SOCKET_BYTES * sockets.length + SOCKADDR_BYTES * maxSas + transformBytes(maxSas)
}

function createIsolation(
  { options, connections, common, threads }: WorkerSetup,
  hosts: HostMappings | null,
): DeviceIsolation | null {
  if (options.role.kind !== 'concentrator') return null
  const { flows, flowHashSeed: hashSeed } = common
  if (flows === null) throw new Error('a concentrator has a flow table')
  const table = { maxFlows: MOST_FLOWS, hashSeed, memory: flows, isShared: threads > 1 }
  const isolation = new DeviceIsolation(dialAddressesOf(options.role), table, hosts)
  isolation.advanceTo(Math.floor(sharedMs(performance.now()) / 1000))
  isolation.adopt(connections)
  return isolation
}

async function main(setup: WorkerSetup, port: MessagePort): Promise<void> {
  const control = new Int32Array(setup.shared[setup.thread]!.control)
  try {
    const worker = new DataWorker(setup, port)
    try {
      await worker.run()
    } finally {
      worker.close()
    }
  } finally {
    Atomics.store(control, ControlWord.stopped, 1)
    Atomics.notify(control, ControlWord.stopped)
  }
}

if (parentPort !== null && workerData !== null) await main(workerData as WorkerSetup, parentPort)
