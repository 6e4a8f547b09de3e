import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { icmp, internetChecksum, ip4, number4, parsed } from '../test/packets.ts'
import { DropCode } from './drop-code.ts'
import { HostMappings, SYNTHETIC_BLOCK } from './host-mappings.ts'
import { translateInbound, translateOutbound } from './host-translation.ts'

const [TCP, UDP, ICMP] = [6, 17, 1]
const DIAL = '10.127.0.1'
const HOST = '192.168.1.20'
const SYNTHETIC = '198.18.0.9'
const LEASED = '10.128.0.5'
const SUBJECT = 7

const octet = fc.integer({ min: 0, max: 255 })
const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'))
const payload = fc.uint8Array({ maxLength: 60 })
const options = fc.constantFrom([], [1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1])

/** A transport segment with a right checksum; for UDP also without one. */
const segment = fc.record({
  protocol: fc.constantFrom(TCP, UDP),
  ports: fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0xffff })),
  payload,
  options,
  hasNone: fc.boolean(),
})
type Segment = typeof segment extends fc.Arbitrary<infer T> ? T : never

describe('translation of hosts behind devices', () => {
  it('RFC 1624: outbound equals the packet made anew with the other destination', () => {
    fc.assert(
      fc.property(segment, address, (what, host) => {
        const packet = packetOf(what, DIAL, SYNTHETIC)
        const inner = parsed(packet)
        translateOutbound(packet, inner, number4(host))
        expect(packet).toEqual(packetOf(what, DIAL, host))
        expect(inner.destination4).toBe(number4(host))
      }),
    )
  })

  it('RFC 1624: inbound equals the packet made anew with the synthetic source', () => {
    fc.assert(
      fc.property(segment, address, (what, host) => {
        const packet = packetOf(what, host, DIAL)
        expect(inbound(packet, host)).toBe(DropCode.none)
        expect(packet).toEqual(packetOf(what, SYNTHETIC, DIAL))
      }),
    )
  })

  it('updates the sum that the kernel left for us to complete', () => {
    fc.assert(
      fc.property(segment, address, (what, host) => {
        const packet = partial(packetOf({ ...what, hasNone: false }, DIAL, SYNTHETIC))
        translateOutbound(packet, parsed(packet), number4(host), 'partial')
        const remade = partial(packetOf({ ...what, hasNone: false }, DIAL, host))
        const at = 20 + what.options.length + checksumOffset(what.protocol)
        // One's complement has two zeros; both mean the same to whoever completes the sum.
        expect(word(packet, at) % 0xffff).toBe(word(remade, at) % 0xffff)
        expect(withWord(packet, at, 0)).toEqual(withWord(remade, at, 0))
      }),
    )
  })

  it('changes nothing but the header of a fragment behind the first, and the whole checksum of the first', () => {
    fc.assert(
      fc.property(segment, fc.constantFrom(0x2000, 0x2001, 0x0005), (what, fragment) => {
        const packet = packetOf(what, DIAL, SYNTHETIC, fragment)
        const before = packet.slice()
        translateOutbound(packet, parsed(packet), number4(HOST))
        const isFirst = (fragment & 0x1fff) === 0
        const remade = packetOf(what, DIAL, HOST, fragment)
        const headerBytes = 20 + what.options.length
        expect(packet.subarray(0, headerBytes)).toEqual(remade.subarray(0, headerBytes))
        expect(packet.subarray(headerBytes)).toEqual((isFirst ? remade : before).subarray(headerBytes))
      }),
    )
  })

  it('never makes a damaged packet whole', () => {
    fc.assert(
      fc.property(segment, fc.nat(), fc.integer({ min: 1, max: 255 }), (what, at, flip) => {
        const packet = packetOf({ ...what, hasNone: false }, HOST, DIAL)
        const headerBytes = 20 + what.options.length
        packet[headerBytes + (at % (packet.length - headerBytes))]! ^= flip
        fc.pre(word(packet, headerBytes + checksumOffset(what.protocol)) !== 0)
        const wasRight = transportSum(packet, headerBytes) % 0xffff === 0
        inbound(packet, HOST)
        expect(transportSum(packet, headerBytes) % 0xffff === 0).toBe(wasRight)
      }),
    )
  })

  it('RFC 768: leaves a UDP packet without checksum without one', () => {
    const packet = packetOf(
      { protocol: UDP, ports: [1, 2], payload: new Uint8Array(3), options: [], hasNone: true },
      HOST,
      DIAL,
    )
    inbound(packet, HOST)
    expect(word(packet, 26)).toBe(0)
  })

  it('RFC 792: an echo has no pseudo-header; only the IP header changes', () => {
    const message = checksummed(icmp(8, 0, Uint8Array.of(1, 2, 0, 1, 9, 9)))
    const packet = ip4({ source: DIAL, destination: SYNTHETIC, protocol: ICMP }, message)
    translateOutbound(packet, parsed(packet), number4(HOST))
    expect(packet).toEqual(ip4({ source: DIAL, destination: HOST, protocol: ICMP }, message))
  })
})

describe('ICMP errors about hosts behind devices (RFC 5508 4.2)', () => {
  /** As many octets of the quoted packet as a router may send: header and 8, up to all of it. */
  const quote = fc.record({ what: segment, quotedBytes: fc.nat({ max: 120 }), type: fc.constantFrom(3, 11, 12) })

  it('from a device: the quoted destination becomes synthetic, every checksum as if made anew', () => {
    fc.assert(
      fc.property(
        quote,
        address,
        fc.constantFrom('host', 'router', 'leased'),
        ({ what, quotedBytes, type }, host, by) => {
          const make = (source: string, quotedDestination: string): Uint8Array =>
            errorAbout(packetOf(what, DIAL, quotedDestination), { source, destination: DIAL, type, quotedBytes })
          const source = by === 'host' ? host : by === 'router' ? '192.168.77.1' : LEASED
          fc.pre(host !== '192.168.77.1')
          const packet = make(source, host)
          expect(inbound(packet, host, by === 'leased')).toBe(DropCode.none)
          expect(packet).toEqual(make(by === 'leased' ? LEASED : SYNTHETIC, SYNTHETIC))
        },
      ),
    )
  })

  it('to a device: the quoted source becomes the host again', () => {
    fc.assert(
      fc.property(quote, address, ({ what, quotedBytes, type }, host) => {
        const make = (destination: string): Uint8Array =>
          errorAbout(packetOf(what, destination, DIAL), { source: DIAL, destination, type, quotedBytes })
        const packet = make(SYNTHETIC)
        translateOutbound(packet, parsed(packet), number4(host))
        expect(packet).toEqual(make(host))
      }),
    )
  })

  it('leaves a quotation alone that is about somebody else, or too short, or of no IPv4 packet', () => {
    const what: Segment = { protocol: UDP, ports: [1, 2], payload: new Uint8Array(8), options: [], hasNone: false }
    const fields = { source: LEASED, destination: DIAL, type: 3, quotedBytes: 99 }
    const other = errorAbout(packetOf(what, DIAL, '192.168.1.21'), fields)
    const short = errorAbout(packetOf(what, DIAL, HOST), fields).subarray(0, 20 + 8 + 27)
    new DataView(short.buffer).setUint16(2, short.length)
    const six = errorAbout(packetOf(what, DIAL, HOST), fields)
    six[28] = 0x65
    const long = errorAbout(packetOf(what, DIAL, HOST), fields)
    long[28] = 0x4f
    const redirect = errorAbout(packetOf(what, DIAL, HOST), { ...fields, type: 5 })
    for (const packet of [other, short, six, long, redirect]) {
      const before = packet.slice()
      expect(inbound(packet, HOST, true)).toBe(DropCode.none)
      expect(packet).toEqual(before)
    }
  })
})

describe('who may speak for a host', () => {
  const what: Segment = { protocol: UDP, ports: [1, 2], payload: new Uint8Array(8), options: [], hasNone: false }

  it('C63: a host that nobody asked for, and the host of another device, have no address to come from', () => {
    for (const [source, subject] of [
      ['192.168.1.21', SUBJECT],
      [HOST, SUBJECT + 1],
      [SYNTHETIC, SUBJECT],
    ] as const) {
      const packet = packetOf(what, source, DIAL)
      const before = packet.slice()
      expect(inbound(packet, HOST, false, subject)).toBe(DropCode.noHostMapping)
      expect(packet).toEqual(before)
    }
  })

  it('C63: an error from another device that quotes the same host is not about ours', () => {
    const fields = { source: HOST, destination: DIAL, type: 3, quotedBytes: 99 }
    const packet = errorAbout(packetOf(what, DIAL, HOST), fields)
    expect(inbound(packet, HOST, false, SUBJECT + 1)).toBe(DropCode.noHostMapping)
  })

  it('survives anything that parses', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 100 }),
        fc.constantFrom(ICMP, TCP, UDP, 47),
        (bytes, protocol) => {
          const body = protocol === TCP && bytes.length < 20 ? new Uint8Array(20) : bytes
          const packet = ip4({ source: HOST, destination: DIAL, protocol }, body)
          const { length } = packet
          inbound(packet, HOST)
          expect([packet.length, internetChecksum(packet.subarray(0, 20))]).toEqual([length, 0])
        },
      ),
    )
  })
})

function inbound(packet: Uint8Array, host: string, isLeased = false, subject = SUBJECT): DropCode {
  const mappings = new HostMappings(1)
  mappings.set(number4(SYNTHETIC), SUBJECT, number4(host))
  expect(number4(SYNTHETIC)).toBe(SYNTHETIC_BLOCK + 9)
  return translateInbound(packet, parsed(packet), mappings, subject, isLeased)
}

/** Made from nothing, with every checksum computed in full. */
function packetOf(what: Segment, source: string, destination: string, fragment = 0): Uint8Array {
  const body = new Uint8Array((what.protocol === TCP ? 20 : 8) + what.payload.length)
  const view = new DataView(body.buffer)
  view.setUint16(0, what.ports[0])
  view.setUint16(2, what.ports[1])
  if (what.protocol === TCP) body[12] = 0x50
  else view.setUint16(4, body.length)
  body.set(what.payload, body.length - what.payload.length)
  const packet = ip4({ source, destination, protocol: what.protocol, options: what.options, fragment }, body)
  const headerBytes = packet.length - body.length
  if (what.protocol === UDP && what.hasNone) return packet
  const sum = ~transportSum(packet, headerBytes) & 0xffff
  return withWord(packet, headerBytes + checksumOffset(what.protocol), what.protocol === UDP ? sum || 0xffff : sum)
}

interface ErrorFields {
  readonly source: string
  readonly destination: string
  readonly type: number
  readonly quotedBytes: number
}

function errorAbout(quoted: Uint8Array, { source, destination, type, quotedBytes }: ErrorFields): Uint8Array {
  const least = (quoted[0]! & 0x0f) * 4 + 8
  // Half a checksum cannot be updated, and says nothing to anybody: no quotation ends there.
  const isHalf = quotedBytes === least - 8 + checksumOffset(quoted[9]!) + 1
  const quotation = quoted.subarray(0, Math.max(least, quotedBytes + (isHalf ? 1 : 0)))
  const message = checksummed(icmp(type, 3, Uint8Array.from([0, 0, 0, 0, ...quotation])))
  return ip4({ source, destination, protocol: ICMP }, message)
}

function checksummed(message: Uint8Array): Uint8Array {
  return withWord(message, 2, internetChecksum(message))
}

/** What the kernel leaves: the sum of the pseudo-header in the field. */
function partial(packet: Uint8Array): Uint8Array {
  const headerBytes = (packet[0]! & 0x0f) * 4
  const pseudo = pseudoHeader(packet, packet.length - headerBytes)
  return withWord(packet, headerBytes + checksumOffset(packet[9]!), ~internetChecksum(pseudo) & 0xffff)
}

/** One's complement sum over pseudo-header and segment, not inverted; 0 modulo 65535 when the checksum inside is right. */
function transportSum(packet: Uint8Array, headerBytes: number): number {
  const body = packet.subarray(headerBytes)
  return ~internetChecksum(Uint8Array.from([...pseudoHeader(packet, body.length), ...body])) & 0xffff
}

function pseudoHeader(packet: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from([...packet.subarray(12, 20), 0, packet[9]!, length >>> 8, length & 0xff])
}

function checksumOffset(protocol: number): number {
  return protocol === TCP ? 16 : 6
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function withWord(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = value >>> 8
  copy[at + 1] = value & 0xff
  return copy
}
