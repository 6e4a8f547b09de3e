import { expect, it } from 'vitest'
import { describeSa, installIn, ip4, ip6, parsed, range4, SAD_OPTIONS, SYN, tcp, udp } from '../test/packets.ts'
import { DropCode } from './drop-code.ts'
import { routeBetweenDevices } from './hairpin.ts'
import { Sad } from './sad.ts'
import { composeSpi } from './spi.ts'

const MTU_BYTES = 1400
const tsRemote = [range4('10.128.0.5', '10.128.0.5'), range4('192.168.1.0', '192.168.1.255')]
const from = installIn(new Sad(SAD_OPTIONS), describeSa(composeSpi(1, 1, 0), { tsRemote }), {
  subject: 1,
  addresses: ['10.128.0.5', 'fd00::5'],
})
const to = installIn(new Sad(SAD_OPTIONS), describeSa(composeSpi(1, 2, 0)), {
  subject: 2,
  addresses: ['10.128.0.6', 'fd00::6'],
})
const addresses = { source: '10.128.0.5', destination: '10.128.0.6' }

function route(packet: Uint8Array, mtuBytes = MTU_BYTES): DropCode {
  return routeBetweenDevices(packet, parsed(packet), { from, to, mtuBytes })
}

function headerSum(packet: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += (packet[i]! << 8) | packet[i + 1]!
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

/** With a right header checksum. */
function summed(packet: Uint8Array): Uint8Array {
  packet.fill(0, 10, 12)
  const sum = ~headerSum(packet) & 0xffff
  packet[10] = sum >>> 8
  packet[11] = sum & 0xff
  return packet
}

it.each([2, 64, 255])(
  'RFC 1812 5.3.1 takes one from an IPv4 time to live of %i and keeps the checksum right',
  (ttl) => {
    const packet = ip4(addresses, udp(1, 2))
    packet[8] = ttl
    summed(packet)
    expect(route(packet)).toBe(DropCode.none)
    expect([packet[8], headerSum(packet)]).toEqual([ttl - 1, 0xffff])
  },
)

it('RFC 8200 3 takes one from an IPv6 hop limit', () => {
  const source = [0xfd00, 0, 0, 0, 0, 0, 0, 5]
  const packet = ip6({ source, destination: [0xfd00, 0, 0, 0, 0, 0, 0, 6], nextHeader: 17 }, udp(1, 2))
  packet[7] = 9
  const before = packet.slice()
  expect([route(packet), packet[7]]).toEqual([DropCode.none, 8])
  before[7] = 8
  expect(packet).toEqual(before)
})

it.each([0, 1])('drops a packet whose time to live is %i', (ttl) => {
  const packet = ip4(addresses, udp(1, 2))
  packet[8] = ttl
  expect(route(packet)).toBe(DropCode.hopLimitExceeded)
})

it('C63 lets no host behind a device speak to another device, nor be spoken to', () => {
  expect(route(ip4({ ...addresses, source: '192.168.1.7' }, udp(1, 2)))).toBe(DropCode.sourceNotLeased)
  expect(route(ip4({ ...addresses, destination: '192.168.1.7' }, udp(1, 2)))).toBe(DropCode.noOutboundSa)
})

it('C64 takes no fragment between devices either', () => {
  for (const fragment of [0x2000, 7])
    expect(route(ip4({ ...addresses, fragment }, udp(1, 2)))).toBe(DropCode.innerFragment)
})

it('C65 drops what the tunnel of the other device cannot carry, and clamps the MSS of who begins', () => {
  const packet = ip4(addresses, udp(1, 2))
  expect([route(packet, packet.length), route(packet, packet.length - 1)]).toEqual([DropCode.none, DropCode.tooBig])
  const mss = Uint8Array.of(2, 4, 1460 >>> 8, 1460 & 0xff)
  const segment = new Uint8Array([...tcp(1, 2, SYN), ...mss])
  segment[12] = 6 << 4
  const opening = ip4({ ...addresses, protocol: 6 }, segment)
  expect(route(opening)).toBe(DropCode.none)
  expect((opening.at(-2)! << 8) | opening.at(-1)!).toBe(MTU_BYTES - 40)
})
