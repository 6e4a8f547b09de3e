/**
 * The concentrator's policy over inner packets: devices answer, they never ask (DESIGN: the concentrator's packet policy).
 *
 * Out: only from a dial address. A TCP packet other than SYN-ACK and RST, a UDP packet or an ICMP echo request opens or refreshes
 * its flow; a TCP packet in the middle of a stream may open too, so that streams survive a restart that lost this table.
 * In: only to a dial address, only when the flow exists. ICMP and ICMPv6: echo replies, and errors whose quoted packet belongs to a
 * flow with an inner address of the same SA, so that no device can speak about another's flows; nothing of neighbor discovery,
 * routers or multicast groups passes in either direction. Fragments from devices are dropped.
 */
import type { ChildSa } from './child-sa.ts'
import { DropCode } from './drop-code.ts'
import { createFlowKey, FlowEnd, type FlowKey, FlowTable, type FlowTableOptions } from './flow-table.ts'
import type { HostMappings } from './host-mappings.ts'
import { createInnerPacket, type InnerPacket, parseQuotedPacket, Protocol } from './inner-packet.ts'
import { readUint16, readUint32, wordsOf } from './octets.ts'

const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const ACK = 0x10

interface IcmpTypes {
  readonly protocol: number
  readonly echoRequest: number
  readonly echoReply: number
  readonly errors: readonly number[]
}

/** RFC 792: unreachable, time exceeded, parameter problem. */
const ICMP4: IcmpTypes = { protocol: Protocol.icmp, echoRequest: 8, echoReply: 0, errors: [3, 11, 12] }
/** RFC 4443: unreachable, packet too big, time exceeded, parameter problem. */
const ICMP6: IcmpTypes = { protocol: Protocol.icmp6, echoRequest: 128, echoReply: 129, errors: [1, 2, 3, 4] }

/** A TCP connection known from elsewhere, as after a restart; addresses 4 or 16 octets, both of one family. */
export interface KnownFlow {
  readonly dialAddress: Uint8Array
  readonly dialPort: number
  readonly deviceAddress: Uint8Array
  readonly devicePort: number
}

export class DeviceIsolation {
  readonly #dial4 = new Set<number>()
  /** Four words each; a concentrator has a handful. */
  readonly #dial6: Uint32Array[] = []
  readonly #flows: FlowTable
  readonly #hosts: HostMappings | null
  readonly #key = createFlowKey()
  readonly #quoted = createInnerPacket()

  /**
   * @param dialAddresses 4 or 16 octets each
   * @param hosts whose synthetic addresses the packets here have; null: none
   */
  constructor(dialAddresses: readonly Uint8Array[], options: FlowTableOptions, hosts: HostMappings | null = null) {
    this.#hosts = hosts
    for (const address of dialAddresses) {
      if (address.length === 4) this.#dial4.add(readUint32(address, 0))
      else this.#dial6.push(wordsOf(address))
    }
    this.#flows = new FlowTable(options)
  }

  /** Seconds of a monotonic clock; call it every second or so. */
  advanceTo(nowSec: number): void {
    this.#flows.advanceTo(nowSec)
  }

  /** Takes over TCP connections that exist already. */
  adopt(flows: readonly KnownFlow[]): void {
    const key = this.#key
    key.protocol = Protocol.tcp
    for (const { dialAddress, dialPort, deviceAddress, devicePort } of flows) {
      if (!this.#adoptAddresses(dialAddress, deviceAddress)) continue
      key.dialPort = dialPort
      key.devicePort = devicePort
      this.#flows.open(key, false)
    }
  }

  /**
   * @param bytes the packet `inner` was parsed from
   * @returns `none`, `notFromDialAddress` or `noFlow` (a packet that may not open a flow and belongs to none)
   */
  admitOutbound(bytes: Uint8Array, inner: InnerPacket): DropCode {
    const key = this.#key
    if (inner.version === 4) {
      if (!this.#dial4.has(inner.source4)) return DropCode.notFromDialAddress
      keyOf4(key, inner.destination4, inner.source4)
    } else {
      if (!this.#isDial6(inner.source6)) return DropCode.notFromDialAddress
      keyOf6(key, inner.destination6, inner.source6)
    }
    if (inner.isLaterFragment) return DropCode.none // follows a first fragment that was looked at
    key.protocol = inner.protocol
    key.devicePort = inner.destinationPort
    key.dialPort = inner.sourcePort
    if (inner.protocol === Protocol.tcp) return this.#tcpOut(key, inner.tcpFlags)
    if (inner.protocol === Protocol.udp) {
      this.#flows.open(key, false)
      return DropCode.none
    }
    const icmp = icmpOf(inner)
    return inner.protocol === icmp.protocol ? this.#icmpOut(icmp, bytes, inner) : DropCode.noFlow
  }

  /**
   * @param sa the SA that authenticated the packet and whose selectors it matched
   * @returns `none`, `notToDialAddress`, `innerFragment` or `noFlow`
   */
  admitInbound(bytes: Uint8Array, inner: InnerPacket, sa: ChildSa): DropCode {
    const key = this.#key
    if (inner.version === 4) {
      if (!this.#dial4.has(inner.destination4)) return DropCode.notToDialAddress
      keyOf4(key, inner.source4, inner.destination4)
    } else {
      if (!this.#isDial6(inner.destination6)) return DropCode.notToDialAddress
      keyOf6(key, inner.source6, inner.destination6)
    }
    if (inner.isFragment) return DropCode.innerFragment
    key.protocol = inner.protocol
    key.devicePort = inner.sourcePort
    key.dialPort = inner.destinationPort
    if (inner.protocol === Protocol.tcp) return this.#tcpIn(key, inner.tcpFlags)
    if (inner.protocol === Protocol.udp) return this.#flows.has(key) ? DropCode.none : DropCode.noFlow
    const icmp = icmpOf(inner)
    return inner.protocol === icmp.protocol ? this.#icmpIn(icmp, bytes, inner, sa) : DropCode.noFlow
  }

  #isDial6(words: Uint32Array): boolean {
    for (let i = 0; i < this.#dial6.length; i++) {
      if (isSame6(this.#dial6[i]!, words)) return true
    }
    return false
  }

  /** Puts the addresses of a known connection into the key. @returns false when its local one is no dial address */
  #adoptAddresses(dial: Uint8Array, device: Uint8Array): boolean {
    if (dial.length !== device.length) return false
    if (dial.length === 4) {
      keyOf4(this.#key, readUint32(device, 0), readUint32(dial, 0))
      return this.#dial4.has(readUint32(dial, 0))
    }
    keyOf6(this.#key, wordsOf(device), wordsOf(dial))
    return this.#isDial6(wordsOf(dial))
  }

  #tcpOut(key: FlowKey, flags: number): DropCode {
    const isOpening = (flags & (SYN | ACK | RST)) === SYN
    const mayOpen = isOpening || (flags & (SYN | RST)) === 0
    if (mayOpen) this.#flows.open(key, isOpening)
    else if (!this.#flows.refresh(key)) return DropCode.noFlow
    this.#noteEnd(key, flags, FlowEnd.dial)
    return DropCode.none
  }

  #tcpIn(key: FlowKey, flags: number): DropCode {
    if ((flags & (SYN | ACK)) === SYN) return DropCode.noFlow // a device never opens
    if (!this.#flows.has(key)) return DropCode.noFlow
    this.#noteEnd(key, flags, FlowEnd.device)
    return DropCode.none
  }

  #noteEnd(key: FlowKey, flags: number, from: FlowEnd): void {
    if ((flags & (FIN | RST)) === 0) return
    if ((flags & RST) !== 0) this.#flows.noteReset(key)
    else this.#flows.noteFin(key, from)
  }

  #icmpOut(icmp: IcmpTypes, bytes: Uint8Array, inner: InnerPacket): DropCode {
    const key = this.#key
    const type = inner.sourcePort >>> 8
    if (type === icmp.echoRequest && icmpBytes(bytes, inner) >= 8) {
      this.#flows.open(echoKey(key, bytes, inner), false)
      return DropCode.none
    }
    const isAbout = icmp.errors.includes(type) && this.#readsQuotation(bytes, inner) && this.#quotesAnswer(icmp, bytes)
    return isAbout && this.#flows.has(key) ? DropCode.none : DropCode.noFlow
  }

  #icmpIn(icmp: IcmpTypes, bytes: Uint8Array, inner: InnerPacket, sa: ChildSa): DropCode {
    const key = this.#key
    const quoted = this.#quoted
    const type = inner.sourcePort >>> 8
    if (type === icmp.echoReply && icmpBytes(bytes, inner) >= 8) {
      return this.#flows.has(echoKey(key, bytes, inner)) ? DropCode.none : DropCode.noFlow
    }
    const isAbout =
      icmp.errors.includes(type) && this.#readsQuotation(bytes, inner) && this.#quotesQuestion(icmp, bytes, inner)
    if (!isAbout || !this.#flows.has(key)) return DropCode.noFlow
    const isOwn = isOfSa(sa, quoted) || (quoted.version === 4 && this.#isHostOf(sa, quoted.destination4))
    return isOwn ? DropCode.none : DropCode.noFlow
  }

  #isHostOf(sa: ChildSa, synthetic: number): boolean {
    return this.#hosts !== null && sa.subject !== 0 && this.#hosts.subjectOf(synthetic) === sa.subject
  }

  /** Reads what an ICMP error is about: it stands behind 8 octets and is of the same IP version. */
  #readsQuotation(bytes: Uint8Array, inner: InnerPacket): boolean {
    const available = icmpBytes(bytes, inner) - 8
    return (
      parseQuotedPacket(bytes, inner.transportOffset + 8, available, this.#quoted) &&
      this.#quoted.version === inner.version
    )
  }

  /** An error from a device quotes what was sent to it, or through it; leaves that flow in the key. */
  #quotesQuestion(icmp: IcmpTypes, bytes: Uint8Array, inner: InnerPacket): boolean {
    const key = this.#key
    const quoted = this.#quoted
    const { protocol, transportOffset } = quoted
    if (quoted.version === 4) {
      if (quoted.source4 !== inner.destination4) return false
      keyOf4(key, quoted.destination4, quoted.source4)
    } else {
      if (!isSame6(quoted.source6, inner.destination6)) return false
      keyOf6(key, quoted.destination6, quoted.source6)
    }
    key.protocol = protocol
    if (protocol === icmp.protocol) return bytes[transportOffset] === icmp.echoRequest && this.#quotedEcho(bytes)
    key.dialPort = readUint16(bytes, transportOffset)
    key.devicePort = readUint16(bytes, transportOffset + 2)
    return true
  }

  /** An error to a device quotes what that device sent; the key has the addresses of the error itself. */
  #quotesAnswer(icmp: IcmpTypes, bytes: Uint8Array): boolean {
    const key = this.#key
    const quoted = this.#quoted
    const { protocol, transportOffset } = quoted
    const isAnswer =
      quoted.version === 4
        ? quoted.source4 === key.deviceAddress && quoted.destination4 === key.dialAddress
        : isAddress6(quoted.source6, key.high, 0, key.deviceAddress) &&
          isAddress6(quoted.destination6, key.high, 3, key.dialAddress)
    if (!isAnswer) return false
    key.protocol = protocol
    if (protocol === icmp.protocol) return bytes[transportOffset] === icmp.echoReply && this.#quotedEcho(bytes)
    key.devicePort = readUint16(bytes, transportOffset)
    key.dialPort = readUint16(bytes, transportOffset + 2)
    return true
  }

  #quotedEcho(bytes: Uint8Array): true {
    this.#key.devicePort = 0
    this.#key.dialPort = readUint16(bytes, this.#quoted.transportOffset + 4)
    return true
  }
}

/** Whether a packet was sent to this device: to what it leased, not to whatever its selectors claim. */
function isOfSa({ leased, tsRemote }: ChildSa, { version, destination4, destination6 }: InnerPacket): boolean {
  if (leased !== null) return version === 4 ? leased.holds4(destination4) : leased.holds6(destination6)
  return version === 4 ? tsRemote.holdsAddress4(destination4) : tsRemote.holdsAddress6(destination6)
}

function icmpOf(inner: InnerPacket): IcmpTypes {
  return inner.version === 4 ? ICMP4 : ICMP6
}

function keyOf4(key: FlowKey, device: number, dial: number): void {
  key.version = 4
  key.deviceAddress = device
  key.dialAddress = dial
}

function keyOf6(key: FlowKey, device: Uint32Array, dial: Uint32Array): void {
  key.version = 6
  for (let i = 0; i < 3; i++) {
    key.high[i] = device[i]!
    key.high[3 + i] = dial[i]!
  }
  key.deviceAddress = device[3]!
  key.dialAddress = dial[3]!
}

function isSame6(a: Uint32Array, b: Uint32Array): boolean {
  return isAddress6(a, b, 0, b[3]!)
}

/** Whether an address is that of three words at `at` and a last one. */
function isAddress6(address: Uint32Array, high: Uint32Array, at: number, last: number): boolean {
  return address[3] === last && address[0] === high[at] && address[1] === high[at + 1] && address[2] === high[at + 2]
}

function echoKey(key: FlowKey, bytes: Uint8Array, inner: InnerPacket): FlowKey {
  key.devicePort = 0
  key.dialPort = readUint16(bytes, inner.transportOffset + 4)
  return key
}

/** Octets of the ICMP message; the inner packet starts `totalBytes` before its own end. */
function icmpBytes(bytes: Uint8Array, inner: InnerPacket): number {
  const headerBytes = inner.transportOffset - inner.packetOffset
  return Math.min(inner.totalBytes - headerBytes, bytes.length - inner.transportOffset)
}
