import { concatBytes } from '@culvert/bytes'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FRAGMENT_BYTES, InboundFlights, MOST_INBOUND_BYTES, OutboundFlight } from './flight.ts'
import { decodeTlsFragment, encodeTlsFragment, isTlsAcknowledgement, type TlsFragment } from './packet.ts'

function fragment(fields: Partial<TlsFragment>): TlsFragment {
  return { messageBytes: null, hasMore: false, isStart: false, data: new Uint8Array(0), ...fields }
}

const data = (length: number): Uint8Array => new Uint8Array(length).fill(0x16)

describe('RFC 5216 3 fragments', () => {
  it.each([
    ['start', [0x20], fragment({ isStart: true })],
    ['acknowledgement', [0], fragment({})],
    ['the only piece', [0, 22], fragment({ data: data(1) })],
    ['the only piece with a length', [0x80, 0, 0, 0, 1, 22], fragment({ messageBytes: 1, data: data(1) })],
    ['the first piece', [0xc0, 0, 0, 1, 0, 22], fragment({ messageBytes: 256, hasMore: true, data: data(1) })],
    ['a piece in the middle', [0x40, 22], fragment({ hasMore: true, data: data(1) })],
  ])('%s', (_, octets, expected) => {
    const result = decodeTlsFragment(Uint8Array.from(octets))
    expect(result).toEqual({ ok: true, value: expected })
    expect([...encodeTlsFragment(expected)]).toEqual(octets)
  })

  it.each([
    ['nothing', [], 'truncated', 0],
    ['a length cut short', [0x80, 0, 0, 1], 'truncated', 4],
    ['N25 a length below what is there', [0x80, 0, 0, 0, 1, 22, 22], 'badLength', 1],
  ])('refuses %s', (_, octets, code, offset) => {
    expect(decodeTlsFragment(Uint8Array.from(octets))).toEqual({ ok: false, error: { code, offset } })
  })

  it('ignores reserved bits', () => {
    const result = decodeTlsFragment(Uint8Array.of(0x1f))
    expect(result.ok && isTlsAcknowledgement(result.value)).toBe(true)
  })
})

describe('RFC 5216 2.1.5 flights', () => {
  it('come out as they went in, whatever their length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 * FRAGMENT_BYTES }), (length) => {
        const octets = Uint8Array.from({ length }, (_, index) => index)
        const outbound = new OutboundFlight(octets)
        const inbound = new InboundFlights()
        while (true) {
          const piece = outbound.take()
          expect(piece.length).toBeLessThanOrEqual(FRAGMENT_BYTES + 5)
          const decoded = decodeTlsFragment(piece)
          const step = decoded.ok ? inbound.add(decoded.value) : null
          expect(step?.kind).toBe(outbound.isSent ? 'complete' : 'acknowledge')
          if (step?.kind !== 'complete') continue
          expect(step.octets).toEqual(octets)
          return
        }
      }),
    )
  })

  it('say their length in the first of several pieces only', () => {
    const one = new OutboundFlight(data(FRAGMENT_BYTES))
    expect(one.take()[0]).toBe(0)
    const several = new OutboundFlight(data(2 * FRAGMENT_BYTES + 1))
    expect([several.take()[0], several.take()[0], several.take()[0]]).toEqual([0xc0, 0x40, 0])
  })

  it('may repeat their length', () => {
    const inbound = new InboundFlights()
    expect(inbound.add(fragment({ messageBytes: 4, hasMore: true, data: data(2) })).kind).toBe('acknowledge')
    expect(inbound.add(fragment({ messageBytes: 4, data: data(2) }))).toEqual({ kind: 'complete', octets: data(4) })
  })

  it.each<[string, readonly TlsFragment[]]>([
    ['N25 several pieces without a length', [fragment({ hasMore: true, data: data(2) })]],
    ['N25 a piece that brings nothing', [fragment({ messageBytes: 9, hasMore: true })]],
    ['N25 an end that brings nothing', [fragment({ messageBytes: 4, hasMore: true, data: data(3) }), fragment({})]],
    ['N25 more to come when all is there', [fragment({ messageBytes: 4, hasMore: true, data: data(4) })]],
    ['N25 an end before all is there', [fragment({ messageBytes: 4, data: data(3) })]],
    [
      'N25 a length that changes',
      [fragment({ messageBytes: 4, hasMore: true, data: data(2) }), fragment({ messageBytes: 5, data: data(3) })],
    ],
    [
      'N25 more than was announced',
      [fragment({ messageBytes: 4, hasMore: true, data: data(3) }), fragment({ data: data(2) })],
    ],
    ['a start', [fragment({ isStart: true, data: data(2) })]],
  ])('%s is malformed', (_, fragments) => {
    const inbound = new InboundFlights()
    const steps = fragments.map((piece) => inbound.add(piece).kind)
    expect(steps.at(-1)).toBe('malformed')
    expect(steps.slice(0, -1).every((kind) => kind === 'acknowledge')).toBe(true)
  })

  it('N25 are bounded by what they announce and by what they bring', () => {
    const announced = new InboundFlights()
    const first = fragment({ messageBytes: MOST_INBOUND_BYTES + 1, hasMore: true, data: data(1) })
    expect(announced.add(first).kind).toBe('bounds')
    const brought = new InboundFlights()
    const flight = fragment({ data: data(MOST_INBOUND_BYTES / 4) })
    const kinds = Array.from({ length: 5 }, () => brought.add(flight).kind)
    expect(kinds).toEqual(['complete', 'complete', 'complete', 'complete', 'bounds'])
  })

  it('own what they give', () => {
    const inbound = new InboundFlights()
    const piece = data(2)
    inbound.add(fragment({ messageBytes: 4, hasMore: true, data: piece }))
    piece.fill(0)
    expect(inbound.add(fragment({ data: data(2) }))).toEqual({ kind: 'complete', octets: concatBytes(data(4)) })
  })
})
