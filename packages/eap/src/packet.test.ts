import { fromHex, toHex } from '@culvert/bytes'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEap, EAP_TYPE, type EapPacket, encodeEap } from './packet.ts'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', ''))!

describe('RFC 3748 4 packets', () => {
  it.each<[string, EapPacket]>([
    ['01 07 0005 01', { kind: 'request', identifier: 7, type: EAP_TYPE.IDENTITY, data: new Uint8Array(0) }],
    ['02 07 0007 01 6431', { kind: 'response', identifier: 7, type: EAP_TYPE.IDENTITY, data: hex('6431') }],
    ['03 ff 0004', { kind: 'success', identifier: 255 }],
    ['04 00 0004', { kind: 'failure', identifier: 0 }],
  ])('%s', (octets, packet) => {
    expect(decodeEap(hex(octets))).toEqual({ ok: true, value: packet })
    expect(toHex(encodeEap(packet))).toBe(toHex(hex(octets)))
  })

  it.each([
    ['code 0', '00 01 0004', 'badCode', 0],
    ['code 5 (EAP Initiate)', '05 01 0005 01', 'badCode', 0],
    ['a request without type', '01 01 0004', 'truncated', 4],
    ['N25 a length above the packet', '02 01 0007 01 64', 'badLength', 2],
    ['N25 a length below the packet', '02 01 0005 01 64', 'badLength', 2],
    ['a length of zero', '02 01 0000 01', 'badLength', 2],
    ['success with octets behind it', '03 01 0005 00', 'badLength', 2],
    ['success whose length says less', '03 01 0004 00', 'badLength', 2],
    ['an expanded type', '02 01 000d fe 000000 00000003 01', 'expandedType', 4],
  ])('refuses %s', (_, octets, code, offset) => {
    expect(decodeEap(hex(octets))).toEqual({ ok: false, error: { code, offset } })
  })

  it('refuses a packet cut anywhere', () => {
    const whole = hex('02 07 0008 01 643164')
    for (let length = 0; length < whole.length; length++) {
      expect(decodeEap(whole.subarray(0, length)).ok, String(length)).toBe(false)
    }
  })

  it('decodes what it encodes, and encodes what it decodes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (noise, mendLength) => {
        const octets = noise.slice()
        if (mendLength && octets.length >= 4) octets.set([0, octets.length], 2)
        const result = decodeEap(octets)
        expect(result.ok ? encodeEap(result.value) : octets).toEqual(octets)
      }),
    )
  })
})
