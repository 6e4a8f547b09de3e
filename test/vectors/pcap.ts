/**
 * Reads classic pcap files of Ethernet frames (magic a1b2c3d4, little-endian) and takes the UDP datagrams out of IPv4 and IPv6.
 *
 * For test data of our own only: anything unexpected (another link type, IP fragments, extension headers) throws.
 */

export interface CapturedDatagram {
  /** From 1, over all frames of the file. */
  readonly frame: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly payload: Uint8Array
}

const FILE_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const ETHERNET_BYTES = 14
const UDP_BYTES = 8

export function readPcap(file: Uint8Array): readonly CapturedDatagram[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (view.getUint32(0, true) !== 0xa1b2c3d4 || view.getUint32(20, true) !== 1)
    throw new Error('not a pcap of Ethernet')
  const datagrams: CapturedDatagram[] = []
  let offset = FILE_HEADER_BYTES
  while (offset < file.length) {
    const captured = view.getUint32(offset + 8, true)
    const start = offset + RECORD_HEADER_BYTES
    datagrams.push(readFrame(datagrams.length + 1, file.subarray(start, start + captured)))
    offset = start + captured
  }
  return datagrams
}

function readFrame(frame: number, bytes: Uint8Array): CapturedDatagram {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const udp = ETHERNET_BYTES + ipHeaderBytes(view)
  const length = view.getUint16(udp + 4)
  return {
    frame,
    sourcePort: view.getUint16(udp),
    destinationPort: view.getUint16(udp + 2),
    payload: bytes.subarray(udp + UDP_BYTES, udp + length),
  }
}

function ipHeaderBytes(view: DataView): number {
  const etherType = view.getUint16(12)
  const isIp4 = etherType === 0x0800
  const protocol = view.getUint8(ETHERNET_BYTES + (isIp4 ? 9 : 6))
  if ((!isIp4 && etherType !== 0x86dd) || protocol !== 17)
    throw new Error(`frame without UDP: ${etherType}/${protocol}`)
  if (isIp4 && (view.getUint16(ETHERNET_BYTES + 6) & 0x3fff) !== 0) throw new Error('IP fragment')
  return isIp4 ? (view.getUint8(ETHERNET_BYTES) & 15) * 4 : 40
}
