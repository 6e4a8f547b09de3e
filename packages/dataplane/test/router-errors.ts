/** ICMP errors of routers about ESP in UDP, built byte by byte. */
import { encodeSocketAddress, SOCKADDR_BYTES } from '../src/native/sockets/socket-address.ts'
import { onesSum } from './inner-packets.ts'

type End = readonly [address: string, port: number]

export interface SentPacket {
  readonly local: End
  readonly remote: End
  readonly spi: number
  readonly sequenceLow: number
}

/** What a router quotes of ESP in UDP over IPv4: headers and 8 octets. */
export function quotedUdp4(sent: SentPacket): Uint8Array {
  const header = new Uint8Array(20)
  header[0] = 0x45
  header[6] = 0x40
  header[9] = 17
  header.set(octets(sent.local).subarray(4, 8), 12)
  header.set(octets(sent.remote).subarray(4, 8), 16)
  return Uint8Array.from([...header, ...espInUdp(sent)])
}

export function quotedUdp6(sent: SentPacket): Uint8Array {
  const header = new Uint8Array(40)
  header[0] = 0x60
  header[6] = 17
  header.set(octets(sent.local).subarray(8, 24), 8)
  header.set(octets(sent.remote).subarray(8, 24), 24)
  return Uint8Array.from([...header, ...espInUdp(sent)])
}

/** With the IP header of the router, as raw sockets deliver it. */
export function tooBig4(mtuBytes: number, quoted: Uint8Array): Uint8Array {
  const icmp = Uint8Array.from([3, 4, 0, 0, 0, 0, mtuBytes >>> 8, mtuBytes & 0xff, ...quoted])
  const sum = ~onesSum(icmp) & 0xffff
  icmp[2] = sum >>> 8
  icmp[3] = sum
  const header = new Uint8Array(20)
  header[0] = 0x45
  header[9] = 1
  return Uint8Array.from([...header, ...icmp])
}

export function tooBig6(mtuBytes: number, quoted: Uint8Array): Uint8Array {
  const icmp = new Uint8Array(8 + quoted.length)
  icmp[0] = 2
  new DataView(icmp.buffer).setUint32(4, mtuBytes)
  icmp.set(quoted, 8)
  return icmp
}

function espInUdp({ local, remote, spi, sequenceLow }: SentPacket): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, local[1])
  view.setUint16(2, remote[1])
  view.setUint32(8, spi)
  view.setUint32(12, sequenceLow)
  return bytes
}

function octets([address, port]: End): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_BYTES)
  encodeSocketAddress({ address, port }, bytes, 0)
  return bytes
}
