import { beforeEach, describe, expect, it } from 'vitest'
import {
  ACK,
  createEnds,
  describeSa,
  echo,
  FIN,
  fragment6,
  icmp,
  icmpError,
  installIn,
  ip4,
  ip6,
  octets4,
  octets6,
  parsed,
  range4,
  range6,
  RST,
  SAD_OPTIONS,
  SYN,
  tcp,
  udp,
} from '../test/packets.ts'
import { DeviceIsolation } from './device-isolation.ts'
import { DROP_CODE_NAMES, DropCode } from './drop-code.ts'
import { HostMappings, SYNTHETIC_BLOCK } from './host-mappings.ts'
import { Sad } from './sad.ts'
import { composeSpi } from './spi.ts'

const { concentratorSa: SA } = createEnds()

/** What differs between the versions: everything else about the policy is the same. */
interface Family {
  readonly name: string
  readonly dial: string
  readonly otherDial: string
  readonly stranger: string
  readonly device: string
  readonly otherDevice: string
  readonly icmp: number
  readonly request: 8 | 128
  readonly reply: 0 | 129
  readonly errors: readonly number[]
  /** ICMP types that are neither. */
  readonly others: readonly number[]
  build(source: string, destination: string, protocol: number, payload: Uint8Array): Uint8Array
  /** A fragment that starts at this octet. */
  fragment(source: string, destination: string, offset: number, hasMore: boolean, payload: Uint8Array): Uint8Array
}

const IP4: Family = {
  name: 'IPv4',
  dial: '10.127.0.1',
  otherDial: '10.127.0.2',
  stranger: '10.127.0.9',
  device: '10.128.0.5',
  otherDevice: '10.128.0.6',
  icmp: 1,
  request: 8,
  reply: 0,
  errors: [3, 11, 12],
  others: [1, 2, 4, 5, 9, 10, 13, 14, 128, 129, 135],
  build: (source, destination, protocol, payload) => ip4({ source, destination, protocol }, payload),
  fragment: (source, destination, offset, hasMore, payload) =>
    ip4({ source, destination, fragment: (offset >>> 3) | (hasMore ? 0x2000 : 0) }, payload),
}

const IP6: Family = {
  name: 'IPv6',
  dial: 'fd7f::1',
  otherDial: 'fd7f::2',
  stranger: 'fd7f::9',
  device: 'fd80::5',
  otherDevice: 'fd80::6',
  icmp: 58,
  request: 128,
  reply: 129,
  errors: [1, 2, 3, 4],
  // listener discovery, router and neighbor discovery, redirects, node information, mobility
  others: [0, 5, 8, 11, 12, 100, 127, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 153],
  build: (source, destination, nextHeader, payload) => ip6({ source, destination, nextHeader }, payload),
  fragment: (source, destination, offset, hasMore, payload) =>
    ip6({ source, destination, nextHeader: 44 }, fragment6(17, offset | (hasMore ? 1 : 0), payload)),
}

function octetsOf({ name }: Family, address: string): Uint8Array {
  return name === 'IPv4' ? octets4(address) : octets6(address)
}

function createIsolation(): DeviceIsolation {
  const dial = [IP4, IP6].flatMap((family) => [family.dial, family.otherDial].map((one) => octetsOf(family, one)))
  return new DeviceIsolation(dial, { maxFlows: 64, hashSeed: 7 })
}

describe.each([IP4, IP6])('device isolation over $name', (family) => {
  const { dial, otherDial, device, otherDevice, stranger, build } = family
  let isolation: DeviceIsolation
  beforeEach(() => {
    isolation = createIsolation()
  })
  const out = (packet: Uint8Array): string => DROP_CODE_NAMES[isolation.admitOutbound(packet, parsed(packet))]!
  const back = (packet: Uint8Array): string => DROP_CODE_NAMES[isolation.admitInbound(packet, parsed(packet), SA)]!
  const toDevice = (payload: Uint8Array, protocol = 6): Uint8Array => build(dial, device, protocol, payload)
  const fromDevice = (payload: Uint8Array, protocol = 6): Uint8Array => build(device, dial, protocol, payload)

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
    const flow = { dialPort: 4000, deviceAddress: octetsOf(family, device), devicePort: 80 }
    isolation.adopt([
      { ...flow, dialAddress: octetsOf(family, dial) },
      { ...flow, dialAddress: octetsOf(family, stranger), devicePort: 81 },
      { ...flow, dialAddress: new Uint8Array(family === IP4 ? 16 : 4), devicePort: 82 },
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
    const { request, reply, icmp: protocol } = family
    expect(back(fromDevice(echo(request, 9), protocol))).toBe('noFlow')
    expect(back(fromDevice(echo(reply, 9), protocol))).toBe('noFlow')
    expect(out(toDevice(echo(request, 9), protocol))).toBe('none')
    expect(back(fromDevice(echo(reply, 9), protocol))).toBe('none')
    expect(back(fromDevice(echo(reply, 10), protocol))).toBe('noFlow')
    expect(out(toDevice(echo(reply, 9), protocol))).toBe('noFlow')
  })

  it('lets no other ICMP through in either direction, whatever it holds', () => {
    const { icmp: protocol, others, request } = family
    const sent = toDevice(tcp(4000, 80, SYN))
    out(sent)
    out(toDevice(echo(request, 0), protocol))
    for (const type of others) {
      for (const message of [icmpError(type, sent), icmp(type, 0, new Uint8Array(16))]) {
        expect([type, back(fromDevice(message, protocol)), out(toDevice(message, protocol))]).toEqual([
          type,
          'noFlow',
          'noFlow',
        ])
      }
    }
  })

  it('takes ICMP of the other version for an unknown protocol', () => {
    const other = family === IP4 ? IP6 : IP4
    expect(out(toDevice(echo(other.request, 9), other.icmp))).toBe('noFlow')
    expect(out(toDevice(echo(family.request, 9), other.icmp))).toBe('noFlow')
    out(toDevice(echo(family.request, 9), family.icmp))
    expect(back(fromDevice(echo(other.reply, 9), other.icmp))).toBe('noFlow')
  })

  it.each(family.errors)('lets ICMP errors (%i) in only about packets that were sent', (type) => {
    const sent = toDevice(tcp(4000, 80, SYN))
    const about = (quoted: Uint8Array): string => back(fromDevice(icmpError(type, quoted), family.icmp))
    expect(about(sent)).toBe('noFlow')
    out(sent)
    expect(about(sent)).toBe('none')
    expect(about(toDevice(tcp(4000, 81, SYN)))).toBe('noFlow')
    expect(about(fromDevice(tcp(80, 4000, ACK)))).toBe('noFlow')
    expect(about(build(stranger, device, 6, tcp(4000, 80, SYN)))).toBe('noFlow')
  })

  it('refuses errors about a flow of another device', () => {
    const sent = build(dial, otherDevice, 6, tcp(4000, 80, SYN))
    out(sent)
    expect(back(fromDevice(icmpError(family.errors[0]!, sent), family.icmp))).toBe('noFlow')
  })

  it('takes an error about an echo request, and passes errors to a device about its answers', () => {
    const { request, icmp: protocol } = family
    const type = family.errors[0]!
    const sent = toDevice(echo(request, 9), protocol)
    out(sent)
    expect(back(fromDevice(icmpError(type, sent), protocol))).toBe('none')
    out(toDevice(udp(4000, 53), 17))
    const answer = fromDevice(udp(53, 4000), 17)
    expect(out(toDevice(icmpError(type, answer), protocol))).toBe('none')
    expect(out(toDevice(icmpError(type, fromDevice(udp(54, 4000), 17)), protocol))).toBe('noFlow')
    expect(out(build(dial, otherDevice, protocol, icmpError(type, answer)))).toBe('noFlow')
    expect(out(build(otherDial, device, protocol, icmpError(type, answer)))).toBe('noFlow')
  })

  it('refuses errors whose quotation is cut anywhere', () => {
    const sent = toDevice(udp(4000, 53), 17)
    out(sent)
    const error = icmpError(family.errors[0]!, sent)
    expect(back(fromDevice(error, family.icmp))).toBe('none')
    for (let length = 4; length < error.length; length++) {
      expect(back(fromDevice(error.subarray(0, length), family.icmp))).toBe('noFlow')
    }
  })

  it('refuses errors that quote a packet of the other version', () => {
    const other = family === IP4 ? IP6 : IP4
    const sent = other.build(other.dial, other.device, 17, udp(4000, 53))
    out(sent)
    expect(back(fromDevice(icmpError(family.errors[0]!, sent), family.icmp))).toBe('noFlow')
  })

  it('drops what is not for a dial address and what does not come from one', () => {
    out(toDevice(tcp(4000, 80, SYN)))
    expect(back(build(device, otherDevice, 6, tcp(80, 4000, ACK)))).toBe('notToDialAddress')
    expect(back(build(device, stranger, 6, tcp(80, 4000, ACK)))).toBe('notToDialAddress')
    expect(out(build(stranger, device, 6, tcp(1, 2, SYN)))).toBe('notFromDialAddress')
  })

  it('C64 takes no fragment from a device, first, later or last, so none can overlap', () => {
    out(toDevice(udp(4000, 53), 17))
    expect(back(fromDevice(udp(53, 4000), 17))).toBe('none')
    const fragment = (offset: number, hasMore: boolean): string =>
      back(family.fragment(device, dial, offset, hasMore, udp(53, 4000)))
    expect([fragment(0, true), fragment(8, true), fragment(40, false), fragment(65_528, false)]).toEqual(
      Array(4).fill('innerFragment'),
    )
  })

  it('lets the fragments of what goes to a device follow their first one, which opens the flow', () => {
    expect(back(fromDevice(udp(53, 4000), 17))).toBe('noFlow')
    expect(out(family.fragment(dial, device, 0, true, udp(4000, 53)))).toBe('none')
    expect(out(family.fragment(dial, device, 16, false, new Uint8Array(9)))).toBe('none')
    expect(back(fromDevice(udp(53, 4000), 17))).toBe('none')
  })

  it('drops other protocols both ways', () => {
    for (const protocol of [2, 41, 47, 50, 51, 59, 132, 135]) {
      expect([
        protocol,
        out(toDevice(new Uint8Array(30), protocol)),
        back(fromDevice(new Uint8Array(30), protocol)),
      ]).toEqual([protocol, 'noFlow', 'noFlow'])
    }
  })

  it('keeps the flows of two dial addresses apart', () => {
    out(toDevice(tcp(4000, 80, SYN)))
    expect(back(build(device, otherDial, 6, tcp(80, 4000, SYN | ACK)))).toBe('noFlow')
  })
})

describe('device isolation', () => {
  it('takes no error about another device from one whose selectors claim its address too', () => {
    const sad = new Sad(SAD_OPTIONS)
    const tsRemote = [range4('10.128.0.0', '10.128.255.255'), range6('fd80::', 'fd80::ffff')]
    const greedy = installIn(sad, describeSa(composeSpi(1, 3, 0), { tsRemote }), {
      subject: 1,
      addresses: [IP4.device, IP6.device],
    })
    for (const { build, dial, device, otherDevice, errors, icmp: protocol } of [IP4, IP6]) {
      const isolation = createIsolation()
      const verdicts = [device, otherDevice].map((target) => {
        const sent = build(dial, target, 17, udp(4000, 53))
        isolation.admitOutbound(sent, parsed(sent))
        const error = build(device, dial, protocol, icmpError(errors[0]!, sent))
        return DROP_CODE_NAMES[isolation.admitInbound(error, parsed(error), greedy)]
      })
      expect(verdicts).toEqual(['none', 'noFlow'])
    }
  })

  const SENT4 = ip4({ source: IP4.dial, destination: IP4.device }, udp(4000, 53))
  const SENT6 = ip6({ source: IP6.dial, destination: IP6.device, nextHeader: 17 }, udp(4000, 53))
  const verdict = (sent: Uint8Array, error: Uint8Array): string => {
    const isolation = createIsolation()
    isolation.admitOutbound(sent, parsed(sent))
    return DROP_CODE_NAMES[isolation.admitInbound(error, parsed(error), SA)]!
  }

  it('refuses quotations over IPv4 with a lying header length, and those of a later fragment', () => {
    const about = (change: (quoted: Uint8Array) => void): string => {
      const quoted = SENT4.slice()
      change(quoted)
      return verdict(SENT4, IP4.build(IP4.device, IP4.dial, 1, icmp(3, 1, Uint8Array.from([0, 0, 0, 0, ...quoted]))))
    }
    expect(about(() => {})).toBe('none')
    expect(about((quoted) => (quoted[0] = 0x4f))).toBe('noFlow')
    expect(about((quoted) => (quoted[0] = 0x44))).toBe('noFlow')
    expect(about((quoted) => (quoted[7] = 1))).toBe('noFlow')
  })

  it('RFC 4443 3: follows the extension headers of a quotation, within its bounds', () => {
    const about = (nextHeader: number, ...payload: number[]): string => {
      const quoted = ip6({ source: IP6.dial, destination: IP6.device, nextHeader }, Uint8Array.from(payload))
      const rest = Uint8Array.from([0, 0, 5, 0, ...quoted])
      return verdict(SENT6, IP6.build(IP6.device, IP6.dial, 58, icmp(2, 0, rest)))
    }
    const ports = [...udp(4000, 53)].slice(0, 8)
    expect(about(17, ...ports)).toBe('none')
    expect(about(60, 17, 0, 1, 4, 0, 0, 0, 0, ...ports)).toBe('none')
    expect(about(44, 17, 0, 0, 1, 0, 0, 0, 9, ...ports)).toBe('none')
    expect(about(44, 17, 0, 0, 8, 0, 0, 0, 9, ...ports)).toBe('noFlow')
    expect(about(60, 17, 1, 1, 4, 0, 0, 0, 0, ...ports)).toBe('noFlow')
    expect(about(60, 17, 255, 1, 4, 0, 0, 0, 0, ...ports)).toBe('noFlow')
    expect(about(60, 17, 0, 1, 4, 0, 0, 0, 0, ...ports.slice(1))).toBe('noFlow')
    expect(about(43, 17, 0, 4, 1, 0, 0, 0, 0, ...ports)).toBe('noFlow')
  })

  it('sees through extension headers of a device to its upper layer', () => {
    const behind = (payload: Uint8Array): Uint8Array =>
      IP6.build(IP6.device, IP6.dial, 60, Uint8Array.from([44, 0, 1, 4, 0, 0, 0, 0, ...payload]))
    expect(verdict(SENT6, behind(fragment6(17, 0, udp(53, 4000))))).toBe('none')
    expect(verdict(SENT6, behind(fragment6(17, 1, udp(53, 4000))))).toBe('innerFragment')
    expect(verdict(SENT6, behind(fragment6(17, 0, udp(54, 4000))))).toBe('noFlow')
    const solicitation = icmp(135, 0, new Uint8Array(20))
    expect(verdict(SENT6, behind(fragment6(58, 0, solicitation)))).toBe('noFlow')
  })
})

describe('device isolation and hosts behind devices', () => {
  it('C63 believes an error about a synthetic address only from the device whose host it is', () => {
    const hosts = new HostMappings(1)
    hosts.set(SYNTHETIC_BLOCK + 1, SA.subject, 0xc0a80107)
    hosts.set(SYNTHETIC_BLOCK + 2, SA.subject + 1, 0xc0a80107)
    const isolation = new DeviceIsolation([octets4('10.127.0.1')], { maxFlows: 64, hashSeed: 1 }, hosts)
    const codes = ['198.18.0.1', '198.18.0.2', '198.18.0.3'].map((host) => {
      const sent = ip4({ source: '10.127.0.1', destination: host, protocol: 17 }, udp(4000, 53))
      expect(isolation.admitOutbound(sent, parsed(sent))).toBe(DropCode.none)
      const error = ip4({ source: '10.128.0.5', destination: '10.127.0.1', protocol: 1 }, icmpError(3, sent))
      return isolation.admitInbound(error, parsed(error), SA)
    })
    expect(codes).toEqual([DropCode.none, DropCode.noFlow, DropCode.noFlow])
  })
})
