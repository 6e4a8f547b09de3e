/**
 * The owner's side of the native data plane: opens descriptors, starts the worker, passes SAs in and messages out.
 *
 * The worker and its port are unreferenced while nothing is awaited: a data plane alone does not keep a process alive.
 */
import { closeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { InvariantError } from '@culvert/bytes'
import {
  DROP_CODE_NAMES,
  type MoveFindings,
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
} from '../contract.ts'
import { ip4Number } from '../ip4-number.ts'
import { guardExit, type GuardedWorker, releaseGuard } from './exit-guard.ts'
import { type FromWorker, packChildSa, type ToWorker, type WorkerSetup } from './messages.ts'
import type { OwnerSocket } from './owner-socket.ts'
import { ControlWord, NodeField, SA_LINE_FIELDS, SaField, SharedState } from './shared-state.ts'
import { familyOf } from './socket-address.ts'
import type { TunOffload } from './tun-offload.ts'

export interface NativeParts {
  readonly options: DataPlaneOptions
  readonly handlers: DataPlaneHandlers
  readonly socket: OwnerSocket
  readonly tunFd: number
  readonly offload: TunOffload
  readonly connections: WorkerSetup['connections']
}

interface Waiting {
  resolve(): void
  reject(error: Error): void
}

export class NativeDataPlane implements DataPlane {
  readonly rung = 'native'
  readonly description: string
  readonly local: SocketAddress
  readonly locals: readonly SocketAddress[]
  readonly #parts: NativeParts
  readonly #shared: SharedState
  readonly #policies: SubjectPolicies
  readonly #worker: Worker
  readonly #guard: GuardedWorker
  readonly #ended: Promise<void>
  readonly #waiting = new Map<number, Waiting>()
  #tickets = 0
  #state: 'open' | 'closing' | 'ended' = 'open'

  /** Takes over the descriptors; resolves when the worker forwards. */
  static async start(parts: NativeParts): Promise<NativeDataPlane> {
    const plane = new NativeDataPlane(parts)
    await plane.#await(READY)
    return plane
  }

  private constructor(parts: NativeParts) {
    const { options, socket, offload } = parts
    this.#parts = parts
    const [first] = socket.locals
    if (first === undefined) throw new InvariantError('a data plane has at least one socket')
    this.local = first
    this.locals = socket.locals
    this.description = describe(socket, offload, options)
    this.#shared = SharedState.create(options.maxSas, options.maxSubjects)
    this.#policies = new SubjectPolicies(this.#shared.buffers.subjects)
    const { rung: _, ...workerOptions } = options
    const setup: WorkerSetup = {
      options: workerOptions,
      sockets: socket.bound,
      tunFd: parts.tunFd,
      wakeFd: socket.wakeFd,
      offload,
      icmp: socket.icmp,
      connections: parts.connections,
      shared: this.#shared.buffers,
    }
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB }
    this.#worker = new Worker(WORKER_URL, { workerData: setup, execArgv: workerArguments(), resourceLimits })
    this.#worker.unref()
    this.#guard = { control: this.#shared.control, wake: () => socket.wake() }
    guardExit(this.#guard)
    this.#worker.on('message', (message: FromWorker) => this.#receive(message))
    this.#ended = new Promise((resolve) => {
      let failure = new Error('the data worker ended')
      this.#worker.on('error', (error: Error) => (failure = error))
      this.#worker.on('exit', () => {
        this.#end(failure)
        resolve()
      })
    })
  }

  async install(child: ChildSaDescription, placement: Placement | null): Promise<void> {
    familyOf(child.path.remote.address)
    const ticket = ++this.#tickets
    const answered = this.#await(ticket)
    this.#post({ kind: 'install', ticket, child: packChildSa(child), placement })
    await answered
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

  /** Written to shared memory: the worker reads it with the next packet. */
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
    const { sas } = this.#shared
    const lines = spis.map((spi) => ({ spiIn: spi, line: spiIndex(spi) * SA_LINE_FIELDS }))
    const known = lines.filter(({ spiIn, line }) => sas[line + SaField.spi] === spiIn)
    return Promise.resolve(
      known.map(({ spiIn, line }) => ({
        spiIn,
        packetsIn: sas[line + SaField.packetsIn] ?? 0,
        bytesIn: sas[line + SaField.bytesIn] ?? 0,
        packetsOut: sas[line + SaField.packetsOut] ?? 0,
        bytesOut: sas[line + SaField.bytesOut] ?? 0,
      })),
    )
  }

  readCounters(): Promise<NodeCounters> {
    const { node } = this.#shared
    const drops: Record<string, number> = {}
    for (const [code, name] of DROP_CODE_NAMES.entries()) {
      if (code > 0) drops[name] = node[NodeField.drops + code] ?? 0
    }
    return Promise.resolve({
      packetsIn: node[NodeField.packetsIn] ?? 0,
      bytesIn: node[NodeField.bytesIn] ?? 0,
      packetsOut: node[NodeField.packetsOut] ?? 0,
      bytesOut: node[NodeField.bytesOut] ?? 0,
      drops,
    })
  }

  /** Ends the worker, then closes the descriptors; the TUN interface itself stays. */
  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing'
      Atomics.store(this.#shared.control, ControlWord.stop, 1)
      this.#worker.ref()
      this.#parts.socket.wake()
    }
    await this.#ended
  }

  #post(message: ToWorker): void {
    if (this.#state !== 'open') return
    this.#worker.postMessage(message)
    if (Atomics.exchange(this.#shared.control, ControlWord.mail, 1) === 0) this.#parts.socket.wake()
  }

  #await(ticket: number): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(new Error('the data plane is closed'))
    this.#worker.ref()
    return new Promise((resolve, reject) => this.#waiting.set(ticket, { resolve, reject }))
  }

  #receive(message: FromWorker): void {
    const { handlers } = this.#parts
    switch (message.kind) {
      case 'ready':
        return this.#answer(READY, null)
      case 'installed':
        return this.#answer(message.ticket, message.error)
      case 'ike':
        Atomics.sub(this.#shared.control, ControlWord.ikeBacklog, message.datagrams.length)
        Atomics.sub(this.#shared.control, ControlWord.ikeBacklogBytes, message.bytes)
        for (const { bytes, path } of message.datagrams) handlers.onIke(bytes, path)
        return
      case 'notices':
        for (const spiIn of message.traffic) handlers.onInboundTraffic(spiIn)
        for (const { spiIn, remote } of message.moved) handlers.onPeerMoved(spiIn, remote)
        for (const spiIn of message.softLimits) handlers.onSoftLimit(spiIn)
        for (const spiIn of message.hardLimits) handlers.onHardLimit(spiIn)
        for (const subject of message.quotas) handlers.onQuota?.(subject)
        return
    }
  }

  #answer(ticket: number, error: string | null): void {
    const waiting = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    if (this.#waiting.size === 0 && this.#state === 'open') this.#worker.unref()
    if (error === null) waiting?.resolve()
    else waiting?.reject(new Error(`the data plane refused the Child SA: ${error}`))
  }

  /** The worker is gone: nobody uses the descriptors any more. */
  #end(failure: Error): void {
    const isExpected = this.#state === 'closing'
    this.#state = 'ended'
    releaseGuard(this.#guard)
    this.#parts.socket.close()
    closeSync(this.#parts.tunFd)
    const hasStarted = !this.#waiting.has(READY)
    for (const { reject } of this.#waiting.values())
      reject(isExpected ? new Error('the data plane was closed') : failure)
    this.#waiting.clear()
    if (!isExpected && hasStarted) this.#parts.handlers.onFailure(failure)
  }
}

/** The worker makes only short-lived garbage (boxed numbers): a small nursery stays in the cache and costs less memory. */
const YOUNG_GENERATION_MB = 2

/** Ticket of the worker's first message. */
const READY = 0

const IS_SOURCE = import.meta.url.endsWith('.ts')
const WORKER_URL = new URL(`./worker.${IS_SOURCE ? 'ts' : 'js'}`, import.meta.url)

/** From sources, the worker reads its packages from sources too, whatever runs the owner. */
function workerArguments(): string[] {
  return IS_SOURCE ? ['--conditions=source'] : []
}

function describe(socket: OwnerSocket, offload: TunOffload, options: DataPlaneOptions): string {
  const tun = {
    uso: 'TCP and UDP offload',
    tso: 'TCP offload (no UDP: kernel before 6.2, or not wanted)',
    none: 'no offload',
  }[offload]
  const path = socket.icmp === null ? 'DF clear' : 'path MTU discovered'
  const udp = `${options.offload?.udpSegment === false ? 'no GSO' : 'GSO'}${socket.gro ? ' and GRO' : ', no GRO'}`
  return `native: OpenSSL ${process.versions.openssl}, UDP ${udp}, ${path}, TUN ${tun}`
}
