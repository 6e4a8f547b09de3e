/** Selectors of both IP versions against a model that compares whole numbers one by one (RFC 4301 4.4.1, CONFORMANCE C63, C64). */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrafficSelector } from '@culvert/ikev2'
import { createEnds, ip4, ip6, parsed, range4, udp, withRoom } from '../test/packets.ts'
import { createDecapsulated, decapsulate } from './decapsulate.ts'
import { DROP_CODE_NAMES, DropCode } from './drop-code.ts'
import { createEncapsulated, encapsulate } from './encapsulate.ts'
import { SelectorSet } from './selector-set.ts'

interface Side {
  readonly address: Uint8Array
  readonly protocol: number
  /** Null where it cannot be seen. */
  readonly port: number | null
}

/** As RFC 7296 3.13.1 says it, without any preparation. */
function isSelected(selectors: readonly TrafficSelector[], { address, protocol, port }: Side): boolean {
  const number = (octets: Uint8Array): bigint => BigInt(`0x${Buffer.from(octets).toString('hex')}`)
  return selectors.some((selector) => {
    if ((selector.type === 7 ? 4 : 16) !== address.length) return false
    if (number(selector.startAddress) > number(address) || number(address) > number(selector.endAddress)) return false
    if (selector.protocol !== 0 && selector.protocol !== protocol) return false
    const [start, end] = [selector.startPort, selector.endPort]
    if (start === 0 && end === 65_535) return true
    if (start === 65_535 && end === 0) return port === null
    return port !== null && start <= port && port <= end
  })
}

/** Few values, so that they meet. */
const octet = fc.constantFrom(0, 1, 127, 128, 255)
const port = fc.constantFrom(0, 1, 53, 1000, 65_534, 65_535)
const protocol = fc.constantFrom(0, 6, 17, 47)
const addressOf = (bytes: number): fc.Arbitrary<Uint8Array> =>
  fc.tuple(octet, octet).map(([first, last]) => {
    const address = new Uint8Array(bytes)
    address[0] = first
    address[bytes - 1] = last
    return address
  })
const selectorOf = (bytes: 4 | 16): fc.Arbitrary<TrafficSelector> =>
  fc.record({
    type: fc.constant(bytes === 4 ? 7 : 8),
    protocol,
    startPort: port,
    endPort: port,
    startAddress: addressOf(bytes),
    endAddress: addressOf(bytes),
  })
const selectors = fc.array(fc.oneof(selectorOf(4), selectorOf(16)), { maxLength: 6 })

const text = (address: Uint8Array): string => address.join('.')
const groups = (address: Uint8Array): number[] =>
  Array.from({ length: 8 }, (_, i) => (address[2 * i]! << 8) | address[2 * i + 1]!)

describe('selectors and their model', () => {
  it.each([4, 16] as const)('agree about addresses of %d octets on both sides', (bytes) => {
    const ports = fc.tuple(port, port)
    fc.assert(
      fc.property(selectors, addressOf(bytes), addressOf(bytes), ports, fc.constantFrom(17, 47), (...given) => {
        const [set, source, destination, [sourcePort, destinationPort], upper] = given
        const payload = udp(sourcePort, destinationPort)
        const packet =
          bytes === 4
            ? ip4({ source: text(source), destination: text(destination), protocol: upper }, payload)
            : ip6({ source: groups(source), destination: groups(destination), nextHeader: upper }, payload)
        const inner = parsed(packet)
        const compiled = new SelectorSet(set)
        const seen = (own: number): number | null => (upper === 17 ? own : null)
        const from = { address: source, protocol: upper, port: seen(sourcePort) }
        const to = { address: destination, protocol: upper, port: seen(destinationPort) }
        expect(compiled.matchesSource(inner)).toBe(isSelected(set, from))
        expect(compiled.matchesDestination(inner)).toBe(isSelected(set, to))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('C64 inner fragments and ports (RFC 4301 7, RFC 4303 3.4.2)', () => {
  const DEVICE = '10.128.0.5'
  /** What arrives at the device, whose SA has these selectors, of one without any. */
  function receive(ports: Partial<TrafficSelector>, fragment: number): string {
    const open = createEnds()
    const packet = ip4({ source: '10.127.0.1', destination: DEVICE, fragment }, udp(1000, 53))
    const out = createEncapsulated()
    out.buffer = new Uint8Array(200)
    const slice = { bytes: withRoom(packet), offset: 0, length: packet.length }
    expect(encapsulate(open.concentrator, slice, out)).toBe(DropCode.none)
    const { device } = createEnds(undefined, false, { description: { tsRemote: [range4(DEVICE, DEVICE, ports)] } })
    return DROP_CODE_NAMES[decapsulate(device, out.buffer.slice(0, out.length), createDecapsulated())]!
  }

  const ONE_PORT = { protocol: 17, startPort: 53, endPort: 53 }
  const OPAQUE = { protocol: 17, startPort: 65_535, endPort: 0 }
  it.each([
    ['C64 the first fragment shows its port', ONE_PORT, 0x2000, 'none'],
    ['C64 a later fragment shows none, so an SA for one port does not take it', ONE_PORT, 0x0003, 'selectorMismatch'],
    ['C64 the last fragment neither', ONE_PORT, 0x0007, 'selectorMismatch'],
    ['C64 an SA for OPAQUE takes later fragments', OPAQUE, 0x0003, 'none'],
    ['C64 and nothing that shows a port', OPAQUE, 0x2000, 'selectorMismatch'],
    ['C64 an SA for any port takes all of them', { protocol: 17 }, 0x2003, 'none'],
  ])('%s', (_title, ports, fragment, code) => {
    expect(receive(ports, fragment)).toBe(code)
  })
})
