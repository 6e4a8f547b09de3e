/**
 * Two data planes in one process, their TUNs in two namespaces, and a middle box between their sockets that can record, replay,
 * damage and move datagrams. For tests of every rung.
 *
 *   namespace C: 10.127.0.1 ── TUN ── concentrator plane ── UDP ── middle ── UDP ── device plane ── TUN ── 10.128.0.5: namespace D
 *                fd7f::1                                                                                    fd80::5
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseIp } from '@culvert/bytes'
import { composeSpi, type LifetimeSettings } from '@culvert/esp'
import type { ChildKeys, ChildSaDescription, SocketAddress, Spi, TrafficSelector } from '@culvert/ikev2'
import { configureTun, ensureNamespace, openDataPlane, removeNamespace } from '../src/index.ts'
import type { DataPlane, DataPlaneHandlers, DataPlaneOptions, Rung } from '../src/index.ts'

export const DIAL_ADDRESS = '10.127.0.1'
export const DEVICE_ADDRESS = '10.128.0.5'
export const DIAL_ADDRESS6 = 'fd7f::1'
export const DEVICE_ADDRESS6 = 'fd80::5'
const MTU_BYTES = 1400
const CONCENTRATOR_SLOT = 7
const DEVICE_SLOT = 9

/** Handlers that remember. */
export interface Notices extends DataPlaneHandlers {
  readonly ike: { bytes: Uint8Array; remote: SocketAddress }[]
  readonly traffic: Spi[]
  readonly moved: { spiIn: Spi; remote: SocketAddress }[]
  /** `soft` or `hard`, in order. */
  readonly limits: { kind: 'soft' | 'hard'; spiIn: Spi }[]
  readonly failures: Error[]
}

/** Transport mode with a NAT before the device, which knows itself as `DEVICE_ADDRESS`. */
export interface TransportLab {
  /** Its address as the concentrator sees it. */
  readonly seen: string
  /** Whether the ends know what addresses the other one computes checksums with. */
  readonly knowsOriginals: boolean
}

export interface Side {
  plane: DataPlane
  readonly notices: Notices
  readonly namespace: string
  /** What the other side sends to: the middle box. */
  readonly via: SocketAddress
  readonly options: DataPlaneOptions
}

export interface SaKeys {
  readonly encr: ChildKeys['encr']
  readonly integ: ChildKeys['integ']
  readonly keyBytes: number
  readonly integKeyBytes: number
}

export interface LabRungs {
  readonly concentrator: Rung
  readonly device: Rung
  /** Of each side; one when left out. */
  readonly dataThreads?: number
  /** Of what the concentrator installs. */
  readonly lifetime?: LifetimeSettings
}

export const AES_GCM: SaKeys = {
  encr: { type: 1, id: 20, keyBits: 128 },
  integ: null,
  keyBytes: 20,
  integKeyBytes: 0,
}
export const AES_CBC: SaKeys = {
  encr: { type: 1, id: 12, keyBits: 256 },
  integ: { type: 3, id: 12, keyBits: null },
  keyBytes: 32,
  integKeyBytes: 32,
}

export class ForwardingLab {
  readonly concentrator: Side
  readonly device: Side
  readonly middle: MiddleBox
  readonly #programs: Program[] = []

  private constructor(concentrator: Side, device: Side, middle: MiddleBox) {
    this.concentrator = concentrator
    this.device = device
    this.middle = middle
  }

  /** @param mark short, makes the names of the namespaces unique */
  static async create(mark: string, rungs: LabRungs): Promise<ForwardingLab> {
    const middle = await MiddleBox.open()
    const concentrator = await openSide(`${mark}-c`, middle.towardsDevice, {
      rung: rungs.concentrator,
      ...threadsOf(rungs),
      nodeSlot: CONCENTRATOR_SLOT,
      role: { kind: 'concentrator', dialAddresses: [DIAL_ADDRESS, DIAL_ADDRESS6] },
      ...(rungs.lifetime && { lifetime: rungs.lifetime }),
    })
    const device = await openSide(`${mark}-d`, middle.towardsConcentrator, {
      rung: rungs.device,
      ...threadsOf(rungs),
      nodeSlot: DEVICE_SLOT,
      role: { kind: 'device' },
    })
    middle.connect(concentrator.plane.local, device.plane.local)
    await configure(concentrator, [`${DIAL_ADDRESS}/32`, `${DIAL_ADDRESS6}/128`], ['10.128.0.0/9', 'fd80::/16'])
    await configure(device, [`${DEVICE_ADDRESS}/32`, `${DEVICE_ADDRESS6}/128`], ['10.127.0.0/24', 'fd7f::/120'])
    return new ForwardingLab(concentrator, device, middle)
  }

  /** Installs one Child SA on both sides. @returns the inbound SPIs */
  async installSa(
    generation: number,
    keys: SaKeys,
    flags: { readonly outbound: boolean; readonly transport?: TransportLab },
  ): Promise<{ concentrator: Spi; device: Spi }> {
    const spis = {
      concentrator: composeSpi(CONCENTRATOR_SLOT, 3 + generation, generation),
      device: composeSpi(DEVICE_SLOT, 4 + generation, generation),
    }
    const dial = [selector('10.127.0.0', '10.127.0.255'), selector('fd7f::', 'fd7f::ff')]
    const leased = [DEVICE_ADDRESS, DEVICE_ADDRESS6].map((address) => selector(address, address))
    const describe = (side: 'concentrator' | 'device'): ChildSaDescription => {
      const isDevice = side === 'device'
      const [inbound, outbound] = isDevice ? [1, 2] : [2, 1]
      const { plane, via } = this[side]
      const [tsLocal, tsRemote] = isDevice ? [leased, dial] : [dial, leased]
      const tunnel = { mode: 'tunnel', tsLocal, tsRemote } as const
      return {
        spiIn: spis[side],
        spiOut: spis[isDevice ? 'concentrator' : 'device'],
        keys: {
          encr: keys.encr,
          integ: keys.integ,
          esn: false,
          inboundKey: new Uint8Array(keys.keyBytes).fill(generation * 16 + inbound),
          outboundKey: new Uint8Array(keys.keyBytes).fill(generation * 16 + outbound),
          inboundIntegKey: new Uint8Array(keys.integKeyBytes).fill(generation * 16 + inbound + 4),
          outboundIntegKey: new Uint8Array(keys.integKeyBytes).fill(generation * 16 + outbound + 4),
        },
        path: { local: plane.local, remote: via },
        udpEncap: true,
        peerBehindNat: true,
        ...(flags.transport ? transportOf(side, flags.transport) : tunnel),
        outbound: flags.outbound,
        replaces: null,
      }
    }
    await this.concentrator.plane.install(describe('concentrator'), {
      subject: 1,
      addresses: flags.transport ? [flags.transport.seen] : [DEVICE_ADDRESS, DEVICE_ADDRESS6],
    })
    await this.device.plane.install(describe('device'), null)
    return spis
  }

  /** Starts a program of this folder inside the namespace of a side. */
  run(side: Side, script: 'tcp-peer' | 'udp-peer' | 'ping', ...args: readonly string[]): Program {
    const program = new Program(side.namespace, script, args)
    this.#programs.push(program)
    return program
  }

  /** Closes the concentrator's plane and opens a new one on the same port and TUN, as after a restart. */
  async restartConcentrator(): Promise<void> {
    const { plane, options, notices } = this.concentrator
    const bind = plane.locals
    await plane.close()
    this.concentrator.plane = await openDataPlane({ ...options, bind, incarnation: options.incarnation + 1 }, notices)
  }

  async close(): Promise<void> {
    for (const program of this.#programs) await program.end()
    await Promise.all([this.concentrator.plane.close(), this.device.plane.close()])
    this.middle.close()
    await Promise.all([removeNamespace(this.concentrator.namespace), removeNamespace(this.device.namespace)])
  }
}

/** A child process whose lines can be waited for. */
export class Program {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #lines: Interface

  constructor(namespace: string, script: string, args: readonly string[]) {
    const file = fileURLToPath(new URL(`./${script}.ts`, import.meta.url))
    const words = ['netns', 'exec', namespace, process.execPath, '--conditions=source', file, ...args]
    this.#child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#ended = once(this.#child, 'exit')
    this.#lines = createInterface({ input: this.#child.stdout! })
    this.#lines.on('line', (line) => this.lines.push(line))
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** The rest of the first line that starts with this word. */
  heard(word: string): string | undefined {
    return this.lines.find((line) => line === word || line.startsWith(`${word} `))?.slice(word.length + 1)
  }

  /** The same, once there is such a line; fails when the program ends before. */
  async hears(word: string): Promise<string> {
    for (;;) {
      const rest = this.heard(word)
      if (rest !== undefined) return rest
      const news = new Promise<boolean>((resolve) => this.#lines.once('line', () => resolve(true)))
      if (!(await Promise.race([news, this.#ended.then(() => false)]))) {
        throw new Error(`the program ended before it said "${word}"`)
      }
    }
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<{ code: number | null; signal: string | null }> {
    await this.#ended
    return { code: this.#child.exitCode, signal: this.#child.signalCode }
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(name)
  }

  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** Stands where the internet and its NATs are. */
export class MiddleBox {
  readonly #left: Socket
  #right: Socket
  #concentrator: SocketAddress = { address: '127.0.0.1', port: 0 }
  #device: SocketAddress = { address: '127.0.0.1', port: 0 }
  /** Last datagrams in each direction, newest last. */
  readonly toConcentrator: Uint8Array[] = []
  readonly toDevice: Uint8Array[] = []
  /** Sees every datagram towards the concentrator. */
  onToConcentrator: (bytes: Uint8Array) => void = () => {}

  private constructor(left: Socket, right: Socket) {
    this.#left = left
    this.#right = right
  }

  static async open(): Promise<MiddleBox> {
    return new MiddleBox(await openSocket(), await openSocket())
  }

  /** What the concentrator takes for the device. */
  get towardsDevice(): SocketAddress {
    return addressOf(this.#right)
  }

  get towardsConcentrator(): SocketAddress {
    return addressOf(this.#left)
  }

  connect(concentrator: SocketAddress, device: SocketAddress): void {
    this.#concentrator = concentrator
    this.#device = device
    this.#left.on('message', (bytes) => {
      keep(this.toConcentrator, bytes)
      this.onToConcentrator(bytes)
      this.sendToConcentrator(bytes)
    })
    this.#listenRight()
  }

  sendToConcentrator(bytes: Uint8Array): void {
    this.#right.send(bytes, this.#concentrator.port, this.#concentrator.address)
  }

  /** The NAT in front of the device picks another port. @returns the new address */
  async rebind(): Promise<SocketAddress> {
    const old = this.#right
    this.#right = await openSocket()
    this.#listenRight()
    old.close()
    return addressOf(this.#right)
  }

  close(): void {
    this.#left.close()
    this.#right.close()
  }

  #listenRight(): void {
    this.#right.on('message', (bytes) => {
      keep(this.toDevice, bytes)
      this.#left.send(bytes, this.#device.port, this.#device.address)
    })
  }
}

function keep(list: Uint8Array[], bytes: Uint8Array): void {
  list.push(bytes)
  if (list.length > 64) list.shift()
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

function addressOf(socket: Socket): SocketAddress {
  const { address, port } = socket.address()
  return { address, port }
}

export async function openSide(
  name: string,
  via: SocketAddress,
  given: Pick<DataPlaneOptions, 'nodeSlot' | 'role' | 'dataThreads' | 'lifetime'> & { readonly rung: Rung },
): Promise<Side> {
  await ensureNamespace(name)
  const notices = createNotices()
  const options: DataPlaneOptions = {
    bind: [
      { address: '127.0.0.1', port: 0 },
      { address: '::1', port: 0 },
    ],
    tun: { name: 'culvert0', namespace: name, mtuBytes: MTU_BYTES },
    incarnation: 77,
    maxSas: 64,
    replayWindowPackets: 1024,
    ...given,
  }
  return { plane: await openDataPlane(options, notices), notices, namespace: name, via, options }
}

function createNotices(): Notices {
  const notices: Notices = {
    ike: [],
    traffic: [],
    moved: [],
    limits: [],
    failures: [],
    onIke: (bytes, path) => notices.ike.push({ bytes, remote: path.remote }),
    onInboundTraffic: (spiIn) => notices.traffic.push(spiIn),
    onPeerMoved: (spiIn, remote) => notices.moved.push({ spiIn, remote }),
    onSoftLimit: (spiIn) => notices.limits.push({ kind: 'soft', spiIn }),
    onHardLimit: (spiIn) => notices.limits.push({ kind: 'hard', spiIn }),
    onFailure: (error) => notices.failures.push(error),
  }
  return notices
}

function transportOf(
  side: 'concentrator' | 'device',
  { seen, knowsOriginals }: TransportLab,
): Pick<ChildSaDescription, 'mode' | 'tsLocal' | 'tsRemote' | 'originalAddresses'> {
  const host = (address: string): TrafficSelector => selector(address, address)
  const isDevice = side === 'device'
  const ends = isDevice ? [DEVICE_ADDRESS, DIAL_ADDRESS] : [DIAL_ADDRESS, seen]
  const [local, remote] = (isDevice ? [seen, DIAL_ADDRESS] : [DIAL_ADDRESS, DEVICE_ADDRESS]).map(
    (address) => host(address).startAddress,
  )
  return {
    mode: 'transport',
    tsLocal: [host(ends[0]!)],
    tsRemote: [host(ends[1]!)],
    originalAddresses: knowsOriginals ? { local: local!, remote: remote! } : 'unknown',
  }
}

export async function configure(side: Side, addresses: readonly string[], routes: readonly string[]): Promise<void> {
  await configureTun({ namespace: side.namespace, name: 'culvert0', mtuBytes: MTU_BYTES, addresses, routes })
}

export function selector(start: string, end: string): TrafficSelector {
  const octets = (text: string): Uint8Array => {
    const address = parseIp(text)
    if (address === undefined) throw new Error(`${text} is no address`)
    return address
  }
  return {
    type: start.includes(':') ? 8 : 7,
    protocol: 0,
    startPort: 0,
    endPort: 0xffff,
    startAddress: octets(start),
    endAddress: octets(end),
  }
}

function threadsOf({ dataThreads }: LabRungs): { dataThreads?: number } {
  return dataThreads === undefined ? {} : { dataThreads }
}
