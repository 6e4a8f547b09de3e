import { describe, expect, test } from 'vitest'
import type { IkeTransforms } from '../../sa/ike-transforms.ts'
import { decodeState, decodeTicket, encodeState, encodeTicket, type TicketContent } from './ticket.ts'

const TRANSFORMS: IkeTransforms = {
  encr: { type: 1, id: 20, keyBits: 256 },
  prf: { type: 2, id: 5, keyBits: null },
  integ: null,
  ke: { type: 4, id: 31, keyBits: null },
  additionalKe: [{ type: 6, id: 36, keyBits: null }],
  tier: 'modern',
}
const TICKET: TicketContent = {
  id: new Uint8Array(16).fill(1),
  idBody: Uint8Array.of(2, 0, 0, 0, 0x61),
  subject: 'dev_1',
  credential: 'crd_1',
  transforms: TRANSFORMS,
  skD: new Uint8Array(32).fill(9),
  ppkMixed: false,
}

describe('a ticket', () => {
  test.each([
    TICKET,
    { ...TICKET, ppkMixed: true },
    { ...TICKET, credential: null },
    { ...TICKET, credential: '' },
    { ...TICKET, transforms: { ...TRANSFORMS, tier: null, additionalKe: [] } },
    {
      ...TICKET,
      transforms: {
        ...TRANSFORMS,
        encr: { type: 1, id: 28, keyBits: null },
        integ: { type: 3, id: 12, keyBits: null },
      },
    },
  ])('comes out as it went in (%#)', (ticket) => {
    expect(decodeTicket(encodeTicket(ticket))).toEqual(ticket)
    const { transforms, skD } = ticket
    expect(decodeState(encodeState({ transforms, skD }))).toEqual({ transforms: { ...transforms, tier: null }, skD })
  })

  test('of which octets are missing, or of another version, is none', () => {
    const bytes = encodeTicket(TICKET)
    for (let length = 0; length < bytes.length; length += 1) expect(decodeTicket(bytes.subarray(0, length))).toBeNull()
    expect(decodeTicket(bytes.with(0, 2))).toBeNull()
    expect(decodeState(Uint8Array.of(1, 0, 4, 1, 2, 3, 4, 0, 0))).toBeNull()
  })
})
