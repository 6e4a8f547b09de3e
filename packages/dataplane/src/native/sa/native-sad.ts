/**
 * The SAs of the worker: the database of packages/esp, and beside each SA what only this rung has (transforms in packet memory,
 * the peer's socket address, the line of shared counters).
 *
 * The peer's address lies in packet memory, in a table by SPI index: its offset names the destination of a run of
 * datagrams, and the kernel compares and reads it there.
 */
import {
  type ChildSa,
  DropCode,
  type InnerPacket,
  type MoveFindings,
  type Placement,
  Sad,
  type SadOptions,
  spiIndex,
} from '@culvert/esp'
import type { ChildSaDescription, Path, Spi } from '@culvert/ikev2'
import { chooseLocal } from '../../local-choice.ts'
import type { Carrier, OuterSocket } from '../sockets/outer-socket.ts'
import type { PathMtus } from '../path-mtu/path-mtus.ts'
import type { PacketMemory } from '../../foreign/index.ts'
import type { NativeSa } from './native-sa.ts'
import { SA_LINE_FIELDS, SaField, sharedSaWords, type SharedState } from '../shared-memory/shared-state.ts'
import { encodeSocketAddress, SOCKADDR_BYTES } from '../sockets/socket-address.ts'
import type { TransformFactory } from './transform-factory.ts'

export interface NativeSadSite {
  readonly memory: PacketMemory
  readonly shared: SharedState
  readonly transforms: TransformFactory
  readonly sockets: readonly OuterSocket[]
  readonly paths: PathMtus
  /** Of all workers. */
  readonly sharedSas: SharedArrayBuffer
}

export class NativeSad {
  /** For the checks of packages/esp. */
  readonly sad: Sad
  readonly #site: NativeSadSite
  readonly #records: (NativeSa | undefined)[]
  readonly #addresses: number
  readonly #sockets: Readonly<Record<Carrier, readonly OuterSocket[]>>

  constructor(site: NativeSadSite, options: SadOptions) {
    this.#site = site
    const { udp = [], esp = [], ah = [] } = Object.groupBy(site.sockets, ({ carrier }) => carrier)
    this.#sockets = { udp, esp, ah }
    this.sad = new Sad(options)
    this.#records = Array.from({ length: options.maxSas }, () => undefined)
    this.#addresses = site.memory.allocate(SOCKADDR_BYTES * options.maxSas)
  }

  /** @returns why it was refused, or null. Copies the keys; the caller zeroes its own. */
  install(child: ChildSaDescription, placement: Placement | null): string | null {
    const isAh = child.protocol === 'ah'
    if (isAh && child.udpEncap) return 'wrongProtocol'
    const carrier = carrierOf(isAh, child.udpEncap)
    const socket = this.#socketFor(child.path, carrier)
    if (socket === undefined) return NO_SOCKET[carrier]
    const { transforms: factory } = this.#site
    const transforms = isAh ? factory.createAh(child.keys) : factory.create(child.keys)
    if (typeof transforms === 'string') return transforms
    const index = spiIndex(child.spiIn)
    const sa = this.sad.install({ ...child, path: atSocket(child.path, socket) }, transforms, placement)
    if (typeof sa === 'string') {
      transforms.opener.destroy()
      transforms.sealer.destroy()
      transforms.ah?.opener.destroy()
      transforms.ah?.sealer.destroy()
      return sa
    }
    const destination = this.#addresses + SOCKADDR_BYTES * index
    this.#writeDestination(destination, child.path, socket)
    sa.share(sharedSaWords(this.#site.sharedSas, sa.spiIn))
    const line = index * SA_LINE_FIELDS
    this.#site.shared.sas.fill(0, line, line + SA_LINE_FIELDS)
    this.#site.shared.sas[line + SaField.spi] = sa.spiIn
    const never = { trafficNoticeMs: -Infinity, moveNoticeMs: -Infinity, tooBigNoticeMs: -Infinity }
    const record = { sa, ...transforms, destination, socket, line, ...never }
    this.#records[index] = record
    this.#site.paths.add(record)
    return null
  }

  /** An SA of AH, which covers its addresses, stays where no NAT is, and out of UDP (RFC 3948 1). */
  move(spiIn: Spi, path: Path, findings: MoveFindings): void {
    const record = this.find(spiIn)
    if (record === undefined) return
    const isAh = record.sa.ah !== null
    const udpEncap = findings.udpEncap ?? record.sa.udpEncap
    if (isAh && udpEncap) return
    const socket = this.#socketFor(path, carrierOf(isAh, udpEncap))
    if (socket === undefined) return
    this.#site.paths.remove(record)
    this.sad.move(spiIn, path, findings)
    record.socket = socket
    this.#writeDestination(record.destination, path, socket)
    this.#site.paths.add(record)
  }

  remove(spiIn: Spi): void {
    const record = this.find(spiIn)
    if (record === undefined) return
    this.#site.paths.remove(record)
    this.#records[spiIndex(spiIn)] = undefined
    this.sad.remove(spiIn)
  }

  find(spiIn: Spi): NativeSa | undefined {
    const record = this.#records[spiIndex(spiIn)]
    return record !== undefined && record.sa.spiIn === spiIn ? record : undefined
  }

  /** The record of an SA that `sad` handed out. */
  of(sa: ChildSa): NativeSa {
    return this.#records[spiIndex(sa.spiIn)]!
  }

  /** The record whose peer's socket address lies at this offset. */
  at(destination: number): NativeSa | undefined {
    return this.#records[(destination - this.#addresses) / SOCKADDR_BYTES]
  }

  /** @returns the record, or the drop code that says why there is none */
  outbound(packet: InnerPacket): NativeSa | DropCode {
    const found = this.sad.outbound(packet)
    return typeof found === 'number' ? found : this.of(found)
  }

  /** Frees every transform. */
  clear(): void {
    this.sad.clear()
    this.#records.fill(undefined)
  }

  #socketFor({ local, remote }: Path, carrier: Carrier): OuterSocket | undefined {
    const sockets = this.#sockets[carrier]
    const locals = sockets.map((socket) => socket.local)
    return sockets[chooseLocal(locals, remote, local)]
  }

  /** Raw sockets take no port. */
  #writeDestination(destination: number, { remote }: Path, { carrier }: OuterSocket): void {
    encodeSocketAddress(carrier === 'udp' ? remote : { ...remote, port: 0 }, this.#site.memory.bytes, destination)
  }
}

/** With the address of the socket instead of another of the same: thousands of SAs have one local address. */
function atSocket(path: Path, { local }: OuterSocket): Path {
  const isSame = path.local.address === local.address && path.local.port === local.port
  return isSame ? { local, remote: path.remote } : path
}

function carrierOf(isAh: boolean, udpEncap: boolean): Carrier {
  return isAh ? 'ah' : udpEncap ? 'udp' : 'esp'
}

/** Why an SA is refused whose carrier has no socket. */
const NO_SOCKET: Readonly<Record<Carrier, string>> = { udp: 'noSocket', esp: 'noNativeEsp', ah: 'noAh' }
