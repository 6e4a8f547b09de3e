/**
 * Inner packets and SA pairs for tests of the ESP path.
 */
import { formatIp, parseIpv6 } from '@culvert/bytes'
import { opensslProvider } from '@culvert/crypto'
import type { ChildKeys, ChildSaDescription, Spi, TrafficSelector } from '@culvert/ikev2'
import {
  type ChildSa,
  composeSpi,
  createInnerPacket,
  createAhPair,
  createTransformPair,
  DropCode,
  type InnerPacket,
  parseInnerPacket,
  type Placement,
  RandomPool,
  Sad,
  type SadOptions,
} from '../src/index.ts'

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const ACK = 0x10

export interface Ip4Fields {
  readonly source: string
  readonly destination: string
  readonly protocol?: number
  readonly options?: readonly number[]
  /** Flags and offset word. */
  readonly fragment?: number
}

/** IPv4 packet with a correct header checksum. */
export function ip4(fields: Ip4Fields, payload: Uint8Array): Uint8Array {
  const { protocol = 17, options = [], fragment = 0 } = fields
  const headerBytes = 20 + options.length
  const packet = new Uint8Array(headerBytes + payload.length)
  const view = new DataView(packet.buffer)
  packet[0] = 0x40 | (headerBytes / 4)
  view.setUint16(2, packet.length)
  view.setUint16(6, fragment)
  packet[8] = 64
  packet[9] = protocol
  packet.set(octets4(fields.source), 12)
  packet.set(octets4(fields.destination), 16)
  packet.set(options, 20)
  view.setUint16(10, internetChecksum(packet.subarray(0, headerBytes)))
  packet.set(payload, headerBytes)
  return packet
}

export function udp(sourcePort: number, destinationPort: number, payload = new Uint8Array(8)): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, sourcePort)
  view.setUint16(2, destinationPort)
  view.setUint16(4, bytes.length)
  bytes.set(payload, 8)
  return bytes
}

export function tcp(
  sourcePort: number,
  destinationPort: number,
  flags: number,
  options: readonly number[] = [],
): Uint8Array {
  const bytes = new Uint8Array(20 + options.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, sourcePort)
  view.setUint16(2, destinationPort)
  bytes[12] = (bytes.length / 4) << 4
  bytes[13] = flags
  bytes.set(options, 20)
  return bytes
}

export function icmp(type: number, code: number, rest: Uint8Array): Uint8Array {
  return Uint8Array.from([type, code, 0, 0, ...rest])
}

/** @param type 8 and 0 of ICMP, 128 and 129 of ICMPv6 */
export function echo(type: 0 | 8 | 128 | 129, identifier: number): Uint8Array {
  return icmp(type, 0, Uint8Array.from([identifier >>> 8, identifier & 0xff, 0, 1, 1, 2, 3, 4]))
}

/** ICMP error with the IP header and 8 octets of what it is about; IPv6 headers without extensions. */
export function icmpError(type: number, quoted: Uint8Array): Uint8Array {
  const headerBytes = quoted[0]! >>> 4 === 6 ? 40 : (quoted[0]! & 0x0f) * 4
  return icmp(type, 1, Uint8Array.from([0, 0, 0, 0, ...quoted.subarray(0, headerBytes + 8)]))
}

export interface Ip6Fields {
  /** Eight groups, or text. */
  readonly source: readonly number[] | string
  readonly destination: readonly number[] | string
  readonly nextHeader: number
}

export function ip6(fields: Ip6Fields, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(40 + payload.length)
  const view = new DataView(packet.buffer)
  packet[0] = 0x60
  view.setUint16(4, payload.length)
  packet[6] = fields.nextHeader
  packet[7] = 64
  packet.set(octets6(fields.source), 8)
  packet.set(octets6(fields.destination), 24)
  packet.set(payload, 40)
  return packet
}

/** IPv6 fragment header (RFC 8200 4.5) in front of a payload. @param word offset in octets, a multiple of 8, with the flag */
export function fragment6(nextHeader: number, word: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.from([nextHeader, 0, word >>> 8, word & 0xff, 0, 0, 0, 9, ...payload])
}

export function octets6(address: readonly number[] | string): Uint8Array {
  if (typeof address !== 'string') return Uint8Array.from(address.flatMap((group) => [group >>> 8, group & 0xff]))
  const octets = parseIpv6(address)
  if (octets === undefined) throw new Error(`${address} is no IPv6 address`)
  return octets
}

export function parsed(packet: Uint8Array): InnerPacket {
  const inner = createInnerPacket()
  const code = parseInnerPacket(packet, 0, packet.length, inner)
  if (code !== DropCode.none) throw new Error(`the test packet does not parse: ${code}`)
  return inner
}

export function octets4(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number)
}

export function number4(text: string): number {
  return new DataView(octets4(text).buffer).getUint32(0)
}

export function range4(start: string, end: string, rest: Partial<TrafficSelector> = {}): TrafficSelector {
  return {
    type: 7,
    protocol: 0,
    startPort: 0,
    endPort: 0xffff,
    startAddress: octets4(start),
    endAddress: octets4(end),
    ...rest,
  }
}

export function range6(start: string, end: string, rest: Partial<TrafficSelector> = {}): TrafficSelector {
  return { ...range4('0.0.0.0', '0.0.0.0', rest), type: 8, startAddress: octets6(start), endAddress: octets6(end) }
}

/** One's complement sum of RFC 1071. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** Room for an ESP trailer behind a packet. */
export function withRoom(packet: Uint8Array, room = 32): Uint8Array {
  const bytes = new Uint8Array(packet.length + room)
  bytes.set(packet)
  return bytes
}

export interface Suite {
  readonly name: string
  readonly encr: ChildKeys['encr']
  readonly integ: ChildKeys['integ']
  readonly keyBytes: number
  readonly integKeyBytes: number
}

export const SUITES: readonly Suite[] = [
  { name: 'AES-128-GCM-16', encr: encr(20, 128), integ: null, keyBytes: 20, integKeyBytes: 0 },
  { name: 'AES-256-GCM-12', encr: encr(19, 256), integ: null, keyBytes: 36, integKeyBytes: 0 },
  { name: 'AES-128-GCM-8', encr: encr(18, 128), integ: null, keyBytes: 20, integKeyBytes: 0 },
  { name: 'ChaCha20-Poly1305', encr: encr(28, null), integ: null, keyBytes: 36, integKeyBytes: 0 },
  { name: 'AES-128-CBC, SHA2-256', encr: encr(12, 128), integ: integ(12), keyBytes: 16, integKeyBytes: 32 },
  { name: 'AES-256-CBC, SHA2-512', encr: encr(12, 256), integ: integ(14), keyBytes: 32, integKeyBytes: 64 },
  { name: 'NULL, SHA2-256', encr: encr(11, null), integ: integ(12), keyBytes: 0, integKeyBytes: 32 },
]

function encr(id: number, keyBits: number | null): ChildKeys['encr'] {
  return { type: 1, id, keyBits }
}

function integ(id: number): ChildKeys['encr'] {
  return { type: 3, id, keyBits: null }
}

export function keysOf(suite: Suite, mine: number, theirs: number, esn: boolean): ChildKeys {
  return {
    encr: suite.encr,
    integ: suite.integ,
    esn,
    inboundKey: new Uint8Array(suite.keyBytes).fill(mine),
    outboundKey: new Uint8Array(suite.keyBytes).fill(theirs),
    inboundIntegKey: new Uint8Array(suite.integKeyBytes).fill(mine + 100),
    outboundIntegKey: new Uint8Array(suite.integKeyBytes).fill(theirs + 100),
  }
}

export function describeSa(spiIn: Spi, part: Partial<ChildSaDescription> = {}): ChildSaDescription {
  return {
    spiIn,
    spiOut: 0x01020304 as Spi,
    keys: keysOf(SUITES[0]!, 1, 2, false),
    path: { local: { address: '192.0.2.1', port: 4500 }, remote: { address: '192.0.2.2', port: 4500 } },
    udpEncap: true,
    peerBehindNat: true,
    mode: 'tunnel',
    tsLocal: [range4('10.127.0.0', '10.127.0.255')],
    tsRemote: [range4('10.128.0.5', '10.128.0.5')],
    outbound: true,
    replaces: null,
    ...part,
  }
}

/** @param fill octet every draw of randomness consists of */
export function transformContext(fill = 9): Parameters<typeof createTransformPair>[1] {
  return {
    provider: opensslProvider,
    incarnation: 0x0a0b0c,
    random: new RandomPool((length) => new Uint8Array(length).fill(fill)),
  }
}

/** A device whose leased addresses are where its selectors start. */
export function placementOf({ tsRemote }: ChildSaDescription): Placement {
  return { subject: 1, addresses: tsRemote.map(({ startAddress }) => formatIp(startAddress)!) }
}

export function installIn(
  sad: Sad,
  description: ChildSaDescription,
  placement: Placement | null = placementOf(description),
): ChildSa {
  const create = description.protocol === 'ah' ? createAhPair : createTransformPair
  const pair = create(description.keys, transformContext())
  if (!pair.ok) throw new Error(pair.error)
  const sa = sad.install(description, pair.value, placement)
  if (typeof sa === 'string') throw new Error(sa)
  return sa
}

export interface Ends {
  readonly concentrator: Sad
  readonly device: Sad
  readonly concentratorSa: ChildSa
  readonly deviceSa: ChildSa
}

export const SAD_OPTIONS: SadOptions = {
  nodeSlot: 1,
  maxSas: 16,
  replayWindowPackets: 64,
  maxSubjects: 16,
  outboundBy: 'destination',
}

export interface EndsOptions {
  /** At the concentrator; the other end mirrors the selectors. */
  readonly description?: Partial<ChildSaDescription>
  /** Of both tables. */
  readonly sad?: Partial<SadOptions>
}

/** Two ends of one Child SA: 10.127.0.0/24 and fd7f::/120 behind the concentrator, 10.128.0.5 and fd80::5 on the device. */
export function createEnds(suite: Suite = SUITES[0]!, esn = false, options: EndsOptions = {}): Ends {
  const concentrator = new Sad({ ...SAD_OPTIONS, ...options.sad })
  const device = new Sad({ ...SAD_OPTIONS, ...options.sad, nodeSlot: 2, outboundBy: 'source' })
  const spiC = composeSpi(1, 3, 0)
  const spiD = composeSpi(2, 4, 0)
  const { tsLocal, tsRemote } = describeSa(spiC)
  const forConcentrator = describeSa(spiC, {
    spiOut: spiD,
    keys: keysOf(suite, 1, 2, esn),
    tsLocal: [...tsLocal, range6('fd7f::', 'fd7f::ff')],
    tsRemote: [...tsRemote, range6('fd80::5', 'fd80::5')],
    ...options.description,
  })
  const forDevice = describeSa(spiD, {
    spiOut: spiC,
    mode: forConcentrator.mode,
    protocol: forConcentrator.protocol ?? 'esp',
    path: { local: forConcentrator.path.remote, remote: forConcentrator.path.local },
    keys: keysOf(suite, 2, 1, esn),
    tsLocal: forConcentrator.tsRemote,
    tsRemote: forConcentrator.tsLocal,
  })
  const concentratorSa = installIn(concentrator, forConcentrator)
  return { concentrator, device, concentratorSa, deviceSa: installIn(device, forDevice, null) }
}
