import { beforeEach, describe, expect, it } from 'vitest'
import {
  ACK,
  createEnds,
  echo,
  FIN,
  icmp,
  icmpError,
  ip4,
  ip6,
  number4,
  parsed,
  RST,
  SYN,
  tcp,
  udp,
} from '../test/packets.ts'
import { DeviceIsolation } from './device-isolation.ts'
import { DROP_CODE_NAMES } from './drop-code.ts'

const DIAL = '10.127.0.1'
const DEVICE = '10.128.0.5'
const OTHER_DEVICE = '10.128.0.6'
const { concentratorSa: SA } = createEnds()

describe('device isolation', () => {
  let isolation: DeviceIsolation
  beforeEach(() => {
    isolation = new DeviceIsolation([number4(DIAL), number4('10.127.0.2')], { maxFlows: 64, hashSeed: 7 })
  })
  const out = (packet: Uint8Array): string => DROP_CODE_NAMES[isolation.admitOutbound(packet, parsed(packet))]!
  const back = (packet: Uint8Array): string => DROP_CODE_NAMES[isolation.admitInbound(packet, parsed(packet), SA)]!
  const toDevice = (payload: Uint8Array, protocol = 6): Uint8Array =>
    ip4({ source: DIAL, destination: DEVICE, protocol }, payload)
  const fromDevice = (payload: Uint8Array, protocol = 6): Uint8Array =>
    ip4({ source: DEVICE, destination: DIAL, protocol }, payload)

  it('lets a device answer a TCP connection that was opened to it', () => {
    expect(back(fromDevice(tcp(80, 4000, SYN | ACK)))).toBe('noFlow')
    expect(out(toDevice(tcp(4000, 80, SYN)))).toBe('none')
    expect(back(fromDevice(tcp(80, 4000, SYN | ACK)))).toBe('none')
    expect(back(fromDevice(tcp(81, 4000, SYN | ACK)))).toBe('noFlow')
    expect(back(fromDevice(tcp(80, 4001, SYN | ACK)))).toBe('noFlow')
    expect(back(fromDevice(udp(80, 4000), 17))).toBe('noFlow')
  })

  it('never lets a device open a connection, not even on the ports of a flow', () => {
    expect(back(fromDevice(tcp(5000, 22, SYN)))).toBe('noFlow')
    out(toDevice(tcp(4000, 80, SYN)))
    expect(back(fromDevice(tcp(80, 4000, SYN)))).toBe('noFlow')
  })

  it('opens no flow for a SYN-ACK or RST from inside', () => {
    expect([out(toDevice(tcp(22, 5000, SYN | ACK))), out(toDevice(tcp(22, 5000, RST)))]).toEqual(['noFlow', 'noFlow'])
    expect(back(fromDevice(tcp(5000, 22, ACK)))).toBe('noFlow')
  })

  it('learns a stream again from its next outbound packet after the table was lost', () => {
    expect(back(fromDevice(tcp(80, 4000, ACK)))).toBe('noFlow')
    expect(out(toDevice(tcp(4000, 80, ACK)))).toBe('none')
    expect(back(fromDevice(tcp(80, 4000, ACK)))).toBe('none')
  })

  it('takes over connections that the kernel knows, from dial addresses only', () => {
    const flow = { dialPort: 4000, deviceAddress: number4(DEVICE), devicePort: 80 }
    isolation.adopt([
      { ...flow, dialAddress: number4(DIAL) },
      { ...flow, dialAddress: number4('127.0.0.1'), devicePort: 81 },
    ])
    expect(back(fromDevice(tcp(80, 4000, ACK)))).toBe('none')
    expect(back(fromDevice(tcp(81, 4000, ACK)))).toBe('noFlow')
  })

  it('closes a flow 2 minutes after both FINs', () => {
    out(toDevice(tcp(4000, 80, SYN)))
    out(toDevice(tcp(4000, 80, FIN | ACK)))
    expect(back(fromDevice(tcp(80, 4000, FIN | ACK)))).toBe('none')
    isolation.advanceTo(120)
    expect(back(fromDevice(tcp(80, 4000, ACK)))).toBe('none')
    isolation.advanceTo(121)
    expect(back(fromDevice(tcp(80, 4000, ACK)))).toBe('noFlow')
  })

  it('pairs UDP answers with their question', () => {
    expect(back(fromDevice(udp(53, 4000), 17))).toBe('noFlow')
    expect(out(toDevice(udp(4000, 53), 17))).toBe('none')
    expect(back(fromDevice(udp(53, 4000), 17))).toBe('none')
    expect(back(fromDevice(udp(54, 4000), 17))).toBe('noFlow')
  })

  it('lets echo replies in, never echo requests or replies nobody asked for', () => {
    expect(back(fromDevice(echo(8, 9), 1))).toBe('noFlow')
    expect(back(fromDevice(echo(0, 9), 1))).toBe('noFlow')
    expect(out(toDevice(echo(8, 9), 1))).toBe('none')
    expect(back(fromDevice(echo(0, 9), 1))).toBe('none')
    expect(back(fromDevice(echo(0, 10), 1))).toBe('noFlow')
    expect(back(fromDevice(icmp(13, 0, new Uint8Array(16)), 1))).toBe('noFlow')
    expect(out(toDevice(echo(0, 9), 1))).toBe('noFlow')
  })

  it.each([3, 11, 12])('lets ICMP errors (%i) in only about packets that were sent', (type) => {
    const sent = toDevice(tcp(4000, 80, SYN))
    const about = (quoted: Uint8Array): string => back(fromDevice(icmpError(type, quoted), 1))
    expect(about(sent)).toBe('noFlow')
    out(sent)
    expect(about(sent)).toBe('none')
    expect(about(toDevice(tcp(4000, 81, SYN)))).toBe('noFlow')
    expect(about(fromDevice(tcp(80, 4000, ACK)))).toBe('noFlow')
    expect(about(ip4({ source: '10.127.0.9', destination: DEVICE, protocol: 6 }, tcp(4000, 80, SYN)))).toBe('noFlow')
    expect(back(fromDevice(icmpError(5, sent), 1))).toBe('noFlow')
  })

  it('refuses errors about a flow of another device', () => {
    const sent = ip4({ source: DIAL, destination: OTHER_DEVICE, protocol: 6 }, tcp(4000, 80, SYN))
    out(sent)
    expect(back(fromDevice(icmpError(3, sent), 1))).toBe('noFlow')
  })

  it('takes an error about an echo request, and passes errors to a device about its answers', () => {
    const sent = toDevice(echo(8, 9), 1)
    out(sent)
    expect(back(fromDevice(icmpError(3, sent), 1))).toBe('none')
    out(toDevice(udp(4000, 53), 17))
    const answer = fromDevice(udp(53, 4000), 17)
    expect(out(toDevice(icmpError(3, answer), 1))).toBe('none')
    expect(out(toDevice(icmpError(3, fromDevice(udp(54, 4000), 17)), 1))).toBe('noFlow')
    const toOther = ip4({ source: DIAL, destination: OTHER_DEVICE, protocol: 1 }, icmpError(3, answer))
    expect(out(toOther)).toBe('noFlow')
  })

  it('refuses errors whose quotation is cut, has a lying header length, or is a later fragment', () => {
    const sent = toDevice(udp(4000, 53), 17)
    out(sent)
    const error = icmpError(3, sent)
    expect(back(fromDevice(error, 1))).toBe('none')
    for (let length = 4; length < error.length; length++) {
      expect(back(fromDevice(error.subarray(0, length), 1))).toBe('noFlow')
    }
    const lying = error.slice()
    lying[8] = 0x4f
    expect(back(fromDevice(lying, 1))).toBe('noFlow')
    const later = error.slice()
    later[15] = 1
    expect(back(fromDevice(later, 1))).toBe('noFlow')
  })

  it('drops what is not for a dial address, what does not come from one, and IPv6', () => {
    const elsewhere = ip4({ source: DEVICE, destination: OTHER_DEVICE, protocol: 6 }, tcp(80, 4000, ACK))
    expect(back(elsewhere)).toBe('notToDialAddress')
    expect(out(ip4({ source: '10.127.0.9', destination: DEVICE, protocol: 6 }, tcp(1, 2, SYN)))).toBe(
      'notFromDialAddress',
    )
    const host = [0xfd00, 0, 0, 0, 0, 0, 0, 1]
    const six = ip6({ source: host, destination: host, nextHeader: 17 }, udp(1, 2))
    expect([out(six), back(six)]).toEqual(['notFromDialAddress', 'notToDialAddress'])
  })

  it('C64 takes no fragment from a device, first, later or last, so none can overlap', () => {
    out(toDevice(udp(4000, 53), 17))
    const answer = (fragment: number): string =>
      back(ip4({ source: DEVICE, destination: DIAL, protocol: 17, fragment }, udp(53, 4000)))
    expect(answer(0)).toBe('none')
    expect([0x2000, 0x2001, 0x0005, 0x1fff].map(answer)).toEqual(Array(4).fill('innerFragment'))
  })

  it('drops other protocols both ways', () => {
    expect([out(toDevice(new Uint8Array(30), 47)), back(fromDevice(new Uint8Array(30), 47))]).toEqual([
      'noFlow',
      'noFlow',
    ])
  })

  it('keeps the flows of two dial addresses apart', () => {
    out(toDevice(tcp(4000, 80, SYN)))
    const toOther = ip4({ source: DEVICE, destination: '10.127.0.2', protocol: 6 }, tcp(80, 4000, SYN | ACK))
    expect(back(toOther)).toBe('noFlow')
  })
})
