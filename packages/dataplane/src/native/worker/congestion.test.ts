import { describe, expect, it } from 'vitest'
import { DropCode } from '@culvert/esp'
import { buildPacket, withChecksums } from '../../../test/inner-packets.ts'
import { applyOuterCongestion, innerTos } from './congestion.ts'

const NOT_ECT = 0
const ECT_1 = 1
const ECT_0 = 2
const CE = 3

/** RFC 6040 figure 4: rows are the inner bits, columns the outer ones (ECT(1), ECT(0), CE). */
const TABLE: readonly (readonly [inner: number, marks: readonly (number | 'drop')[]])[] = [
  [NOT_ECT, [NOT_ECT, NOT_ECT, 'drop']],
  [ECT_1, [ECT_1, ECT_1, CE]],
  [ECT_0, [ECT_1, ECT_0, CE]],
  [CE, [CE, CE, CE]],
]
const OUTER = [ECT_1, ECT_0, CE]
const DSCP = 0xb8

function packetWith(version: 4 | 6, inner: number): Uint8Array {
  const packet = buildPacket({ protocol: 'udp', payload: new Uint8Array(10) }, { version })
  packet[1] = version === 4 ? DSCP | inner : inner << 4
  return withChecksums(packet)
}

describe('congestion marks at the tunnel exit', () => {
  it.each(TABLE)('C65 combine inner %i with outer marks as RFC 6040 4.2 says', (inner, expected) => {
    for (const version of [4, 6] as const) {
      const marks = OUTER.map((outer) => {
        const packet = packetWith(version, inner)
        const code = applyOuterCongestion(packet, 0, outer)
        return code === DropCode.badCongestionMark ? 'drop' : innerTos(packet, 0) & 3
      })
      expect(marks).toEqual(expected)
    }
  })

  it('C65 keep the header checksum right and the DSCP as it was', () => {
    const packet = packetWith(4, ECT_0)
    expect(applyOuterCongestion(packet, 0, CE)).toBe(DropCode.none)
    expect(packet).toEqual(withChecksums(packet.slice()))
    expect(packet[1]! & 0xfc).toBe(DSCP)
  })
})
