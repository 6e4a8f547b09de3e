import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage, decodePayloads } from './decode.ts'
import { encodeMessage, encodePayloads } from './encode.ts'
import type { IkeHeader, IkeSpi, MessageId, Payload, Proposal, TrafficSelector, Transform } from './model.ts'

const octets = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength })
const u8 = fc.nat(0xff)
const u16 = fc.nat(0xffff)
const empty = fc.constant(new Uint8Array(0))
const spiHex = octets(8, 8).map((bytes) => Buffer.from(bytes).toString('hex') as IkeSpi)

const header: fc.Arbitrary<IkeHeader> = fc.record({
  spiI: spiHex,
  spiR: spiHex,
  exchangeType: u8,
  messageId: fc.nat(0xffffffff).map((id) => id as MessageId),
  fromOriginalInitiator: fc.boolean(),
  isResponse: fc.boolean(),
})

const transform: fc.Arbitrary<Transform> = fc
  .record({ type: u8, id: u16, keyBits: fc.option(u16), isUnknown: fc.boolean() })
  .map(({ isUnknown, ...known }) => (isUnknown ? { ...known, unknownAttribute: true } : known))

const proposals: fc.Arbitrary<readonly Proposal[]> = fc
  .array(
    fc.record({
      protocolSpi: fc.oneof(
        fc.record({ protocolId: fc.constant(1), spi: fc.oneof(empty, octets(8, 8)) }),
        fc.record({ protocolId: fc.constantFrom(2, 3), spi: octets(4, 4) }),
      ),
      transforms: fc.array(transform, { maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((list) => list.map(({ protocolSpi, transforms }, index) => ({ number: index + 1, ...protocolSpi, transforms })))

const range = (length: 4 | 16): fc.Arbitrary<[Uint8Array, Uint8Array]> =>
  fc
    .tuple(octets(length, length), octets(length, length))
    .map(([a, b]) => (Buffer.compare(a, b) <= 0 ? [a, b] : [b, a]))

const ports: fc.Arbitrary<readonly [protocol: number, start: number, end: number]> = fc.oneof(
  fc.constant([0, 0, 0xffff] as const),
  fc.constant([0, 0xffff, 0] as const),
  fc.tuple(fc.integer({ min: 1, max: 255 }), u16, u16).map(([p, a, b]) => [p, Math.min(a, b), Math.max(a, b)] as const),
)

const selector: fc.Arbitrary<TrafficSelector> = fc
  .tuple(fc.oneof(range(4), range(16)), ports)
  .map(([[startAddress, endAddress], [protocol, startPort, endPort]]) => ({
    type: startAddress.length === 4 ? 7 : 8,
    protocol,
    startPort,
    endPort,
    startAddress,
    endAddress,
  }))

const identity = fc.oneof(
  fc.record({ type: fc.constant(1), data: octets(4, 4) }),
  fc.record({ type: fc.constant(5), data: octets(16, 16) }),
  fc.record({
    type: fc.constantFrom(2, 3),
    data: octets(0, 40).map((data) => data.map((octet) => 0x20 + (octet % 95))),
  }),
  fc.record({ type: fc.constantFrom(9, 10, 11, 200), data: octets(0, 40) }),
)

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({ kind: fc.constant('sa' as const), proposals }),
  fc.record({ kind: fc.constant('ke' as const), group: u16, data: octets(0, 80) }),
  fc
    .tuple(fc.constantFrom('idI' as const, 'idR' as const), identity, fc.nat(0xffffff))
    .map(([kind, id, reserved]): Payload => (reserved === 0 ? { kind, id } : { kind, id, reserved })),
  fc.record({ kind: fc.constantFrom('cert' as const, 'certReq' as const), encoding: u8, data: octets(0, 60) }),
  fc.record({ kind: fc.constant('auth' as const), method: u8, data: octets(0, 60) }),
  fc.record({ kind: fc.constant('nonce' as const), data: octets(16, 256) }),
  fc.record({
    kind: fc.constant('notify' as const),
    protocolId: u8,
    spi: octets(0, 8),
    type: u16,
    data: octets(0, 40),
  }),
  fc.record({
    kind: fc.constant('delete' as const),
    protocolId: fc.constantFrom(2, 3),
    spis: fc.array(octets(4, 4), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('delete' as const), protocolId: fc.constant(1), spis: fc.constant([]) }),
  fc.record({ kind: fc.constant('vendor' as const), data: octets(0, 40) }),
  fc.record({ kind: fc.constantFrom('tsI' as const, 'tsR' as const), selectors: fc.array(selector, { maxLength: 6 }) }),
  fc.record({
    kind: fc.constant('cp' as const),
    cfgType: u8,
    attributes: fc.array(fc.record({ type: fc.nat(0x7fff), value: octets(0, 20) }), { maxLength: 6 }),
  }),
  fc.record({ kind: fc.constant('eap' as const), data: octets(4, 40) }),
  fc.record({
    kind: fc.constant('unknown' as const),
    type: fc.constantFrom(1, 13, 32, 49, 54, 128, 255),
    data: octets(0, 40),
  }),
)

const payloads = fc.array(payload, { maxLength: 8 })

describe('codec', () => {
  it('decodes every message it can encode to the same message', () => {
    fc.assert(
      fc.property(header, payloads, (head, list) => {
        const decoded = decodeMessage(encodeMessage(head, list))
        expect(decoded).toEqual({ ok: true, value: { header: head, payloads: list, sealed: null } })
      }),
      { numRuns: 500 },
    )
  })

  it('decodes the inside of SK alike', () => {
    fc.assert(
      fc.property(payloads, (list) => {
        const { firstType, bytes } = encodePayloads(list)
        expect(decodePayloads(firstType, bytes)).toEqual({ ok: true, value: list })
      }),
      { numRuns: 500 },
    )
  })

  it('N28 refuses or shortens every message cut anywhere, and never throws', () => {
    fc.assert(
      fc.property(header, payloads, fc.nat(), (head, list, at) => {
        const whole = encodeMessage(head, list)
        const cut = whole.slice(0, at % whole.length)
        expect(decodeMessage(cut).ok).toBe(false)
      }),
      { numRuns: 500 },
    )
  })
})
