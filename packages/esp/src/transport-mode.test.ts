/** Transport mode (RFC 4303 3.1.1) of `encapsulate` and `decapsulate`. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChildSaDescription, TrafficSelector } from '@culvert/ikev2'
import {
  createEnds,
  describeSa,
  type Ends,
  internetChecksum,
  ip4,
  ip6,
  octets4,
  placementOf,
  range4,
  SAD_OPTIONS,
  SUITES,
  tcp,
  transformContext,
  udp,
  withRoom,
} from '../test/packets.ts'
import { acceptPlaintext, createDecapsulated, decapsulate, type Decapsulated } from './decapsulate.ts'
import { DROP_CODE_NAMES, DropCode } from './drop-code.ts'
import { createEncapsulated, encapsulate, espOverheadBytes } from './encapsulate.ts'
import { Sad } from './sad.ts'
import { composeSpi } from './spi.ts'
import { createTransformPair } from './transform-pair.ts'

const GATEWAY = '203.0.113.1'
const SEEN = '192.0.2.1'
const PRIVATE = '192.168.1.7'
const host = (address: string, rest: Partial<TrafficSelector> = {}): TrafficSelector => range4(address, address, rest)
const TRANSPORT: Partial<ChildSaDescription> = { mode: 'transport', tsLocal: [host(GATEWAY)], tsRemote: [host(SEEN)] }

const HOST6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]
const OTHER6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2]

function transport6(): Partial<ChildSaDescription> {
  const one = (groups: readonly number[]): TrafficSelector => {
    const at = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]))
    return { type: 8, protocol: 0, startPort: 0, endPort: 0xffff, startAddress: at, endAddress: at }
  }
  return { mode: 'transport', tsLocal: [one(HOST6)], tsRemote: [one(OTHER6)] }
}

/** With the checksum the sender's kernel computed. */
function withChecksum(packet: Uint8Array, field: number): Uint8Array {
  const view = new DataView(packet.buffer)
  view.setUint16(20 + field, 0)
  view.setUint16(20 + field, transportChecksum(packet) || 0xffff)
  return packet
}

/** Over pseudo-header and upper layer; 0 when the checksum in the packet is right. */
function transportChecksum(packet: Uint8Array): number {
  const pseudo = Uint8Array.from([...packet.subarray(12, 20), 0, packet[9]!, 0, packet.length - 20])
  return internetChecksum(Uint8Array.from([...pseudo, ...packet.subarray(20)]))
}

function seal(ends: Ends, from: 'concentrator' | 'device', packet: Uint8Array): Uint8Array | string {
  const out = createEncapsulated()
  out.buffer = new Uint8Array(2000)
  const code = encapsulate(ends[from], { bytes: withRoom(packet), offset: 0, length: packet.length }, out)
  return code === DropCode.none ? out.buffer.slice(0, out.length) : DROP_CODE_NAMES[code]!
}

function open(ends: Ends, at: 'concentrator' | 'device', packet: Uint8Array | string): Uint8Array | string {
  if (typeof packet === 'string') return packet
  const out = createDecapsulated()
  const code = decapsulate(ends[at], packet, out)
  return code === DropCode.none ? received(out) : DROP_CODE_NAMES[code]!
}

function received({ buffer, offset, length }: Decapsulated): Uint8Array {
  return buffer.slice(offset, offset + length)
}

describe('RFC 4303 3.1.1 transport mode', () => {
  it.each(SUITES)('carries the upper layer and nothing of the IP header: $name', (suite) => {
    const ends = createEnds(suite, true, { description: TRANSPORT })
    const packet = withChecksum(ip4({ source: GATEWAY, destination: SEEN }, udp(7, 9, new Uint8Array(33))), 6)
    const sealed = seal(ends, 'concentrator', packet)
    const payloadBytes = packet.length - 20
    expect(sealed).toHaveLength(payloadBytes + espOverheadBytes(payloadBytes, ends.concentratorSa.sealer))
    const opened = open(ends, 'device', sealed) as Uint8Array
    expect(opened.subarray(20)).toEqual(packet.subarray(20))
    expect(opened.subarray(12, 20)).toEqual(packet.subarray(12, 20))
    expect(internetChecksum(opened.subarray(0, 20))).toBe(0)
    expect([opened[9], opened.length]).toEqual([17, packet.length])
  })

  it('carries IPv6 between two hosts', () => {
    const ends = createEnds(SUITES[0], false, { description: transport6() })
    const packet = ip6({ source: HOST6, destination: OTHER6, nextHeader: 17 }, udp(1, 2, new Uint8Array(50)))
    expect(open(ends, 'device', seal(ends, 'concentrator', packet))).toEqual(packet)
  })

  it('keeps to protocol and ports of the selectors', () => {
    const port = { protocol: 17, startPort: 9, endPort: 9 }
    const description = { ...TRANSPORT, tsRemote: [host(SEEN, port)] }
    const ends = createEnds(SUITES[0], false, { description })
    const other = ip4({ source: GATEWAY, destination: SEEN }, udp(7, 10))
    expect(seal(ends, 'concentrator', other)).toBe('outboundSelectorMismatch')
    const wide = createEnds(SUITES[0], false, { description: TRANSPORT })
    expect(open(ends, 'device', seal(wide, 'concentrator', other))).toBe('selectorMismatch')
  })

  it('takes no packet within the packet, and drops dummies (RFC 4303 2.6)', () => {
    const ends = createEnds(SUITES[0], false, { description: TRANSPORT })
    for (const protocol of [4, 41]) {
      const nested = ip4(
        { source: GATEWAY, destination: SEEN, protocol },
        ip4({ source: '1.2.3.4', destination: SEEN }, udp(1, 2)),
      )
      expect(open(ends, 'device', seal(ends, 'concentrator', nested))).toBe('badNextHeader')
    }
    const dummy = ip4({ source: GATEWAY, destination: SEEN, protocol: 59 }, new Uint8Array(8))
    expect(open(ends, 'device', seal(ends, 'concentrator', dummy))).toBe('dummy')
  })

  it('takes no packet within the packet behind destination options of IPv6 either', () => {
    const { deviceSa } = createEnds(SUITES[0], false, { description: transport6() })
    const inner = ip6({ source: HOST6, destination: OTHER6, nextHeader: 17 }, udp(1, 2))
    for (const next of [4, 41, 17]) {
      const options = [next, 0, 1, 4, 0, 0, 0, 0]
      const text = Uint8Array.from([...options, ...(next === 17 ? udp(1, 2) : inner), 0, 60])
      const bytes = Uint8Array.from([...new Uint8Array(40), ...text])
      const out = { ...createDecapsulated(), sa: deviceSa }
      const code = acceptPlaintext(bytes, 40, text.length, out)
      expect(code).toBe(next === 17 ? DropCode.none : DropCode.badNextHeader)
    }
  })

  it('C64 sends whole datagrams without options only (RFC 4301 7)', () => {
    const ends = createEnds(SUITES[0], false, { description: TRANSPORT })
    const addresses = { source: GATEWAY, destination: SEEN }
    for (const fields of [{ fragment: 0x2000 }, { fragment: 0x0010 }, { options: [1, 1, 1, 1] }]) {
      expect(seal(ends, 'concentrator', ip4({ ...addresses, ...fields }, udp(1, 2)))).toBe('notForTransportMode')
    }
    expect(ends.concentratorSa.sequenceLow).toBe(0)
  })

  it('is between two hosts, and with one peer behind a NAT only (RFC 3948 5.2)', () => {
    const sad = new Sad(SAD_OPTIONS)
    const install = (index: number, change: Partial<ChildSaDescription>): string => {
      const description = describeSa(composeSpi(1, index, 0), { ...TRANSPORT, ...change })
      const pair = createTransformPair(description.keys, transformContext())
      if (!pair.ok) throw new Error(pair.error)
      const sa = sad.install(description, pair.value, placementOf(description))
      return typeof sa === 'string' ? sa : 'installed'
    }
    expect(install(1, { tsRemote: [range4('192.0.2.0', '192.0.2.255')] })).toBe('transportSelectors')
    expect(install(1, { tsLocal: [] })).toBe('transportSelectors')
    const port = (remotePort: number): Partial<ChildSaDescription> => ({
      path: { local: { address: GATEWAY, port: 4500 }, remote: { address: SEEN, port: remotePort } },
    })
    expect(install(1, port(1001))).toBe('installed')
    expect(install(2, port(1001))).toBe('installed')
    expect(install(3, port(1002))).toBe('transportConflict')
    expect(install(4, { ...port(1002), tsRemote: [host('192.0.2.2')] })).toBe('installed')
  })
})

describe('RFC 3948 3.1.2 checksums behind a NAT', () => {
  const originalAddresses = { local: octets4('198.51.100.9'), remote: octets4(PRIVATE) }
  /** As the device made it: from its private address to the one it knows of us. */
  function fromDevice(protocol: 'tcp' | 'udp', content: Uint8Array): Uint8Array {
    const payload = Uint8Array.from(content)
    const addresses = { source: PRIVATE, destination: '198.51.100.9' }
    if (protocol === 'udp') return withChecksum(ip4({ ...addresses, protocol: 17 }, udp(7, 9, payload)), 6)
    return withChecksum(ip4({ ...addresses, protocol: 6 }, Uint8Array.from([...tcp(7, 9, 16), ...payload])), 16)
  }

  /** The device's end knows its own addresses, ours those it sees. */
  function behindNat(change: Partial<ChildSaDescription>): Ends {
    const device = createEnds(SUITES[0], false, {
      description: { mode: 'transport', tsLocal: [host('198.51.100.9')], tsRemote: [host(PRIVATE)] },
    })
    return { ...device, ...concentratorOf(createEnds(SUITES[0], false, { description: { ...TRANSPORT, ...change } })) }
  }
  const concentratorOf = ({ concentrator, concentratorSa }: Ends): Pick<Ends, 'concentrator' | 'concentratorSa'> => {
    return { concentrator, concentratorSa }
  }

  it.each(['tcp', 'udp'] as const)('%s: from the addresses of the negotiation, or anew', (protocol) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (payload, isKnown) => {
        const ends = behindNat({ originalAddresses: isKnown ? originalAddresses : 'unknown' })
        const opened = open(ends, 'concentrator', seal(ends, 'device', fromDevice(protocol, payload)))
        expect(transportChecksum(opened as Uint8Array)).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it('a checksum that was wrong stays wrong when the addresses are known', () => {
    const packet = fromDevice('tcp', new Uint8Array(10))
    packet[36] = packet[36]! ^ 1
    const ends = behindNat({ originalAddresses })
    expect(transportChecksum(open(ends, 'concentrator', seal(ends, 'device', packet)) as Uint8Array)).not.toBe(0)
  })

  it('UDP without a checksum stays so', () => {
    const packet = ip4({ source: PRIVATE, destination: '198.51.100.9' }, udp(7, 9))
    const ends = behindNat({ originalAddresses })
    const opened = open(ends, 'concentrator', seal(ends, 'device', packet)) as Uint8Array
    expect([...opened.subarray(26, 28)]).toEqual([0, 0])
  })

  it('without a NAT nothing is touched', () => {
    const packet = fromDevice('udp', new Uint8Array(10))
    const ends = behindNat({})
    const opened = open(ends, 'concentrator', seal(ends, 'device', packet)) as Uint8Array
    expect(opened.subarray(20)).toEqual(packet.subarray(20))
  })
})
