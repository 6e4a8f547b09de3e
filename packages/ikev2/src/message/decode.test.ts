import { concatBytes } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import { decodeMessage, decodePayloads } from './decode.ts'
import { encodeMessage } from './encode.ts'
import { peekHeader } from './header.ts'
import { type IkeHeader, type IkeSpi, type MessageId, type Payload, ZERO_SPI } from './model.ts'
import { EXCHANGE, NOTIFY, PAYLOAD } from './numbers.ts'

const header: IkeHeader = {
  spiI: '0123456789abcdef' as IkeSpi,
  spiR: ZERO_SPI,
  exchangeType: EXCHANGE.IKE_SA_INIT,
  messageId: 0xfffffffe as MessageId,
  fromOriginalInitiator: true,
  isResponse: false,
}
const cookie: Payload = {
  kind: 'notify',
  protocolId: 0,
  spi: new Uint8Array(0),
  type: NOTIFY.COOKIE,
  data: Uint8Array.of(1, 2, 3),
}
const nonce: Payload = { kind: 'nonce', data: new Uint8Array(16).fill(7) }

describe('IKE header', () => {
  it('decodes what was encoded, flags and unsigned message id included', () => {
    const datagram = encodeMessage(header, [cookie, nonce])
    expect(decodeMessage(datagram)).toEqual({ ok: true, value: { header, payloads: [cookie, nonce], sealed: null } })
    const response = { ...header, fromOriginalInitiator: false, isResponse: true }
    expect(decodeMessage(encodeMessage(response, []))).toMatchObject({ ok: true, value: { header: response } })
  })

  it('drops a datagram shorter than the header (C03, N01)', () => {
    const datagram = encodeMessage(header, [])
    for (let length = 0; length < 28; length++) {
      expect(codeOf(datagram.subarray(0, length))).toBe('truncated')
      expect(peekHeader(datagram.subarray(0, length))).toMatchObject({ ok: false, error: { code: 'truncated' } })
    }
  })

  it('wants the Length field to equal the datagram (C03, N01)', () => {
    const datagram = encodeMessage(header, [cookie, nonce])
    for (let length = 28; length < datagram.length; length++) {
      expect(codeOf(datagram.subarray(0, length))).toBe('lengthMismatch')
    }
    expect(codeOf(concatBytes(datagram, Uint8Array.of(0)))).toBe('lengthMismatch')
    expect(codeOf(patched(datagram, 24, 0xff))).toBe('lengthMismatch')
  })

  it.each([0, 1, 3, 15])('refuses major version %i, whatever follows (C04, N01, N11)', (major) => {
    const datagram = patched(encodeMessage(header, [cookie]), 17, major << 4)
    expect(codeOf(datagram)).toBe('majorVersion')
    expect(peekHeader(datagram)).toMatchObject({ ok: true, value: { majorVersion: major, spiI: header.spiI } })
  })

  it('ignores the minor version, reserved flags and V (C04, C05)', () => {
    const datagram = patched(patched(encodeMessage(header, [cookie]), 17, 0x2f), 19, 0x08 | 0x10 | 0xc7)
    expect(decodeMessage(datagram)).toMatchObject({ ok: true, value: { header } })
  })
})

describe('payload chain', () => {
  it('cut at every octet, with a Length field that agrees, is refused', () => {
    const datagram = encodeMessage(header, [cookie, nonce])
    for (let length = 28; length < datagram.length; length++) {
      const cut = patched(datagram.slice(0, length), 27, length)
      expect(['truncated', 'payloadOverrun']).toContain(codeOf(cut))
    }
  })

  it('refuses octets behind the last payload', () => {
    const longer = concatBytes(encodeMessage(header, [cookie]), Uint8Array.of(0))
    expect(codeOf(patched(longer, 27, longer.length))).toBe('lengthMismatch')
    expect(decodePayloads(0, Uint8Array.of(0))).toMatchObject({ ok: false, error: { code: 'lengthMismatch' } })
    expect(decodePayloads(0, new Uint8Array(0))).toEqual({ ok: true, value: [] })
  })

  it('skips an unknown payload that is not critical (C07)', () => {
    const strange: Payload = { kind: 'unknown', type: 200, data: Uint8Array.of(9, 9) }
    const datagram = encodeMessage(header, [strange, nonce])
    expect(decodeMessage(datagram)).toMatchObject({ ok: true, value: { payloads: [strange, nonce] } })
  })

  it.each([1, 13, 49, 200, 255])('refuses unknown critical payload %i and names it (C07, N06)', (type) => {
    const datagram = encodeMessage(header, [nonce, { kind: 'unknown', type, data: new Uint8Array(0) }])
    const critical = patched(datagram, 28 + 20 + 1, 0x80)
    expect(decodeMessage(critical)).toEqual({
      ok: false,
      error: { code: 'unknownCritical', payloadType: type, offset: 48 },
    })
  })

  it('ignores the critical bit on known payloads and reserved bits everywhere (C05, C07)', () => {
    const datagram = patched(encodeMessage(header, [nonce]), 29, 0xff)
    expect(decodeMessage(datagram)).toMatchObject({ ok: true, value: { payloads: [nonce] } })
  })

  it('never marks a payload critical and sends reserved bits as zero (C05, C07)', () => {
    const datagram = encodeMessage(header, [nonce])
    expect([datagram[17], datagram[19], datagram[29]]).toEqual([0x20, 0x08, 0])
  })

  it('bounds the number of payloads (N16)', () => {
    const vendor: Payload = { kind: 'vendor', data: new Uint8Array(0) }
    const flood = (count: number): string =>
      codeOf(
        encodeMessage(
          header,
          Array.from({ length: count }, () => vendor),
        ),
      )
    expect([flood(96), flood(97), flood(200)]).toEqual(['fine', 'tooMany', 'tooMany'])
  })
})

describe('SK and SKF', () => {
  it('shows an SK payload without opening it', () => {
    const datagram = raw(PAYLOAD.NONCE, [
      [PAYLOAD.SK, new Uint8Array(16)],
      [PAYLOAD.ID_I, Uint8Array.of(1, 2, 3)],
    ])
    expect(decodeMessage(datagram)).toMatchObject({
      ok: true,
      value: {
        payloads: [{ kind: 'nonce' }],
        sealed: { innerType: PAYLOAD.ID_I, fragmentNumber: 0, totalFragments: 0, bodyOffset: 28 + 20 + 4 },
      },
    })
  })

  it('shows number, total and inner type of a fragment; only the first has one (RFC 7383 2.5)', () => {
    const fragment = (number: number): Uint8Array =>
      raw(PAYLOAD.SKF, [[PAYLOAD.ID_I, Uint8Array.of(0, number, 0, 3, 0xaa)]])
    expect(decodeMessage(fragment(1))).toMatchObject({
      ok: true,
      value: { sealed: { innerType: PAYLOAD.ID_I, fragmentNumber: 1, totalFragments: 3, bodyOffset: 36 } },
    })
    expect(decodeMessage(fragment(3))).toMatchObject({
      ok: true,
      value: { sealed: { innerType: 0, fragmentNumber: 3 } },
    })
  })

  it.each<[string, number, number]>([
    ['number 0', 0, 3],
    ['total 0', 0, 0],
    ['a number above the total', 4, 3],
    ['a number without a total', 1, 0],
  ])('refuses a fragment with %s (N10)', (_, number, total) => {
    expect(codeOf(raw(PAYLOAD.SKF, [[0, Uint8Array.of(0, number, 0, total, 0xaa)]]))).toBe('badFragment')
  })

  it('refuses a fragment shorter than its own header (N10)', () => {
    for (let length = 0; length < 4; length++) {
      expect(codeOf(raw(PAYLOAD.SKF, [[0, new Uint8Array(length)]]))).toBe('payloadTooShort')
    }
  })

  it.each([PAYLOAD.SK, PAYLOAD.SKF])('refuses payload %i when it is not the last (C08)', (type) => {
    const datagram = raw(type, [
      [PAYLOAD.NONCE, new Uint8Array(20)],
      [0, new Uint8Array(16)],
    ])
    expect(decodeMessage(datagram)).toMatchObject({ ok: false, error: { code: 'sealedNotLast', payloadType: type } })
  })

  it.each([PAYLOAD.SK, PAYLOAD.SKF])('refuses payload %i inside SK (C08)', (type) => {
    const inner = raw(type, [[0, new Uint8Array(20)]]).subarray(28)
    expect(decodePayloads(type, inner)).toMatchObject({ ok: false, error: { code: 'sealedNested', payloadType: type } })
  })
})

function codeOf(datagram: Uint8Array): string {
  const decoded = decodeMessage(datagram)
  return decoded.ok ? 'fine' : decoded.error.code
}

function patched(datagram: Uint8Array, offset: number, octet: number): Uint8Array {
  const changed = datagram.slice()
  changed[offset] = octet
  return changed
}

/** A message of payloads given as next type and body. */
function raw(firstType: number, payloads: readonly (readonly [nextType: number, body: Uint8Array])[]): Uint8Array {
  const chunks = payloads.map(([nextType, body]) => concatBytes(Uint8Array.of(nextType, 0, 0, body.length + 4), body))
  const datagram = concatBytes(encodeMessage(header, []), ...chunks)
  return patched(patched(datagram, 16, firstType), 27, datagram.length)
}
