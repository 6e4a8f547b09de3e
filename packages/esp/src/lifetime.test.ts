import { describe, expect, it } from 'vitest'
import { createEnds, ip4, keysOf, SUITES, udp, withRoom } from '../test/packets.ts'
import { LifetimeNotice } from './child-sa.ts'
import { createDecapsulated, decapsulate } from './decapsulate.ts'
import { DropCode } from './drop-code.ts'
import { createEncapsulated, encapsulate } from './encapsulate.ts'
import { lifetimeOf } from './lifetime.ts'

const FROM_DIAL = ip4({ source: '10.127.0.1', destination: '10.128.0.5' }, udp(1000, 2000))
const FROM_DEVICE = ip4({ source: '10.128.0.5', destination: '10.127.0.1' }, udp(2000, 1000))

const lifetimeOfSuite = (name: string, esn = false): ReturnType<typeof lifetimeOf> =>
  lifetimeOf(
    keysOf(
      SUITES.find((suite) => suite.name === name)!,
      1,
      2,
      esn,
    ),
  )

describe('C66 limits of a Child SA by default', () => {
  it.each(['AES-128-GCM-16', 'AES-256-CBC, SHA2-512'])('C66 %s: 2^36 blocks of 128 bits, far from 2^64', (name) => {
    expect(lifetimeOfSuite(name)).toEqual({
      hardBytes: 2 ** 40,
      softBytes: 2 ** 38,
      hardPackets: 2 ** 32 - 1,
      softPackets: 0xc0000000,
    })
  })

  it('C66 ChaCha20-Poly1305 and NULL have no bound in blocks', () => {
    expect(lifetimeOfSuite('ChaCha20-Poly1305').hardBytes).toBe(2 ** 52)
    expect(lifetimeOfSuite('NULL, SHA2-256').hardBytes).toBe(2 ** 52)
  })

  it('C66 with ESN the IVs end a transform, not the 32 bits', () => {
    expect(lifetimeOfSuite('AES-128-GCM-16', true)).toMatchObject({ hardPackets: 2 ** 40 - 1 })
  })
})

describe('C66 settings', () => {
  const keys = keysOf(SUITES[0]!, 1, 2, false)

  it('C66 only lower the limits', () => {
    expect(lifetimeOf(keys, { hardBytes: 2 ** 50, hardPackets: 2 ** 33 })).toEqual(lifetimeOf(keys))
    expect(lifetimeOf(keys, { hardBytes: 1000, softBytes: 2000, hardPackets: 10 })).toEqual({
      hardBytes: 1000,
      softBytes: 1000,
      hardPackets: 10,
      softPackets: 8,
    })
  })

  it.each([0, -1, Number.NaN])('C66 refuse %d', (softBytes) => {
    expect(() => lifetimeOf(keys, { softBytes })).toThrow(RangeError)
  })
})

/** Sends from the concentrator and receives at the device. */
function exchange(ends: ReturnType<typeof createEnds>): {
  readonly sent: DropCode
  readonly received: DropCode | null
} {
  const out = createEncapsulated()
  out.buffer = new Uint8Array(200)
  const sent = encapsulate(ends.concentrator, { bytes: withRoom(FROM_DIAL), offset: 0, length: FROM_DIAL.length }, out)
  if (sent !== DropCode.none) return { sent, received: null }
  const received = decapsulate(ends.device, out.buffer.slice(0, out.length), createDecapsulated())
  return { sent, received }
}

describe('C66 a Child SA at its limits', () => {
  it.each([
    { name: 'packets', lifetime: { softPackets: 2, hardPackets: 4 } },
    { name: 'octets', lifetime: { softBytes: 2 * FROM_DIAL.length, hardBytes: 4 * FROM_DIAL.length } },
  ])('C66 tells each of them once, in $name, and then neither sends nor accepts', ({ lifetime }) => {
    const ends = createEnds(SUITES[0], false, { sad: { lifetime } })
    const told: LifetimeNotice[] = []
    const toldDevice: LifetimeNotice[] = []
    for (let i = 0; i < 4; i++) {
      expect(exchange(ends)).toEqual({ sent: DropCode.none, received: DropCode.none })
      told.push(ends.concentratorSa.checkLifetime(), ends.concentratorSa.checkLifetime())
      toldDevice.push(ends.deviceSa.checkLifetime())
    }
    expect(told).toEqual([0, 0, LifetimeNotice.soft, 0, 0, 0, LifetimeNotice.hard, 0])
    expect(toldDevice).toEqual([0, LifetimeNotice.soft, 0, LifetimeNotice.hard])
    expect(exchange(ends).sent).toBe(DropCode.lifetimeOver)
    expect(ends.concentratorSa.sequenceLow).toBe(4)
  })

  it('C66 at the hard limit of one direction nothing is accepted in the other', () => {
    const ends = createEnds(SUITES[0], false, { sad: { lifetime: { hardPackets: 1 } } })
    exchange(ends)
    expect(ends.concentratorSa.checkLifetime()).toBe(LifetimeNotice.hard)
    const out = createEncapsulated()
    out.buffer = new Uint8Array(200)
    const packet = { bytes: withRoom(FROM_DEVICE), offset: 0, length: FROM_DEVICE.length }
    expect(encapsulate(ends.device, packet, out)).toBe(DropCode.none)
    const code = decapsulate(ends.concentrator, out.buffer.slice(0, out.length), createDecapsulated())
    expect(code).toBe(DropCode.lifetimeOver)
    expect(ends.concentratorSa.packetsIn).toBe(0)
  })

  it('C66 numbers count although their packets were lost, those of the peer too', () => {
    const ours = createEnds().concentratorSa
    ours.sequence.skipTo(0, 0xc0000000)
    expect(ours.checkLifetime()).toBe(LifetimeNotice.soft)
    const theirs = createEnds().concentratorSa
    theirs.replayWindow.commit(0, 0xffffffff)
    expect(theirs.checkLifetime()).toBe(LifetimeNotice.hard)
    const extended = createEnds(SUITES[0], true).concentratorSa
    extended.sequence.skipTo(0, 0xffffffff)
    expect(extended.checkLifetime()).toBe(LifetimeNotice.none)
  })
})
