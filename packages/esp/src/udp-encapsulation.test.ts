import { describe, expect, it } from 'vitest'
import { classifyDatagram, DatagramKind } from './udp-encapsulation.ts'

describe('C02: datagrams on port 4500', () => {
  it.each([
    ['a keepalive', [0xff], DatagramKind.keepalive],
    ['another single octet', [0xfe], DatagramKind.runt],
    ['nothing', [], DatagramKind.runt],
    ['a marker with nothing behind it', [0, 0, 0, 0], DatagramKind.runt],
    ['an IKE header', Array<number>(32).fill(0), DatagramKind.ike],
    ['a marker with less than an IKE header behind it', Array<number>(31).fill(0), DatagramKind.runt],
    ['ESP', [0, 0, 0, 1, 0], DatagramKind.esp],
    ['ESP that starts like a keepalive', [0xff, 0xff, 0xff, 0xff, 0xff], DatagramKind.esp],
  ])('%s', (_what, octets, kind) => {
    const bytes = Uint8Array.from([7, 7, ...octets, 7])
    expect(classifyDatagram(bytes, 2, octets.length)).toBe(kind)
  })
})
