import { beforeEach, describe, expect, it } from 'vitest'
import {
  createEnds,
  type Ends,
  ip4,
  ip6,
  number4,
  range4,
  SAD_OPTIONS,
  SUITES,
  tcp,
  udp,
  withRoom,
  describeSa,
  installIn,
} from '../test/packets.ts'
import { createDecapsulated, decapsulate } from './decapsulate.ts'
import { DROP_CODE_NAMES, DropCode } from './drop-code.ts'
import { createEncapsulated, encapsulate, espOverheadBytes } from './encapsulate.ts'
import { HostMappings, SYNTHETIC_BLOCK } from './host-mappings.ts'
import { Sad } from './sad.ts'
import { writeUint32 } from './octets.ts'
import { composeSpi } from './spi.ts'

const TO_DIAL = { source: '10.128.0.5', destination: '10.127.0.1' }

describe.each(SUITES)('ESP with $name', (suite) => {
  it.each([false, true])('carries inner packets of every length (ESN %s)', (esn) => {
    const ends = createEnds(suite, esn)
    for (let payloadBytes = 0; payloadBytes < 70; payloadBytes++) {
      const inner = ip4(TO_DIAL, udp(1000, 2000, new Uint8Array(payloadBytes).fill(payloadBytes)))
      const esp = sealFrom(ends, inner)
      expect(esp.length).toBe(inner.length + espOverheadBytes(inner.length, ends.deviceSa.sealer))
      const out = createDecapsulated()
      expect(decapsulate(ends.concentrator, esp, out)).toBe(DropCode.none)
      expect(Buffer.from(out.buffer.subarray(out.offset, out.offset + out.length))).toEqual(Buffer.from(inner))
      expect(out.sa).toBe(ends.concentratorSa)
      expect(out.hasAdvanced).toBe(true)
    }
  })

  it('drops a packet with any single octet changed', () => {
    const ends = createEnds(suite)
    const esp = sealFrom(ends, ip4(TO_DIAL, udp(1, 2)))
    for (let at = 0; at < esp.length; at++) {
      const code = open(ends, changed(esp, at))
      const expected = at < 4 ? [DropCode.unknownSpi] : [DropCode.badIcv, DropCode.replayed, DropCode.zeroSequence]
      expect(expected).toContain(code)
    }
    expect(open(ends, esp)).toBe(DropCode.none)
  })

  it('N17: drops a packet cut anywhere, by name', () => {
    const ends = createEnds(suite)
    const esp = sealFrom(ends, ip4(TO_DIAL, udp(1, 2)))
    for (let length = 0; length < esp.length; length++) {
      const allowed = length < 8 ? [DropCode.runt] : [DropCode.truncated, DropCode.misaligned, DropCode.badIcv]
      expect(allowed).toContain(open(ends, esp.slice(0, length)))
    }
  })

  it('N17: drops ciphertext that is not aligned, before it looks at the ICV', () => {
    const ends = createEnds(suite)
    const esp = sealFrom(ends, ip4(TO_DIAL, udp(1, 2, new Uint8Array(40))))
    const { alignBytes } = ends.concentratorSa.opener
    for (let cut = 1; cut < alignBytes; cut++) {
      expect(open(ends, esp.subarray(0, esp.length - cut))).toBe(DropCode.misaligned)
    }
    expect(open(ends, esp.subarray(0, esp.length - alignBytes))).toBe(DropCode.badIcv)
  })

  it('C62: checks for replay before the ICV, and counts a number as seen only after it', () => {
    const ends = createEnds(suite)
    const esp = sealFrom(ends, ip4(TO_DIAL, udp(1, 2)))
    expect(open(ends, changed(esp, esp.length - 1))).toBe(DropCode.badIcv)
    expect(open(ends, esp)).toBe(DropCode.none)
    expect(open(ends, esp)).toBe(DropCode.replayed)
    expect(open(ends, changed(esp, esp.length - 1))).toBe(DropCode.replayed)
  })
})

describe('inbound ESP', () => {
  let ends: Ends
  beforeEach(() => {
    ends = createEnds()
  })

  it('C67: drops unknown SPIs, also of the right index with another generation, and SPI 0', () => {
    const esp = sealFrom(ends, ip4(TO_DIAL, udp(1, 2)))
    for (const spi of [0, composeSpi(1, 3, 1), composeSpi(2, 3, 0), composeSpi(1, 2, 0), 0xffffffff]) {
      const packet = esp.slice()
      writeUint32(packet, 0, spi)
      expect(open(ends, packet)).toBe(DropCode.unknownSpi)
    }
  })

  it('N17: never accepts sequence number 0', () => {
    const esp = sealFrom(ends, ip4(TO_DIAL, udp(1, 2)))
    esp.fill(0, 4, 8)
    expect(open(ends, esp)).toBe(DropCode.zeroSequence)
  })

  it('N17: accepts 2^32 - 1 once', () => {
    ends.deviceSa.sequence.skipTo(0, 0xfffffffe)
    const esp = sealFrom(ends, ip4(TO_DIAL, udp(1, 2)))
    expect([open(ends, esp), open(ends, esp)]).toEqual([DropCode.none, DropCode.replayed])
  })

  it('N17: drops a packet sealed with the wrong high half', () => {
    const extended = createEnds(SUITES[0], true)
    extended.deviceSa.sequence.skipTo(1, 0)
    expect(open(extended, sealFrom(extended, ip4(TO_DIAL, udp(1, 2))))).toBe(DropCode.badIcv)
  })

  it('follows the high half over the end of a subspace', () => {
    const extended = createEnds(SUITES[4], true)
    extended.deviceSa.sequence.skipTo(0, 0xfffffffd)
    extended.concentratorSa.replayWindow.resume(0, 0xfffffffd)
    for (let i = 0; i < 5; i++) {
      expect(open(extended, sealFrom(extended, ip4(TO_DIAL, udp(1, 2))))).toBe(DropCode.none)
    }
    expect(extended.concentratorSa.replayWindow.topHigh).toBe(1)
  })

  it('drops dummy packets, but they count as seen and as a sign of life', () => {
    const esp = sealPlaintext(ends, Uint8Array.of(0, 0, 0, 59))
    const out = createDecapsulated()
    expect(decapsulate(ends.concentrator, esp, out)).toBe(DropCode.dummy)
    expect([out.sa, out.hasAdvanced]).toEqual([ends.concentratorSa, true])
    expect(open(ends, esp)).toBe(DropCode.replayed)
  })

  it('accepts padding of any length and content', () => {
    const inner = ip4(TO_DIAL, udp(1, 2))
    for (let padBytes = (2 + 4 - (inner.length % 4)) % 4; padBytes <= 255; padBytes += 4) {
      const text = Uint8Array.from([...inner, ...new Uint8Array(padBytes).fill(0xee), padBytes, 4])
      expect(open(ends, sealPlaintext(ends, text))).toBe(DropCode.none)
    }
  })

  it('N17: drops a pad length beyond the payload', () => {
    expect(open(ends, sealPlaintext(ends, Uint8Array.of(0, 0, 3, 4)))).toBe(DropCode.badPadding)
    expect(open(ends, sealPlaintext(ends, Uint8Array.of(0, 0, 255, 4)))).toBe(DropCode.badPadding)
  })

  it('cuts off traffic flow confidentiality padding behind the inner packet (RFC 4303 2.7)', () => {
    const inner = ip4(TO_DIAL, udp(1, 2))
    const out = createDecapsulated()
    const text = Uint8Array.from([...inner, ...new Uint8Array(22), 0, 4])
    expect(decapsulate(ends.concentrator, sealPlaintext(ends, text), out)).toBe(DropCode.none)
    expect(out.length).toBe(inner.length)
  })

  it.each([
    [
      'an inner total length beyond the payload',
      changedWord(ip4(TO_DIAL, udp(1, 2)), 2, 60),
      4,
      DropCode.innerMalformed,
    ],
    ['no inner packet at all', new Uint8Array(2), 4, DropCode.innerMalformed],
    ['next header TCP, as in transport mode', ip4(TO_DIAL, udp(1, 2)), 6, DropCode.badNextHeader],
    ['IPv4 announced as IPv6', ip4(TO_DIAL, udp(1, 2)), 41, DropCode.innerMalformed],
    [
      'a loose source route',
      ip4({ ...TO_DIAL, options: [131, 7, 4, 1, 2, 3, 4, 0] }, udp(1, 2)),
      4,
      DropCode.innerMalformed,
    ],
    ['an endless option', ip4({ ...TO_DIAL, options: [7, 0, 0, 0] }, udp(1, 2)), 4, DropCode.innerMalformed],
    [
      'a TCP header that is cut',
      ip4({ ...TO_DIAL, protocol: 6 }, tcp(1, 2, 0).subarray(0, 16)),
      4,
      DropCode.innerMalformed,
    ],
  ])('N17: drops %s', (_what, inner, nextHeader, code) => {
    expect(DROP_CODE_NAMES[open(ends, sealPlaintext(ends, padded(inner, nextHeader)))]).toBe(DROP_CODE_NAMES[code])
  })

  it.each([
    ['a source that was not leased', '10.128.0.6', '10.127.0.1'],
    ['the dial address as source', '10.127.0.1', '10.127.0.1'],
    ['a destination outside tsLocal', '10.128.0.5', '10.128.0.7'],
    ['a broadcast destination', '10.128.0.5', '255.255.255.255'],
  ])('C63: drops %s', (_what, source, destination) => {
    const text = padded(ip4({ source, destination }, udp(1, 2)), 4)
    expect(open(ends, sealPlaintext(ends, text))).toBe(DropCode.selectorMismatch)
    expect(ends.concentratorSa.packetsIn).toBe(0)
  })

  it('C63: drops a source of a LAN that the selectors hold but nobody leased', () => {
    const spiIn = composeSpi(1, 9, 0)
    const lan = range4('192.168.1.0', '192.168.1.255')
    const tsRemote = [range4('10.128.0.5', '10.128.0.5'), lan]
    const placement = { subject: 3, addresses: ['10.128.0.5'] }
    const sa = installIn(ends.concentrator, describeSa(spiIn, { tsRemote }), placement)
    const send = (source: string): DropCode =>
      open(ends, sealPlaintext(ends, padded(ip4({ source, destination: '10.127.0.1' }, udp(1, 2)), 4), spiIn))
    expect(send('192.168.1.7')).toBe(DropCode.sourceNotLeased)
    expect(send('192.168.2.7')).toBe(DropCode.selectorMismatch)
    expect([send('10.128.0.5'), sa.packetsIn]).toEqual([DropCode.none, 1])
  })

  it('C63: lets a host on a registered LAN through under its synthetic address, and no other host of that LAN', () => {
    const spiIn = composeSpi(1, 9, 0)
    const hosts = new HostMappings(1)
    hosts.set(SYNTHETIC_BLOCK + 1, 3, number4('192.168.1.7'))
    const tsRemote = [range4('10.128.0.5', '10.128.0.5'), range4('192.168.1.0', '192.168.1.255')]
    const concentrator = new Sad({ ...SAD_OPTIONS, hosts })
    const out = createDecapsulated()
    installIn(concentrator, describeSa(spiIn, { tsRemote }), { subject: 3, addresses: ['10.128.0.5'] })
    const send = (source: string): DropCode => {
      const packet = padded(ip4({ source, destination: '10.127.0.1' }, udp(1, 2)), 4)
      return decapsulate(concentrator, sealPlaintext(ends, packet, spiIn), out)
    }
    expect([send('192.168.1.7'), out.inner.source4]).toEqual([DropCode.none, SYNTHETIC_BLOCK + 1])
    expect([send('192.168.1.8'), send('198.18.0.1')]).toEqual([DropCode.noHostMapping, DropCode.selectorMismatch])
    expect([send('10.128.0.5'), out.inner.source4]).toEqual([DropCode.none, number4('10.128.0.5')])
    hosts.set(SYNTHETIC_BLOCK + 1, 4, number4('192.168.1.7')) // of another device
    expect(send('192.168.1.7')).toBe(DropCode.noHostMapping)
  })

  it('C63: drops an IPv6 source that differs from the leased one in any word', () => {
    const spiIn = composeSpi(1, 9, 0)
    const leased = [0xfd00, 0, 0, 1, 0, 2, 0, 5]
    const all = { type: 8 as const, protocol: 0, startPort: 0, endPort: 0xffff }
    const any = { ...all, startAddress: new Uint8Array(16), endAddress: new Uint8Array(16).fill(255) }
    const placement = { subject: 3, addresses: ['10.128.0.5', 'fd00::1:0:2:0:5'] }
    installIn(ends.concentrator, describeSa(spiIn, { tsLocal: [any], tsRemote: [any] }), placement)
    const send = (source: number[]): DropCode => {
      const packet = ip6({ source, destination: [0xfd01, 0, 0, 0, 0, 0, 0, 1], nextHeader: 17 }, udp(1, 2))
      return open(ends, sealPlaintext(ends, padded(packet, 41), spiIn))
    }
    expect(send(leased)).toBe(DropCode.none)
    for (let i = 0; i < 8; i++) {
      expect(send(leased.map((group, at) => (at === i ? group ^ 1 : group)))).toBe(DropCode.sourceNotLeased)
    }
  })

  it('C63: drops protocols and ports outside the selectors', () => {
    const spiIn = composeSpi(1, 9, 0)
    const sa = installIn(
      ends.concentrator,
      describeSa(spiIn, {
        tsLocal: [range4('10.127.0.1', '10.127.0.1', { protocol: 17, startPort: 53, endPort: 53 })],
      }),
    )
    const seal = (inner: Uint8Array): Uint8Array => sealPlaintext(ends, padded(inner, 4), spiIn)
    expect(open(ends, seal(ip4(TO_DIAL, udp(999, 53))))).toBe(DropCode.none)
    expect(open(ends, seal(ip4(TO_DIAL, udp(999, 54))))).toBe(DropCode.selectorMismatch)
    expect(open(ends, seal(ip4({ ...TO_DIAL, protocol: 6 }, tcp(999, 53, 2))))).toBe(DropCode.selectorMismatch)
    expect(open(ends, seal(ip4({ ...TO_DIAL, fragment: 7 }, udp(999, 53))))).toBe(DropCode.selectorMismatch)
    expect(sa.packetsIn).toBe(1)
  })

  it('N17: walks a bounded chain of IPv6 extension headers and refuses routing', () => {
    const address = { source: [0xfd00, 0, 0, 0, 0, 0, 0, 5], destination: [0xfd01, 0, 0, 0, 0, 0, 0, 1] }
    const hop = (next: number): number[] => [next, 0, 0, 0, 0, 0, 0, 0]
    const chain = (count: number): Uint8Array =>
      Uint8Array.from([...Array.from({ length: count }, (_, i) => hop(i === count - 1 ? 17 : 60)).flat(), ...udp(1, 2)])
    const send = (nextHeader: number, payload: Uint8Array): DropCode =>
      open(ends, sealPlaintext(ends, padded(ip6({ ...address, nextHeader }, payload), 41)))
    expect(send(60, chain(8))).toBe(DropCode.selectorMismatch) // parsed, but no IPv6 selector
    expect(send(60, chain(9))).toBe(DropCode.innerMalformed)
    expect(send(43, Uint8Array.from([17, 0, 0, 1, 0, 0, 0, 0, ...udp(1, 2)]))).toBe(DropCode.innerMalformed)
    expect(send(0, Uint8Array.from([17, 200, 0, 0, 0, 0, 0, 0]))).toBe(DropCode.innerMalformed)
    expect(send(0, Uint8Array.from([47, 200, 0, 0, 0, 0, 0, 0]))).toBe(DropCode.innerMalformed)
    expect(send(0, Uint8Array.from([47, 0, 0, 0, 0, 0, 0, 0]))).toBe(DropCode.selectorMismatch)
  })

  it('counts packets and octets of the SA', () => {
    const inner = ip4(TO_DIAL, udp(1, 2))
    for (let i = 0; i < 3; i++) open(ends, sealFrom(ends, inner))
    expect([ends.concentratorSa.packetsIn, ends.concentratorSa.bytesIn]).toEqual([3, 3 * inner.length])
    expect([ends.deviceSa.packetsOut, ends.deviceSa.bytesOut]).toEqual([3, 3 * inner.length])
  })
})

function open(ends: Ends, esp: Uint8Array): DropCode {
  return decapsulate(ends.concentrator, esp, createDecapsulated())
}

/** Sends through the device's SA. */
function sealFrom(ends: Ends, inner: Uint8Array): Uint8Array {
  const out = createEncapsulated()
  out.buffer = new Uint8Array(inner.length + 200)
  out.offset = 5
  const code = encapsulate(ends.device, { bytes: withRoom(inner), offset: 0, length: inner.length }, out)
  if (code !== DropCode.none) throw new Error(`not sealed: ${DROP_CODE_NAMES[code]}`)
  return out.buffer.slice(5, 5 + out.length)
}

/** Seals any plaintext, as a hostile device with valid keys could. */
function sealPlaintext(ends: Ends, plaintext: Uint8Array, spi: number = ends.concentratorSa.spiIn): Uint8Array {
  const { deviceSa: sa } = ends
  sa.sequence.take()
  const esp = new Uint8Array(8 + sa.sealer.ivBytes + plaintext.length + sa.sealer.icvBytes)
  writeUint32(esp, 0, spi)
  writeUint32(esp, 4, sa.sequenceLow)
  sa.sealer.seal(plaintext, esp, 0, 0)
  return esp
}

function padded(inner: Uint8Array, nextHeader: number): Uint8Array {
  const padBytes = (4 - ((inner.length + 2) % 4)) % 4
  return Uint8Array.from([...inner, ...new Uint8Array(padBytes), padBytes, nextHeader])
}

function changed(esp: Uint8Array, at: number): Uint8Array {
  const copy = esp.slice()
  copy[at]! ^= 0x40
  return copy
}

function changedWord(packet: Uint8Array, at: number, value: number): Uint8Array {
  new DataView(packet.buffer).setUint16(at, value)
  return packet
}
