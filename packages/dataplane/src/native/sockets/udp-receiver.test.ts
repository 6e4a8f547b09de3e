import { describe, expect, it } from 'vitest'
import { PacketMemory } from '../../foreign/index.ts'
import { readControl, type ReceivedBuffer } from './udp-receiver.ts'

const memory = new PacketMemory(65_536)
const control = memory.allocate(128)

interface Cmsg {
  readonly level: number
  readonly type: number
  readonly data: readonly number[]
}

/** Lays control messages out as Linux does on 64-bit machines. @returns bytes used */
function lay(...messages: readonly Cmsg[]): number {
  let at = control
  memory.bytes.fill(0xcc, control, control + 128)
  for (const { level, type, data } of messages) {
    memory.writeNumber(at, 16 + data.length)
    memory.view.setInt32(at + 8, level, true)
    memory.view.setInt32(at + 12, type, true)
    memory.bytes.set(data, at + 16)
    at += 16 + Math.ceil(data.length / 8) * 8
  }
  return at - control
}

function read(length: number): ReceivedBuffer {
  const buffer = { data: 0, length: 3000, segmentBytes: 3000, source: 0, ecn: 0, local: 0 }
  readControl(memory, control, length, buffer)
  return buffer
}

const GRO: Cmsg = { level: 17, type: 104, data: [0x78, 0x05, 0, 0] }

describe('control messages', () => {
  it('finds the segment size, the congestion bits and the local address in any order', () => {
    const tos: Cmsg = { level: 0, type: 1, data: [0xb8 | 3] }
    const pktinfo: Cmsg = { level: 0, type: 8, data: [1, 0, 0, 0, 192, 0, 2, 9, 192, 0, 2, 1] }
    for (const order of [
      [GRO, tos, pktinfo],
      [pktinfo, tos, GRO],
    ]) {
      const { segmentBytes, ecn, local } = read(lay(...order))
      expect([segmentBytes, ecn]).toEqual([1400, 3])
      expect([...memory.copyOut(local, 4)]).toEqual([192, 0, 2, 1])
    }
  })

  it('reads the IPv6 forms', () => {
    const address = Array.from({ length: 16 }, (_, i) => i)
    const { ecn, local } = read(
      lay({ level: 41, type: 67, data: [2, 0, 0, 0] }, { level: 41, type: 50, data: [...address, 1, 0, 0, 0] }),
    )
    expect(ecn).toBe(2)
    expect([...memory.copyOut(local, 16)]).toEqual(address)
  })

  it('takes nothing from messages that are absent, foreign, cut off or of length zero', () => {
    const untouched = { data: 0, length: 3000, segmentBytes: 3000, source: 0, ecn: 0, local: 0 }
    expect(read(0)).toEqual(untouched)
    expect(read(lay({ level: 1, type: 104, data: [1, 0, 0, 0] }))).toEqual(untouched)
    expect(read(lay(GRO) - 8)).toEqual(untouched)
    lay(GRO)
    memory.writeNumber(control, 0)
    expect(read(24)).toEqual(untouched)
    expect(read(lay({ level: 17, type: 104, data: [0, 0, 0, 0] })).segmentBytes).toBe(3000)
  })
})
