import { composeSpi, createDecapsulated, type Decapsulated } from '@culvert/esp'
import { beforeEach, describe, expect, it } from 'vitest'
import { createEnds } from '../../../esp/test/packets.ts'
import type { DataPlaneHandlers } from '../contract.ts'
import { SaNotices } from './sa-notices.ts'

const SPI = composeSpi(1, 3, 0)

describe('notices about an SA', () => {
  let told: string[]
  let notices: SaNotices
  beforeEach(() => {
    told = []
    const handlers: DataPlaneHandlers = {
      onIke: () => {},
      onInboundTraffic: (spiIn) => told.push(`traffic ${spiIn}`),
      onPeerMoved: (spiIn, { address, port }) => told.push(`moved ${spiIn} ${address}:${port}`),
      onSoftLimit: (spiIn) => told.push(`limit ${spiIn}`),
      onHardLimit: (spiIn) => told.push(`end ${spiIn}`),
      onFailure: () => {},
    }
    notices = new SaNotices(handlers, 16)
  })

  it('tells of traffic at most once a second', () => {
    for (const nowMs of [0, 10, 999, 1000, 1500, 2000]) notices.afterInbound(packet(), '192.0.2.2', 4500, nowMs)
    expect(told).toEqual([`traffic ${SPI}`, `traffic ${SPI}`, `traffic ${SPI}`])
  })

  it('says nothing about packets that did not authenticate or did not advance the window', () => {
    notices.afterInbound({ ...packet(), sa: null }, '192.0.2.3', 4500, 0)
    notices.afterInbound({ ...packet(), hasAdvanced: false }, '192.0.2.3', 4500, 0)
    expect(told).toEqual([])
  })

  it('C60: tells of another address or port only when the peer is behind a NAT, at most once a second', () => {
    const moved = (address: string, port: number, nowMs: number): void =>
      notices.afterInbound(packet(), address, port, nowMs)
    moved('192.0.2.2', 4501, 0)
    moved('192.0.2.9', 4500, 500)
    moved('192.0.2.9', 4500, 1000)
    expect(told.filter((line) => line.startsWith('moved'))).toEqual([
      `moved ${SPI} 192.0.2.2:4501`,
      `moved ${SPI} 192.0.2.9:4500`,
    ])
    told.length = 0
    const { sa } = packet()
    notices.afterInbound({ ...packet(), sa: Object.assign(sa!, { peerBehindNat: false }) }, '192.0.2.7', 1, 9000)
    expect(told).toEqual([`traffic ${SPI}`])
  })

  it('starts afresh for a new SA in the same place', () => {
    notices.afterInbound(packet(), '192.0.2.2', 4500, 100)
    notices.reset(createEnds().concentratorSa)
    notices.afterInbound(packet(), '192.0.2.2', 4500, 200)
    expect(told).toHaveLength(2)
  })

  it('tells of a soft limit once', () => {
    const { concentratorSa: sa } = createEnds()
    sa.sequence.skipTo(0, 0xc0000000)
    notices.checkLimits(sa)
    notices.checkLimits(sa)
    expect(told).toEqual([`limit ${SPI}`])
  })
})

function packet(): Decapsulated {
  return { ...createDecapsulated(), sa: createEnds().concentratorSa, hasAdvanced: true }
}
