/**
 * Devices without a kernel: a socket and one SA of packages/esp each, against a concentrator's data plane of any rung.
 */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { opensslProvider } from '@culvert/crypto'
import {
  composeSpi,
  createDecapsulated,
  createEncapsulated,
  createTransformPair,
  decapsulate,
  DropCode,
  encapsulate,
  RandomPool,
  Sad,
} from '@culvert/esp'
import { type ChildKeys, type ChildSaDescription, fromCidr, type SocketAddress, type Spi } from '@culvert/ikev2'
import {
  configureTun,
  type DataPlane,
  ensureNamespace,
  openDataPlane,
  removeNamespace,
  type Rung,
} from '../src/index.ts'
import { AES_GCM } from './forwarding-lab.ts'

export const DIAL = '10.127.0.1'
const POOL = '10.128.0.0/24'
const MTU_BYTES = 1400
const HEADROOM_BYTES = 200

export class DevicePeers {
  readonly plane: DataPlane
  readonly quotas: number[]
  readonly #namespace: string
  readonly #peers: DevicePeer[] = []

  private constructor(plane: DataPlane, quotas: number[], namespace: string) {
    this.plane = plane
    this.quotas = quotas
    this.#namespace = namespace
  }

  /** @param namespace is made and removed; unique */
  static async open(namespace: string, rung: Rung): Promise<DevicePeers> {
    await ensureNamespace(namespace)
    const quotas: number[] = []
    const plane = await openDataPlane(
      {
        rung,
        bind: [{ address: '127.0.0.1', port: 0 }],
        tun: { name: 'culvert0', namespace, mtuBytes: MTU_BYTES },
        role: { kind: 'concentrator', dialAddresses: [DIAL] },
        incarnation: 5,
        nodeSlot: 1,
        maxSas: 16,
        replayWindowPackets: 64,
      },
      {
        onIke: () => {},
        onInboundTraffic: () => {},
        onPeerMoved: () => {},
        onSoftLimit: () => {},
        onHardLimit: () => {},
        onQuota: (subject) => void quotas.push(subject),
        onFailure: (error) => {
          throw error
        },
      },
    )
    const addresses = [`${DIAL}/32`]
    await configureTun({ namespace, name: 'culvert0', mtuBytes: MTU_BYTES, addresses, routes: [POOL] })
    return new DevicePeers(plane, quotas, namespace)
  }

  /** A device with the number `subject` and the address 10.128.0.`subject`. */
  async add(subject: number): Promise<DevicePeer> {
    const peer = await DevicePeer.open(this.plane.local, subject)
    this.#peers.push(peer)
    await this.plane.install(peer.describe('concentrator'), { subject, addresses: [peer.address] })
    return peer
  }

  async drops(name: keyof typeof DropCode): Promise<number> {
    return (await this.plane.readCounters()).drops[name] ?? 0
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.close()
    await this.plane.close()
    await removeNamespace(this.#namespace)
  }
}

export class DevicePeer {
  readonly address: string
  readonly spiIn: Spi
  /** Inner packets that came, and the octets of their ESP packets. */
  readonly received: Uint8Array[] = []
  receivedEspBytes = 0
  readonly #subject: number
  readonly #concentrator: SocketAddress
  readonly #sad: Sad
  #socket: Socket

  private constructor(concentrator: SocketAddress, subject: number, socket: Socket) {
    this.#concentrator = concentrator
    this.#subject = subject
    this.#socket = socket
    this.address = `10.128.0.${subject}`
    this.spiIn = composeSpi(1, subject, 1)
    this.#sad = new Sad({ nodeSlot: 2, maxSas: 256, replayWindowPackets: 64, outboundBy: 'source' })
    const description = this.describe('device')
    const random = new RandomPool((length) => randomBytes(length))
    const pair = createTransformPair(description.keys, { provider: opensslProvider, incarnation: 6, random })
    if (!pair.ok) throw new Error(pair.error)
    this.#sad.install(description, pair.value, null)
    this.#listen()
  }

  static async open(concentrator: SocketAddress, subject: number): Promise<DevicePeer> {
    return new DevicePeer(concentrator, subject, await openSocket())
  }

  get remote(): SocketAddress {
    const { address, port } = this.#socket.address()
    return { address, port }
  }

  describe(side: 'concentrator' | 'device'): ChildSaDescription {
    const isDevice = side === 'device'
    const [ours, theirs] = [this.spiIn, composeSpi(2, this.#subject, 1)]
    const [inbound, outbound] = isDevice ? [1, 2] : [2, 1]
    const key = (which: number): Uint8Array => new Uint8Array(AES_GCM.keyBytes).fill(16 * this.#subject + which)
    const keys: ChildKeys = {
      encr: AES_GCM.encr,
      integ: null,
      esn: false,
      inboundKey: key(inbound),
      outboundKey: key(outbound),
      inboundIntegKey: new Uint8Array(),
      outboundIntegKey: new Uint8Array(),
    }
    const anywhere = [fromCidr(`${DIAL}/32`)!, fromCidr(POOL)!]
    const leased = [fromCidr(`${this.address}/32`)!, fromCidr('192.168.1.0/24')!]
    return {
      spiIn: isDevice ? theirs : ours,
      spiOut: isDevice ? ours : theirs,
      keys,
      path: { local: this.#concentrator, remote: this.remote },
      udpEncap: true,
      peerBehindNat: true,
      mode: 'tunnel',
      tsLocal: isDevice ? [fromCidr('0.0.0.0/0')!] : anywhere,
      tsRemote: isDevice ? [fromCidr('0.0.0.0/0')!] : leased,
      outbound: true,
      replaces: null,
    }
  }

  /** @returns octets of the ESP packet */
  send(inner: Uint8Array): number {
    const bytes = new Uint8Array(inner.length + HEADROOM_BYTES)
    bytes.set(inner)
    const out = createEncapsulated()
    out.buffer = new Uint8Array(inner.length + HEADROOM_BYTES)
    const code = encapsulate(this.#sad, { bytes, offset: 0, length: inner.length }, out)
    if (code !== DropCode.none) throw new Error(`not sealed: ${code}`)
    this.#socket.send(out.buffer, 0, out.length, this.#concentrator.port, this.#concentrator.address)
    return out.length
  }

  /** Sends from another port from now on, as behind a NAT that forgot. */
  async rebind(): Promise<void> {
    const old = this.#socket
    this.#socket = await openSocket()
    this.#listen()
    old.close()
  }

  close(): void {
    this.#socket.close()
  }

  #listen(): void {
    this.#socket.on('message', (datagram) => {
      const out = createDecapsulated()
      if (decapsulate(this.#sad, datagram, out) !== DropCode.none) return
      this.receivedEspBytes += datagram.length
      this.received.push(out.buffer.slice(out.offset, out.offset + out.length))
    })
  }
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}
