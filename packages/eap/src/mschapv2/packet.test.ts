import { fromHex, toHex } from '@culvert/bytes'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMschapRequest, decodeMschapResponse, encodeMschapRequest, encodeMschapResponse } from './packet.ts'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', ''))!
const CHALLENGE = `01 07 0017 10 ${'c1'.repeat(16)} 6777`
const RESPONSE = `02 07 0038 31 ${'a1'.repeat(16)} ${'00'.repeat(8)} ${'b2'.repeat(24)} 00 6431`

describe('draft-kamath-pppext-eap-mschapv2 2 requests', () => {
  it.each([
    [CHALLENGE, { kind: 'challenge', id: 7, challenge: hex('c1'.repeat(16)), name: hex('6777') }],
    ['03 07 0006 533d', { kind: 'success', id: 7, text: hex('533d') }],
    ['04 07 0004', { kind: 'failure', id: 7, text: hex('') }],
  ] as const)('%s', (octets, request) => {
    expect(decodeMschapRequest(hex(octets))).toEqual({ ok: true, value: request })
    expect(toHex(encodeMschapRequest(request))).toBe(toHex(hex(octets)))
  })

  it.each([
    ['a response', RESPONSE, 'badCode', 0],
    ['a change of password', '07 07 0004', 'badCode', 0],
    ['N25 a length that lies', '03 07 0007 533d', 'badLength', 2],
    ['a challenge of another size', CHALLENGE.replace('10', '11'), 'badLength', 4],
    ['nothing', '', 'truncated', 0],
  ])('refuses %s', (_, octets, code, offset) => {
    expect(decodeMschapRequest(hex(octets))).toEqual({ ok: false, error: { code, offset } })
  })

  it('refuses a challenge cut anywhere in its value', () => {
    const whole = hex(CHALLENGE)
    for (let length = 0; length < whole.length - 2; length++) {
      const cut = whole.slice(0, length)
      if (length >= 4) cut.set([0, length], 2)
      expect(decodeMschapRequest(cut), String(length)).toMatchObject({ ok: false, error: { code: 'truncated' } })
    }
  })
})

describe('draft-kamath-pppext-eap-mschapv2 2 responses', () => {
  it('decodes and encodes an answer', () => {
    const answer = {
      kind: 'response',
      id: 7,
      peerChallenge: hex('a1'.repeat(16)),
      ntResponse: hex('b2'.repeat(24)),
      name: hex('6431'),
    } as const
    expect(decodeMschapResponse(hex(RESPONSE))).toEqual({ ok: true, value: answer })
    expect(toHex(encodeMschapResponse(answer))).toBe(toHex(hex(RESPONSE)))
  })

  it.each([
    ['03', 'success'],
    ['04', 'failure'],
    ['03 07 0004', 'success'],
  ])('decodes %s', (octets, kind) => {
    expect(decodeMschapResponse(hex(octets))).toEqual({ ok: true, value: { kind } })
  })

  it('encodes acknowledgements as the opcode alone', () => {
    expect(toHex(encodeMschapResponse({ kind: 'success' }))).toBe('03')
    expect(toHex(encodeMschapResponse({ kind: 'failure' }))).toBe('04')
  })

  it.each([
    ['a challenge', CHALLENGE, 'badCode', 0],
    ['N25 a length that lies', RESPONSE.replace('0038', '0037'), 'badLength', 2],
    ['a value of another size', RESPONSE.replace(' 31 ', ' 32 '), 'badLength', 4],
    ['an acknowledgement with text', '03 07 0005 41', 'badLength', 1],
    ['nothing', '', 'truncated', 0],
  ])('refuses %s', (_, octets, code, offset) => {
    expect(decodeMschapResponse(hex(octets))).toEqual({ ok: false, error: { code, offset } })
  })

  it('refuses an answer cut anywhere in its value, whatever its length says', () => {
    const whole = hex(RESPONSE)
    for (let length = 0; length < whole.length - 2; length++) {
      const cut = whole.slice(0, length)
      if (length >= 4) cut.set([0, length], 2)
      expect(decodeMschapResponse(cut), String(length)).toMatchObject({ ok: false, error: { code: 'truncated' } })
    }
  })

  it('refuses noise without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        // the length must agree by chance, and so does not
        const noise = Uint8Array.of(2, 0, 0xff, ...octets)
        expect(decodeMschapResponse(noise).ok).toBe(false)
        expect(decodeMschapRequest(noise).ok).toBe(false)
      }),
    )
  })
})
