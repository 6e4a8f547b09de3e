/** AH (RFC 4302) from `sealAhInto` to `openAh`, and what a hostile peer would send instead. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChildKeys, ChildSaDescription } from '@culvert/ikev2'
import {
  createEnds,
  describeSa,
  type Ends,
  type EndsOptions,
  internetChecksum,
  ip4,
  ip6,
  keysOf,
  placementOf,
  range4,
  range6,
  SAD_OPTIONS,
  type Suite,
  transformContext,
  udp,
  withRoom,
} from '../../test/packets.ts'
import { createDecapsulated, decapsulate } from '../decapsulate.ts'
import { DROP_CODE_NAMES, DropCode } from '../drop-code.ts'
import { createEncapsulated, encapsulate, findOutbound } from '../encapsulate.ts'
import { Sad } from '../sad.ts'
import { composeSpi } from '../spi.ts'
import { createAhPair, createTransformPair } from '../transform-pair.ts'
import { ahBytes, createAhPlace, findAh } from './ah-header.ts'
import { openAh } from './open-ah.ts'
import { type AhOuterHeader, ahPacketBytes, sealAhInto } from './seal-ah.ts'

const CONCENTRATOR = '192.0.2.1'
const DEVICE = '192.0.2.2'
const CONCENTRATOR6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]
const DEVICE6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2]

function suite(id: number, integKeyBytes: number): Suite {
  const encr: ChildKeys['encr'] = { type: 1, id: 11, keyBits: null }
  return { name: `integrity ${id}`, encr, integ: { type: 3, id, keyBits: null }, keyBytes: 0, integKeyBytes }
}
const SHA2_256 = suite(12, 32)
const SUITES = [SHA2_256, suite(13, 48), suite(14, 64), suite(2, 20)]

const TRANSPORT: Partial<ChildSaDescription> = {
  protocol: 'ah',
  mode: 'transport',
  tsLocal: [range4(CONCENTRATOR, CONCENTRATOR)],
  tsRemote: [range4(DEVICE, DEVICE)],
}
const PATH6 = { local: { address: '2001:db8::1', port: 0 }, remote: { address: '2001:db8::2', port: 0 } }
const TRANSPORT6: Partial<ChildSaDescription> = {
  path: PATH6,
  protocol: 'ah',
  mode: 'transport',
  tsLocal: [range6('2001:db8::1', '2001:db8::1')],
  tsRemote: [range6('2001:db8::2', '2001:db8::2')],
}

const endsOf = (description: Partial<ChildSaDescription> = {}, esn = false, sad: EndsOptions['sad'] = {}): Ends =>
  createEnds(SHA2_256, esn, { description: { protocol: 'ah', ...description }, sad })

function seal(ends: Ends, packet: Uint8Array, header?: AhOuterHeader): Uint8Array {
  const out = createEncapsulated()
  out.buffer = new Uint8Array(2000)
  const slice = { bytes: packet, offset: 0, length: packet.length }
  const code = findOutbound(ends.concentrator, slice, out)
  const sealed = code === DropCode.none ? sealAhInto(slice, out, header) : code
  if (sealed !== DropCode.none) throw new Error(DROP_CODE_NAMES[sealed])
  expect(ahPacketBytes(out.sa!, out.inner)).toBe(out.length)
  return out.buffer.slice(0, out.length)
}

function open(ends: Ends, packet: Uint8Array): Uint8Array | string {
  const out = createDecapsulated()
  const code = openAh(ends.device, packet, out)
  return code === DropCode.none ? out.buffer.slice(out.offset, out.offset + out.length) : DROP_CODE_NAMES[code]!
}

const INNER = ip4({ source: '10.127.0.1', destination: '10.128.0.5' }, udp(1, 2, new Uint8Array(21)))
const OWN = ip4({ source: CONCENTRATOR, destination: DEVICE }, udp(1, 2, new Uint8Array(21)))

describe('RFC 4302 AH', () => {
  it.each(SUITES)('carries packets in tunnel mode: $name', (one) => {
    for (const esn of [false, true]) {
      const ends = createEnds(one, esn, { description: { protocol: 'ah' } })
      const packet = seal(ends, INNER)
      expect(packet).toHaveLength(20 + ahBytes(ends.concentratorSa.ah!.sealer.icvBytes, 4) + INNER.length)
      expect(internetChecksum(packet.subarray(0, 20))).toBe(0)
      expect(open(ends, packet)).toEqual(INNER)
      expect(open(ends, packet)).toBe('replayed')
    }
  })

  it('takes the traffic class of the inner packet, and an identification that no kernel replaces', () => {
    const inner = INNER.slice()
    inner[1] = 0xb9
    const packet = seal(endsOf(), inner)
    expect(packet[1]).toBe(0xb9)
    expect([packet[4], packet[5]]).not.toEqual([0, 0])
  })

  it.each([
    ['IPv4', {}],
    ['IPv6', { path: PATH6 }],
  ] as const)(
    'RFC 4301 5.1.2 shows as much of the traffic class as it is told, and says DF when it is told, over %s',
    (_name, part) => {
      const inner = INNER.slice()
      inner[1] = 0xb9
      const ends = endsOf(part)
      const packet = seal(ends, inner, { tosMask: 3, dontFragment: true })
      const isIp4 = packet[0]! >>> 4 === 4
      expect(isIp4 ? packet[1] : (packet[0]! << 4) | (packet[1]! >>> 4)).toBe(isIp4 ? 1 : 0x600 | 1)
      if (isIp4) expect([packet[6], internetChecksum(packet.subarray(0, 20))]).toEqual([0x40, 0])
      expect(open(ends, packet)).toEqual(inner)
    },
  )

  it('lets nothing into a path of transport mode that has not its addresses', () => {
    for (const path of [
      { local: { address: '192.0.2.9', port: 0 }, remote: { address: DEVICE, port: 0 } },
      { local: { address: CONCENTRATOR, port: 0 }, remote: { address: '192.0.2.9', port: 0 } },
      PATH6,
    ]) {
      expect(() => seal(endsOf({ ...TRANSPORT, path }), OWN)).toThrow('notForTransportMode')
    }
  })

  it('carries packets in transport mode with their own header, and gives it back', () => {
    const ends = endsOf(TRANSPORT)
    const own = ip4(
      { source: CONCENTRATOR, destination: DEVICE, options: [148, 4, 0, 0] },
      udp(1, 2, new Uint8Array(21)),
    )
    const packet = seal(ends, own)
    const opened = open(ends, packet) as Uint8Array
    expect(internetChecksum(opened.subarray(0, 24))).toBe(0)
    expect(opened.subarray(12)).toEqual(own.subarray(12))
    expect([opened[9], opened.length]).toEqual([17, own.length])
  })

  it('stands behind hop-by-hop and routing headers of IPv6, before the rest (3.1.1)', () => {
    const hopByHop = [43, 0, 0x3e, 4, 1, 2, 3, 4] // data that may change
    const routing = [60, 0, 4, 0, 0, 0, 0, 0]
    const destination = [17, 0, 1, 4, 9, 9, 9, 9]
    const payload = Uint8Array.from([...hopByHop, ...routing, ...destination, ...udp(1, 2)])
    const own = ip6({ source: CONCENTRATOR6, destination: DEVICE6, nextHeader: 0 }, payload)
    const ends = endsOf(TRANSPORT6)
    const packet = seal(ends, own)
    const place = createAhPlace()
    expect([findAh(packet, place), place.offset, place.length % 8, place.nextHeader]).toEqual([true, 56, 0, 60])
    const changed = packet.slice()
    changed.set([7, 7, 7, 7], 44)
    changed[7] = 3
    changed.set([0x6f, 0xff, 0xff, 0xff], 0)
    const opened = open(ends, changed) as Uint8Array
    expect(opened.subarray(48)).toEqual(own.subarray(48))
    expect(opened.subarray(4, 7)).toEqual(own.subarray(4, 7))
  })

  it('sends no fragment in transport mode (3.3.4)', () => {
    const fragment = ip4({ source: CONCENTRATOR, destination: DEVICE, fragment: 0x2000 }, udp(1, 2))
    expect(() => seal(endsOf(TRANSPORT), fragment)).toThrow('notForTransportMode')
  })

  it('C66 stops at the hard limit in both directions', () => {
    const ends = endsOf({}, false, { lifetime: { hardPackets: 1 } })
    const packet = seal(ends, INNER)
    ends.concentratorSa.checkLifetime()
    expect(() => seal(ends, INNER)).toThrow('lifetimeOver')
    ends.deviceSa.packetsIn = 1
    ends.deviceSa.checkLifetime()
    expect(open(ends, packet)).toBe('lifetimeOver')
  })

  it('C63 holds inner packets against the selectors in both modes', () => {
    const elsewhere = ip4({ source: '10.126.0.1', destination: '10.128.0.5' }, udp(1, 2))
    const wide = endsOf({ tsLocal: [range4('10.0.0.0', '10.127.255.255')] })
    const packet = seal(wide, elsewhere)
    expect(open(endsOf(), packet)).toBe('selectorMismatch')
  })

  it('an SA of AH takes no ESP and one of ESP no AH', () => {
    const [ah, esp] = [endsOf(), createEnds()]
    const out = createEncapsulated()
    out.buffer = new Uint8Array(300)
    const packet = { bytes: withRoom(INNER), offset: 0, length: INNER.length }
    expect(encapsulate(ah.concentrator, packet, out)).toBe(DropCode.noOutboundSa)
    expect(encapsulate(esp.concentrator, packet, out)).toBe(DropCode.none)
    expect(decapsulate(ah.device, out.buffer.slice(0, out.length), createDecapsulated())).toBe(DropCode.unknownSpi)
    expect(open(esp, seal(ah, INNER))).toBe('unknownSpi')
  })

  it('an SA of AH is refused where only transforms of ESP are, and the other way round', () => {
    const keys = (): ChildKeys => keysOf(SHA2_256, 1, 2, false)
    const sad = new Sad(SAD_OPTIONS)
    for (const [protocol, create] of [
      ['ah', createTransformPair],
      ['esp', createAhPair],
    ] as const) {
      const description = describeSa(composeSpi(1, 3, 0), { protocol, keys: keys() })
      const pair = create(keys(), transformContext())
      if (!pair.ok) throw new Error(pair.error)
      expect(sad.install(description, pair.value, placementOf(description))).toBe('wrongProtocol')
    }
  })

  it('opens and signs nothing once the SA is gone', () => {
    const ends = endsOf()
    const packet = seal(ends, INNER)
    ends.deviceSa.destroy()
    expect(open(ends, packet)).toBe('badIcv')
  })
})

describe('RFC 4302 3.3.3.1 fields that may change on the way', () => {
  const option = (type: number, ...data: readonly number[]): number[] => [type, data.length + 2, ...data]

  it('are not covered, all others are: IPv4', () => {
    const options = [...option(7, 4, 1, 2, 3, 4), ...option(148, 0, 0), 0]
    const own = ip4({ source: CONCENTRATOR, destination: DEVICE, options }, udp(1, 2, new Uint8Array(21)))
    const ends = endsOf(TRANSPORT)
    const packet = seal(ends, own)
    // Of the option that routers write to everything but its length, which says where the next one starts.
    const mutable = new Set([1, 8, 10, 11, 20, 22, 23, 24, 25, 26])
    for (const at of [1, 4, 8, ...Array.from({ length: packet.length - 10 }, (_, i) => 10 + i)]) {
      const changed = packet.slice()
      changed[at]! ^= 0x40
      expect([at, open(endsOf(TRANSPORT), changed) instanceof Uint8Array]).toEqual([at, mutable.has(at)])
    }
  })

  it('N18 drops options that make no sense before it looks at the ICV', () => {
    const own = ip4({ source: CONCENTRATOR, destination: DEVICE, options: [148, 4, 0, 0] }, udp(1, 2))
    for (const length of [0, 1, 5, 255]) {
      const packet = seal(endsOf(TRANSPORT), own)
      packet[21] = length
      expect(open(endsOf(TRANSPORT), packet)).toBe('badIcv')
    }
  })
})

describe('N18 AH that lies', () => {
  const packet = seal(endsOf(), INNER)
  const ahAt = 20

  it.each([0, 1, 3, 4, 8, 12, 255])('N18 drops a payload length of %d', (payloadLength) => {
    const lying = packet.slice()
    lying[ahAt + 1] = payloadLength
    expect(open(endsOf(), lying)).toBe('badAuthHeader')
  })

  it('N18 takes padding that aligns to 8 octets, and covers it (3.3.3.2.1)', () => {
    const lying = packet.slice()
    lying[ahAt + 1] = 6 // 4 octets of the inner packet pass for padding
    expect(open(endsOf(), lying)).toBe('badIcv')
  })

  it('N18 drops a header cut anywhere', () => {
    for (let length = 0; length < packet.length; length++) {
      const cut = packet.slice(0, length)
      expect(open(endsOf(), cut)).toBe('badAuthHeader')
      if (length < 20) continue
      cut[2] = length >>> 8
      cut[3] = length
      expect(['badAuthHeader', 'badIcv']).toContain(open(endsOf(), cut))
    }
  })

  it('N18 drops fragments (RFC 4302 3.4.1)', () => {
    for (const word of [0x2000, 0x0001]) {
      const fragment = packet.slice()
      fragment[6] = word >>> 8
      fragment[7] = word
      expect(open(endsOf(), fragment)).toBe('badAuthHeader')
    }
  })

  it('N18 drops a routing header with segments left, and a chain of headers without end', () => {
    const ends = endsOf(TRANSPORT6)
    const routing = [17, 0, 4, 0, 0, 0, 0, 0]
    const own = ip6(
      { source: CONCENTRATOR6, destination: DEVICE6, nextHeader: 43 },
      Uint8Array.from([...routing, ...udp(1, 2)]),
    )
    const sealed = seal(ends, own)
    sealed[43] = 1
    expect(open(ends, sealed)).toBe('badAuthHeader')
    const chain = ip6({ source: CONCENTRATOR6, destination: DEVICE6, nextHeader: 60 }, new Uint8Array(400))
    for (let at = 40; at < 440; at += 8) chain[at] = 60
    expect(open(ends, chain)).toBe('badAuthHeader')
  })

  it('N18 a peer with the keys gets nothing past the selectors, and no packet within the packet', () => {
    const ends = endsOf(TRANSPORT)
    for (const protocol of [4, 41, 59]) {
      const nested = ip4({ source: CONCENTRATOR, destination: DEVICE, protocol }, OWN)
      expect(open(ends, seal(ends, nested))).toBe(protocol === 59 ? 'dummy' : 'badNextHeader')
    }
  })

  it('N18 nor one that stands behind destination options of IPv6', () => {
    const ends = endsOf(TRANSPORT6)
    const inner = ip6({ source: CONCENTRATOR6, destination: DEVICE6, nextHeader: 17 }, udp(1, 2))
    for (const next of [4, 41]) {
      const payload = Uint8Array.from([next, 0, 1, 4, 0, 0, 0, 0, ...inner])
      const nested = ip6({ source: CONCENTRATOR6, destination: DEVICE6, nextHeader: 60 }, payload)
      expect(open(ends, seal(ends, nested))).toBe('badNextHeader')
    }
  })

  it('N18 sequence number 0 never passes, and one with the wrong high half neither', () => {
    const zero = packet.slice()
    zero.fill(0, ahAt + 8, ahAt + 12)
    expect(open(endsOf(), zero)).toBe('zeroSequence')
    const extended = endsOf({}, true)
    const sealed = seal(extended, INNER)
    extended.deviceSa.replayWindow.resume(1, 0x80000000)
    expect(open(extended, sealed)).toBe('badIcv')
  })

  it('N18 never throws on octets of any kind', () => {
    const ends = endsOf()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer({ min: 0, max: packet.length - 1 }), (noise, at) => {
        const forged = packet.slice()
        forged.set(noise.subarray(0, forged.length - at), at)
        expect(typeof open(ends, noise)).toBe('string')
        expect(open(endsOf(), forged)).toBeDefined()
      }),
      { numRuns: 300 },
    )
  })
})
