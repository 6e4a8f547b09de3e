import { beforeEach, describe, expect, it } from 'vitest'
import { createEnds, type Ends, ip4, SUITES, udp, withRoom } from '../test/packets.ts'
import { DropCode } from './drop-code.ts'
import { createEncapsulated, type Encapsulated, encapsulate } from './encapsulate.ts'
import { readUint32 } from './octets.ts'

const FROM_DIAL = ip4({ source: '10.127.0.1', destination: '10.128.0.5' }, udp(1000, 2000))

describe('outbound ESP', () => {
  let ends: Ends
  beforeEach(() => {
    ends = createEnds()
  })

  it('numbers packets from 1 and leaves headroom and surroundings alone', () => {
    const out = createEncapsulated()
    out.buffer = new Uint8Array(300).fill(0xee)
    out.offset = 40
    expect(send(ends, FROM_DIAL, out)).toBe(DropCode.none)
    expect(readUint32(out.buffer, 40)).toBe(ends.concentratorSa.spiOut)
    expect(readUint32(out.buffer, 44)).toBe(1)
    const outside = [...out.buffer.subarray(0, 40), ...out.buffer.subarray(40 + out.length)]
    expect(new Set(outside)).toEqual(new Set([0xee]))
    expect(send(ends, FROM_DIAL, out)).toBe(DropCode.none)
    expect(readUint32(out.buffer, 44)).toBe(2)
  })

  it('makes IVs of incarnation and counter, which is not the sequence number', () => {
    ends.concentratorSa.sequence.skipTo(0, 500)
    const out = fresh()
    send(ends, FROM_DIAL, out)
    expect(Buffer.from(out.buffer.subarray(8, 16)).toString('hex')).toBe('0a0b0c0000000001')
    expect(readUint32(out.buffer, 4)).toBe(501)
  })

  it('draws a fresh IV of 16 octets for every CBC packet', () => {
    const cbc = createEnds(SUITES[4])
    const out = fresh()
    send(cbc, FROM_DIAL, out)
    expect([...out.buffer.subarray(8, 24)]).toEqual([...new Uint8Array(16).fill(9)])
  })

  it('pads with 1, 2, 3 and puts pad length and next header last (RFC 4303 2.4)', () => {
    const packet = withRoom(ip4({ source: '10.127.0.1', destination: '10.128.0.5' }, udp(1, 2, new Uint8Array(5))))
    const length = packet.length - 32
    encapsulate(ends.concentrator, { bytes: packet, offset: 0, length }, fresh())
    expect([...packet.subarray(length, length + 6)]).toEqual([1, 1, 4, 0, 0, 0])
    const cbc = createEnds(SUITES[4])
    encapsulate(cbc.concentrator, { bytes: packet, offset: 0, length }, fresh())
    expect([...packet.subarray(length, length + 15)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 13, 4])
  })

  it('C66: stops before the sequence number wraps', () => {
    ends.concentratorSa.sequence.skipTo(0, 0xfffffffe)
    expect(send(ends, FROM_DIAL, fresh())).toBe(DropCode.none)
    expect(ends.concentratorSa.sequenceLow).toBe(0xffffffff)
    expect(send(ends, FROM_DIAL, fresh())).toBe(DropCode.sequenceExhausted)
    expect(ends.concentratorSa.packetsOut).toBe(1)
  })

  it('goes on into the next subspace with extended sequence numbers, and stops before 2^64', () => {
    const extended = createEnds(SUITES[0], true)
    const { concentratorSa: sa } = extended
    sa.sequence.skipTo(0, 0xffffffff)
    expect(send(extended, FROM_DIAL, fresh())).toBe(DropCode.none)
    expect([sa.sequenceHigh, sa.sequenceLow]).toEqual([1, 0])
    sa.sequence.skipTo(0xffffffff, 0xffffffff)
    expect(send(extended, FROM_DIAL, fresh())).toBe(DropCode.sequenceExhausted)
  })

  it('drops what has no SA, and what its SA does not select, by different names', () => {
    const elsewhere = ip4({ source: '10.127.0.1', destination: '10.128.0.6' }, udp(1, 2))
    const fromElsewhere = ip4({ source: '10.126.0.1', destination: '10.128.0.5' }, udp(1, 2))
    expect(send(ends, elsewhere, fresh())).toBe(DropCode.noOutboundSa)
    expect(send(ends, fromElsewhere, fresh())).toBe(DropCode.outboundSelectorMismatch)
    expect(send(ends, new Uint8Array(20), fresh())).toBe(DropCode.innerMalformed)
  })

  it('drops what does not fit and spends no sequence number on it', () => {
    const out = createEncapsulated()
    out.buffer = new Uint8Array(FROM_DIAL.length + 10)
    expect(send(ends, FROM_DIAL, out)).toBe(DropCode.tooBig)
    const noRoom = { bytes: FROM_DIAL, offset: 0, length: FROM_DIAL.length }
    expect(encapsulate(ends.concentrator, noRoom, fresh())).toBe(DropCode.tooBig)
    expect(ends.concentratorSa.sequenceLow).toBe(0)
  })
})

function fresh(): Encapsulated {
  const out = createEncapsulated()
  out.buffer = new Uint8Array(2000)
  return out
}

function send(ends: Ends, packet: Uint8Array, out: Encapsulated): DropCode {
  return encapsulate(ends.concentrator, { bytes: withRoom(packet), offset: 0, length: packet.length }, out)
}
