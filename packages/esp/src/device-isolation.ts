/**
 * The concentrator's policy over inner packets: devices answer, they never ask (DESIGN: the concentrator's packet policy).
 *
 * Out: only from a dial address. A TCP packet other than SYN-ACK and RST, a UDP packet or an ICMP echo request opens or refreshes
 * its flow; a TCP packet in the middle of a stream may open too, so that streams survive a restart that lost this table.
 * In: only to a dial address, only when the flow exists. ICMP: echo replies, and errors whose quoted packet belongs to a flow with
 * an inner address of the same SA, so that no device can speak about another's flows. Fragments from devices are dropped.
 * IPv6 is dropped until dial addresses have it.
 */
import type { ChildSa } from './child-sa.ts'
import { DropCode } from './drop-code.ts'
import { FlowEnd, type FlowKey, FlowTable, type FlowTableOptions } from './flow-table.ts'
import { type InnerPacket, Protocol } from './inner-packet.ts'
import { readUint16, readUint32 } from './octets.ts'

const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const ACK = 0x10

const ECHO_REPLY = 0
const UNREACHABLE = 3
const ECHO_REQUEST = 8
const TIME_EXCEEDED = 11
const PARAMETER_PROBLEM = 12

/** A TCP connection known from elsewhere, as after a restart; addresses unsigned. */
export interface KnownFlow {
  readonly dialAddress: number
  readonly dialPort: number
  readonly deviceAddress: number
  readonly devicePort: number
}

export class DeviceIsolation {
  readonly #dialAddresses: ReadonlySet<number>
  readonly #flows: FlowTable
  readonly #key: FlowKey = { deviceAddress: 0, devicePort: 0, dialAddress: 0, dialPort: 0, protocol: 0 }

  /** @param dialAddresses IPv4, unsigned */
  constructor(dialAddresses: readonly number[], options: FlowTableOptions) {
    this.#dialAddresses = new Set(dialAddresses)
    this.#flows = new FlowTable(options)
  }

  /** Seconds of a monotonic clock; call it every second or so. */
  advanceTo(nowSec: number): void {
    this.#flows.advanceTo(nowSec)
  }

  /** Takes over TCP connections that exist already. */
  adopt(flows: readonly KnownFlow[]): void {
    for (const flow of flows) {
      if (this.#dialAddresses.has(flow.dialAddress)) this.#flows.open({ ...flow, protocol: Protocol.tcp }, false)
    }
  }

  /**
   * @param bytes the packet `inner` was parsed from
   * @returns `none`, `notFromDialAddress` or `noFlow` (a packet that may not open a flow and belongs to none)
   */
  admitOutbound(bytes: Uint8Array, inner: InnerPacket): DropCode {
    if (inner.version !== 4 || !this.#dialAddresses.has(inner.source4)) return DropCode.notFromDialAddress
    if (inner.isFragment && !inner.hasPorts) return DropCode.none // follows a first fragment that was looked at
    const key = this.#key
    key.protocol = inner.protocol
    key.deviceAddress = inner.destination4
    key.devicePort = inner.destinationPort
    key.dialAddress = inner.source4
    key.dialPort = inner.sourcePort
    if (inner.protocol === Protocol.tcp) return this.#tcpOut(key, inner.tcpFlags)
    if (inner.protocol === Protocol.udp) {
      this.#flows.open(key, false)
      return DropCode.none
    }
    if (inner.protocol === Protocol.icmp) return this.#icmpOut(key, bytes, inner)
    return DropCode.noFlow
  }

  /**
   * @param sa the SA that authenticated the packet and whose selectors it matched
   * @returns `none`, `notToDialAddress`, `innerFragment` or `noFlow`
   */
  admitInbound(bytes: Uint8Array, inner: InnerPacket, sa: ChildSa): DropCode {
    if (inner.version !== 4 || !this.#dialAddresses.has(inner.destination4)) return DropCode.notToDialAddress
    if (inner.isFragment) return DropCode.innerFragment
    const key = this.#key
    key.protocol = inner.protocol
    key.deviceAddress = inner.source4
    key.devicePort = inner.sourcePort
    key.dialAddress = inner.destination4
    key.dialPort = inner.destinationPort
    if (inner.protocol === Protocol.tcp) return this.#tcpIn(key, inner.tcpFlags)
    if (inner.protocol === Protocol.udp) return this.#flows.has(key) ? DropCode.none : DropCode.noFlow
    if (inner.protocol === Protocol.icmp) return this.#icmpIn(key, bytes, inner, sa)
    return DropCode.noFlow
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

  #icmpOut(key: FlowKey, bytes: Uint8Array, inner: InnerPacket): DropCode {
    const type = inner.sourcePort >>> 8
    if (type === ECHO_REQUEST && icmpBytes(bytes, inner) >= 8) {
      this.#flows.open(echoKey(key, bytes, inner), false)
      return DropCode.none
    }
    return isError(type) && this.#quotesFlow(key, bytes, inner, 'out') ? DropCode.none : DropCode.noFlow
  }

  #icmpIn(key: FlowKey, bytes: Uint8Array, inner: InnerPacket, sa: ChildSa): DropCode {
    const type = inner.sourcePort >>> 8
    if (type === ECHO_REPLY && icmpBytes(bytes, inner) >= 8) {
      return this.#flows.has(echoKey(key, bytes, inner)) ? DropCode.none : DropCode.noFlow
    }
    if (!isError(type) || !this.#quotesFlow(key, bytes, inner, 'in')) return DropCode.noFlow
    return sa.tsRemote.holdsAddress4(key.deviceAddress) ? DropCode.none : DropCode.noFlow
  }

  /** Whether an ICMP error quotes a packet of a known flow (RFC 792: IP header and 8 octets); leaves that flow in `key`. */
  #quotesFlow(key: FlowKey, bytes: Uint8Array, inner: InnerPacket, direction: 'in' | 'out'): boolean {
    const quoted = inner.transportOffset + 8
    const available = icmpBytes(bytes, inner) - 8
    if (available < 28 || bytes[quoted]! >>> 4 !== 4) return false
    const headerBytes = (bytes[quoted]! & 0x0f) * 4
    if (headerBytes < 20 || available < headerBytes + 8) return false
    if ((readUint16(bytes, quoted + 6) & 0x1fff) !== 0) return false
    const source = readUint32(bytes, quoted + 12)
    const destination = readUint32(bytes, quoted + 16)
    const transport = quoted + headerBytes
    // An error from a device quotes what we sent it; an error to a device quotes what it sent us.
    const isIn = direction === 'in'
    if ((isIn ? source : destination) !== key.dialAddress) return false
    if (!isIn && source !== key.deviceAddress) return false
    key.protocol = bytes[quoted + 9]!
    key.deviceAddress = isIn ? destination : source
    if (key.protocol === Protocol.icmp) {
      if (bytes[transport] !== (isIn ? ECHO_REQUEST : ECHO_REPLY)) return false
      key.devicePort = 0
      key.dialPort = readUint16(bytes, transport + 4)
    } else {
      key.devicePort = readUint16(bytes, transport + (isIn ? 2 : 0))
      key.dialPort = readUint16(bytes, transport + (isIn ? 0 : 2))
    }
    return this.#flows.has(key)
  }
}

function isError(type: number): boolean {
  return type === UNREACHABLE || type === TIME_EXCEEDED || type === PARAMETER_PROBLEM
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
