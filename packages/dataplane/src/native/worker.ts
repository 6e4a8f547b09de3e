/**
 * The data worker: one thread, both directions, from the first message to the last.
 *
 * A round takes one batch of datagrams of every socket and what other workers handed over, then drains its queue of the TUN, then
 * looks at the mail word; with nothing to do it sleeps in poll(2) on the sockets, the TUN and its event counter. Every `AIR_MS`
 * at the latest it returns to the event loop, because a thread that never does can be neither ended nor joined. An error here ends
 * the worker; its owner fails over.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { opensslProvider } from '@culvert/crypto'
import { DeviceIsolation, DropCode, HostMappings, RandomPool, SubjectPolicies } from '@culvert/esp'
import { dialAddressesOf } from '../dial-addresses.ts'
import { createChecksum } from './checksum.ts'
import { Coalescer } from './coalescer.ts'
import { Openssl } from './evp.ts'
import type { ForwardingSite } from './forwarding-site.ts'
import { Hairpin } from './hairpin.ts'
import { IcmpListener } from './icmp-sockets.ts'
import { Inbound } from './inbound.ts'
import { Handoff, HANDOFF_BYTES } from './handoff.ts'
import { finishArena, withChildSa } from './key-arena.ts'
import type { FromWorker, InstallAnswer, PostedBatch, ToWorker, WorkerSetup } from './messages.ts'
import { NativeSad } from './native-sad.ts'
import { Notices } from './notices.ts'
import type { OuterSocket } from './outer-socket.ts'
import { Outbound } from './outbound.ts'
import { PacketMemory } from './packet-memory.ts'
import { PathMtus } from './path-mtus.ts'
import { routeMtu } from './route-mtu.ts'
import { ControlWord, MOST_FLOWS, NodeField, SharedState } from './shared-state.ts'
import { SOCKADDR_BYTES } from './socket-address.ts'
import { sharedMs } from '../shared-clock.ts'
import { addressOf, POLL_FAILED, POLLIN, Syscalls } from './syscalls.ts'
import { transformBytes, TransformFactory } from './transform-factory.ts'
import { UdpReceiver } from './udp-receiver.ts'
import { UdpSender } from './udp-sender.ts'

const AIR_MS = 20
const POLL_MS = 250
const NOTICE_POLL_MS = 20
const FIXED_BYTES = 2 << 20
/** What a receiver and a sender take. */
const SOCKET_BYTES = 5 << 18
const POLLFD_BYTES = 8

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
  readonly #icmp: IcmpListener
  /** TUN, event counter, sockets for ICMP, sockets. */
  readonly #pollVector: number
  readonly #pollCount: number

  constructor(setup: WorkerSetup, port: MessagePort) {
    const { options, tunFd, offload } = setup
    this.#setup = setup
    this.#port = port
    this.#shared = new SharedState(setup.shared[setup.thread]!)
    const memory = new PacketMemory(memoryBytes(setup), addressOf)
    this.#memory = memory
    const checksum = createChecksum(memory)
    this.#syscalls = new Syscalls(memory)
    this.#notices = new Notices(this.#shared, (message) => this.#post(message))
    this.#hosts = options.role.kind === 'concentrator' ? new HostMappings(randomInt(2 ** 32)) : null
    this.#isolation = createIsolation(setup, this.#hosts)
    const tellQuota = (subject: number): void => this.#notices.noteQuota(subject)
    this.#policies = this.#isolation && new SubjectPolicies(setup.common.subjects, tellQuota)
    this.#sockets = setup.sockets.map(({ fd, local, isRaw }) => ({
      fd,
      local,
      isRaw,
      receiver: new UdpReceiver(memory, this.#syscalls, fd),
      sender: new UdpSender(memory, this.#syscalls, fd, !isRaw && options.offload?.udpSegment !== false),
    }))
    this.#icmp = new IcmpListener(memory, this.#syscalls, setup.icmp ?? [])
    this.#paths = new PathMtus({
      memory,
      shared: this.#shared,
      routeMtu: (destination) => (setup.icmp === null ? 0 : routeMtu(memory, this.#syscalls, destination)),
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
      isolation: this.#isolation,
      policies: this.#policies,
      tunMtuBytes: options.tun.mtuBytes,
      paths: this.#paths,
      tosMask: options.outer?.dscp === 'copy' ? 0xff : 3,
      handoff: this.#handoff,
      others: setup.shared.filter((_shared, thread) => thread !== setup.thread).map(({ sas }) => new Float64Array(sas)),
    }
    const toTun = { write: (frame: number, length: number): void => this.#writeTun(frame, length) }
    const coalescer = new Coalescer(memory, checksum, toTun, { tcp: offload !== 'none', udp: offload === 'uso' })
    this.#outbound = new Outbound(site, this.#syscalls, tunFd, this.#sockets)
    this.#inbound = new Inbound(site, this.#sockets, coalescer, new Hairpin(site, this.#outbound))
    const icmp = setup.icmp ?? []
    this.#wakeFd = setup.wakeFds[setup.thread]!
    const fds = [tunFd, this.#wakeFd, ...[...icmp, ...this.#sockets].map(({ fd }) => fd)]
    this.#pollCount = fds.length
    this.#pollVector = memory.allocate(POLLFD_BYTES * fds.length)
    for (const [index, fd] of fds.entries()) {
      memory.view.setInt32(this.#pollVector + POLLFD_BYTES * index, fd, true)
      memory.view.setInt16(this.#pollVector + POLLFD_BYTES * index + 4, POLLIN, true)
    }
  }

  async run(): Promise<void> {
    const { control } = this.#shared
    let airedMs = performance.now()
    this.#post({ kind: 'ready' })
    while (Atomics.load(control, ControlWord.stop) === 0) {
      this.#readMail()
      const nowMs = performance.now()
      this.#notices.nowMs = nowMs
      if (this.#policies !== null) this.#policies.nowMs = sharedMs(nowMs)
      const isBusy = this.#forward()
      if (!isBusy) this.#sleep()
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
    this.#publish()
  }

  /** @returns whether there was anything to do */
  #forward(): boolean {
    const received = this.#inbound.receive() + this.#inbound.receiveHandedOver()
    const read = this.#outbound.drain()
    this.#notices.flush()
    return received + read > 0
  }

  #sleep(): void {
    const { view } = this.#memory
    const { control } = this.#shared
    const timeoutMs = this.#notices.isWaiting ? NOTICE_POLL_MS : POLL_MS
    Atomics.store(control, ControlWord.asleep, 1)
    // What was handed over before this word was set woke nobody.
    const ready = this.#handoff.isEmpty ? this.#syscalls.poll(this.#pollVector, this.#pollCount, timeoutMs) : 0
    Atomics.store(control, ControlWord.asleep, 0)
    if (ready <= 0) return
    if ((view.getInt16(this.#pollVector + 6, true) & POLL_FAILED) !== 0)
      throw new Error('the TUN interface was removed')
    if (view.getInt16(this.#pollVector + POLLFD_BYTES + 6, true) !== 0) this.#syscalls.drainEventfd(this.#wakeFd)
    const heard = this.#pollVector + 2 * POLLFD_BYTES + 6
    for (let index = 0; index < (this.#setup.icmp?.length ?? 0); index++) {
      if (view.getInt16(heard + POLLFD_BYTES * index, true) !== 0) return this.#tendPaths(this.#notices.nowMs)
    }
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
  #install(
    { child: posted, placement }: ToWorker & { kind: 'install' },
    arena: SharedArrayBuffer | null,
  ): string | null {
    try {
      return withChildSa(posted, arena, (child) => this.#sads.install(child, placement))
    } catch (error) {
      return error instanceof Error ? error.message : 'unknown error'
    }
  }

  #writeTun(frame: number, length: number): void {
    if (this.#syscalls.write(this.#setup.tunFd, frame, length) >= 0) return
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
    const { thread, common } = this.#setup
    const { sharedSas } = common
    const random = new RandomPool((length) => randomBytes(length))
    const openssl = new Openssl(memory)
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
