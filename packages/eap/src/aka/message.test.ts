import { fromHex, InvariantError, toHex } from '@culvert/bytes'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAkaMessage, encodeAkaMessage } from './message.ts'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', ''))!

describe('RFC 4187 8.1 attributes', () => {
  it('decodes and encodes a message', () => {
    // AKA-Identity with AT_ANY_ID_REQ and an attribute of two words
    const octets = hex('05 0000 0d01 0000 8102 010203040506')
    const result = decodeAkaMessage(octets)
    expect(result).toEqual({
      ok: true,
      value: {
        subtype: 5,
        attributes: [
          { type: 13, value: hex('0000') },
          { type: 0x81, value: hex('010203040506') },
        ],
      },
    })
    if (result.ok) expect(toHex(encodeAkaMessage(result.value))).toBe(toHex(octets))
  })

  it.each([
    ['N25 a length of zero', '01 0000 0b00 0000', 'badLength', 4],
    ['N25 a length beyond the packet', '01 0000 0b05 0000', 'badLength', 4],
    ['an attribute cut behind its type', '01 0000 0b', 'truncated', 4],
    ['a message without its reserved octets', '01 00', 'truncated', 2],
    ['nothing', '', 'truncated', 0],
    ['more attributes than any message has', `01 0000 ${'8101 0000'.repeat(33)}`, 'badLength', 132],
  ])('refuses %s', (_, octets, code, offset) => {
    expect(decodeAkaMessage(hex(octets))).toEqual({ ok: false, error: { code, offset } })
  })

  it('encodes what it decodes, but for the reserved octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
        const result = decodeAkaMessage(octets)
        const again = result.ok ? encodeAkaMessage(result.value) : octets
        expect(again.subarray(3)).toEqual(octets.subarray(3))
      }),
    )
  })

  it('does not encode a value that fills no whole word', () => {
    const message = { subtype: 1, attributes: [{ type: 1, value: new Uint8Array(3) }] }
    expect(() => encodeAkaMessage(message)).toThrow(InvariantError)
  })
})
