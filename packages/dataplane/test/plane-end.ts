/**
 * One end of a tunnel as a process of its own, for tests: opens a data plane in the namespace it was started in, installs one
 * Child SA with fixed keys, configures the TUN, then obeys lines on stdin.
 *
 *   plane-end <JSON of PlaneEndOptions>
 *
 * Prints "ready <description>". Then it obeys "counters" (prints the node's counters as JSON), "install <generation>" (another SA
 * with other keys, which receives only; prints "installed <generation>"), "activate <generation>", "heard <generation>" (prints how many
 * packets came through it), "remove <generation>", "udp <generation>" and "ip <generation>" (from now on it sends so; prints "moved udp" or "moved ip") and "end <way>". The first SA is generation 1.
 */
import { isIPv6 } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createInterface } from 'node:readline'
import { composeSpi } from '@culvert/esp'
import type { ChildSaDescription, Spi, TrafficSelector } from '@culvert/ikev2'
import { encodeSocketAddress, SOCKADDR_BYTES } from '../src/native/sockets/socket-address.ts'
import { configureTun, type DataPlane, type OffloadLimits, openDataPlane, type Rung } from '../src/index.ts'

export interface PlaneEndOptions {
  readonly rung: Rung
  /** 1 or 2: which end this is. */
  readonly end: 1 | 2
  /** Outer addresses of end 1 and end 2. */
  readonly outer: readonly [string, string]
  /** Inner addresses of end 1 and end 2. */
  readonly inner: readonly [string, string]
  readonly tun: string
  readonly encr: { readonly id: number; readonly keyBits: number | null; readonly keyBytes: number }
  readonly integ: { readonly id: number; readonly keyBytes: number } | null
  readonly esn: boolean
  readonly pathMtu?: 'discover' | 'fragment'
  readonly dscp?: 'none' | 'copy'
  readonly offload?: OffloadLimits
  /** Of end 1 and end 2; left out: both. */
  readonly udpEncap?: readonly [boolean, boolean]
  readonly dataThreads?: number
  /** AH instead of ESP, without UDP. */
  readonly ah?: boolean
  /** Transport mode: the TUN is in this namespace, whose addresses are the outer ones. */
  readonly host?: string
}

const PORT = 4500
const MTU_BYTES = 1400
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

function describe(options: PlaneEndOptions, generation: number): ChildSaDescription {
  const { end, outer, inner, encr, integ, esn, ah = false, host } = options
  const udpEncap = !ah && (options.udpEncap ?? [true, true])[end - 1]!
  const [mine, theirs] = [end, 3 - end]
  const key = (length: number, from: number): Uint8Array => new Uint8Array(length).fill(0x40 + 4 * generation + from)
  const at = (address: string): { address: string; port: number } => ({ address, port: PORT })
  return {
    spiIn: spiOf(mine, generation),
    spiOut: spiOf(theirs, generation),
    keys: {
      encr: { type: 1, id: encr.id, keyBits: encr.keyBits },
      integ: integ === null ? null : { type: 3, id: integ.id, keyBits: null },
      esn,
      inboundKey: key(encr.keyBytes, theirs),
      outboundKey: key(encr.keyBytes, mine),
      inboundIntegKey: key(integ?.keyBytes ?? 0, theirs),
      outboundIntegKey: key(integ?.keyBytes ?? 0, mine),
    },
    path: { local: at(outer[mine - 1]!), remote: at(outer[theirs - 1]!) },
    ...(ah && { protocol: 'ah' }),
    udpEncap,
    peerBehindNat: udpEncap,
    mode: host === undefined ? 'tunnel' : 'transport',
    tsLocal: [selector(inner[mine - 1]!)],
    tsRemote: [selector(inner[theirs - 1]!)],
    outbound: generation === 1,
    replaces: null,
  }
}

function spiOf(end: number, generation: number): Spi {
  return composeSpi(end, generation, 1)
}

function selector(address: string): TrafficSelector {
  const sockaddr = new Uint8Array(SOCKADDR_BYTES)
  encodeSocketAddress({ address, port: 0 }, sockaddr, 0)
  const octets = isIPv6(address) ? sockaddr.slice(8, 24) : sockaddr.slice(4, 8)
  const type = isIPv6(address) ? 8 : 7
  return { type, protocol: 0, startPort: 0, endPort: 0xffff, startAddress: octets, endAddress: octets }
}

async function open(options: PlaneEndOptions): Promise<DataPlane> {
  const { end, rung, tun, outer, inner, pathMtu = 'discover', dscp = 'none', offload = {} } = options
  const namespace = options.host ?? null
  const handlers = {
    onIke: (): void => {},
    onInboundTraffic: (): void => {},
    onPeerMoved: (): void => {},
    onSoftLimit: (): void => {},
    onHardLimit: (): void => {},
    onFailure: (error: Error): void => void say(`failed ${error.message}`),
  }
  const plane = await openDataPlane(
    {
      rung,
      bind: [{ address: outer[end - 1]!, port: PORT }],
      tun: { name: tun, namespace, mtuBytes: MTU_BYTES },
      role: { kind: 'device' },
      incarnation: 1,
      nodeSlot: end,
      maxSas: 16,
      replayWindowPackets: 1024,
      outer: { pathMtu, dscp },
      nativeEsp: options.udpEncap !== undefined,
      ...(options.ah && { ah: true }),
      ...(options.dataThreads && { dataThreads: options.dataThreads }),
      offload,
    },
    handlers,
  )
  await configureTun({
    namespace,
    name: tun,
    mtuBytes: MTU_BYTES,
    addresses: [hostPrefix(inner[end - 1]!)],
    routes: [hostPrefix(inner[2 - end]!)],
  })
  await plane.install(describe(options, 1), null)
  return plane
}

function hostPrefix(address: string): string {
  return `${address}/${isIPv6(address) ? 128 : 32}`
}

/** Ways to end that must not hang, whatever the data plane does at that moment. */
const WAYS: Readonly<Record<string, (plane: DataPlane) => void>> = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error('meant')
  },
  reject: () => void Promise.reject(new Error('meant')),
  close: (plane) => void plane.close().then(() => say('closed')),
  nothing: () => {},
}

const RekeySteps: Readonly<Record<string, (plane: DataPlane, options: PlaneEndOptions, generation: number) => void>> = {
  install: (plane, options, generation) =>
    void plane.install(describe(options, generation), null).then(() => say(`installed ${generation}`)),
  activate: (plane, { end }, generation) => plane.activateOutbound(spiOf(end, generation)),
  heard: (plane, { end }, generation) =>
    void plane
      .readSaCounters([spiOf(end, generation)])
      .then(([counters]) => say(`heard ${generation} ${counters?.packetsIn ?? 0}`)),
  udp: (plane, options, generation) => sendIn(plane, options, generation, true),
  ip: (plane, options, generation) => sendIn(plane, options, generation, false),
  remove: (plane, { end }, generation) => plane.remove(spiOf(end, generation)),
}

/** As if a NAT had been found on the way, or had gone. */
function sendIn(plane: DataPlane, options: PlaneEndOptions, generation: number, udpEncap: boolean): void {
  const { spiIn, path } = describe(options, generation)
  plane.move(spiIn, path, { peerBehindNat: udpEncap, isConfirmed: true, udpEncap })
  say(`moved ${udpEncap ? 'udp' : 'ip'}`)
}

async function main(options: PlaneEndOptions): Promise<void> {
  const plane = await open(options)
  say(`ready ${plane.description}`)
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const [word = '', way = ''] = line.split(' ')
    if (word === 'counters') void plane.readCounters().then((counters) => say(`counters ${JSON.stringify(counters)}`))
    RekeySteps[word]?.(plane, options, Number(way))
    if (word !== 'end') return
    lines.close()
    process.stdin.destroy()
    WAYS[way]?.(plane)
  })
}

/** The owner of the data plane is itself a worker, which is terminated from outside. */
function terminateOwner(options: PlaneEndOptions): void {
  const owner = new Worker(new URL(import.meta.url), { workerData: options, execArgv: ['--conditions=source'] })
  owner.once('message', () => {
    say('ready')
    void owner.terminate().then(() => say('terminated'))
  })
}

if (!isMainThread) {
  await open(workerData as PlaneEndOptions)
  parentPort?.postMessage('open')
} else {
  const options = JSON.parse(process.argv[2] ?? '') as PlaneEndOptions
  if (process.argv[3] === 'terminate-owner') terminateOwner(options)
  else await main(options)
}
