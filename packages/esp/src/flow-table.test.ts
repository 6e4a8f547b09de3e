import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FLOW_CLOSING_SEC, FLOW_IDLE_SEC, FlowEnd, type FlowKey, FlowTable } from './flow-table.ts'

const KEY: FlowKey = {
  version: 4,
  deviceAddress: 0xf0000005,
  devicePort: 60_000,
  dialAddress: 0x0a7f0001,
  dialPort: 40_000,
  protocol: 6,
  high: new Uint32Array(6),
}

const KEY6: FlowKey = { ...KEY, version: 6, high: Uint32Array.of(0xfd800000, 0, 7, 0xfd7f0000, 0, 9) }

describe('flow table', () => {
  it('knows a flow by all five of its parts, also inside one bucket', () => {
    const table = new FlowTable({ maxFlows: 8, hashSeed: 1 })
    table.open(KEY, true)
    expect(table.has({ ...KEY })).toBe(true)
    for (const part of ['deviceAddress', 'devicePort', 'dialAddress', 'dialPort', 'protocol'] as const) {
      expect([part, table.has({ ...KEY, [part]: KEY[part] + 1 })]).toEqual([part, false])
    }
  })

  it('knows an IPv6 flow by every word of its addresses, and never takes it for the IPv4 flow of the same last words', () => {
    const table = new FlowTable({ maxFlows: 8, hashSeed: 1 })
    table.open(KEY6, true)
    expect([table.has({ ...KEY6, high: KEY6.high.slice() }), table.has(KEY)]).toEqual([true, false])
    for (let word = 0; word < 6; word++) {
      const high = KEY6.high.slice()
      high[word]!++
      expect([word, table.has({ ...KEY6, high })]).toEqual([word, false])
    }
    table.open(KEY, true)
    table.noteReset(KEY6)
    table.advanceTo(FLOW_CLOSING_SEC + 1)
    expect([table.has(KEY6), table.has(KEY)]).toEqual([false, true])
  })

  it('looks at nothing an IPv6 flow left in the entry of an IPv4 flow', () => {
    const table = new FlowTable({ maxFlows: 8, hashSeed: 1 })
    for (let sec = 0; sec < 16; sec++) {
      table.advanceTo(sec)
      table.open({ ...(sec < 8 ? KEY6 : KEY), dialPort: sec % 8 }, true)
    }
    expect(table.has({ ...KEY, dialPort: 3, high: KEY6.high })).toBe(true)
    expect(table.has({ ...KEY6, dialPort: 3 })).toBe(false)
  })

  it('spreads the flows of one IPv6 prefix over its buckets', () => {
    const table = new FlowTable({ maxFlows: 1024, hashSeed: 5 })
    const keys = Array.from({ length: 512 }, (_, i) => ({
      ...KEY6,
      high: Uint32Array.of(0xfd800000, i, 0, 0xfd7f0000, 0, 9),
    }))
    for (const key of keys) table.open(key, true)
    expect(keys.filter((key) => table.has(key)).length).toBeGreaterThan(490)
  })

  it('forgets a flow that was quiet for 15 minutes, unless an outbound packet refreshed it', () => {
    const table = new FlowTable({ maxFlows: 64, hashSeed: 1 })
    table.open(KEY, true)
    table.advanceTo(FLOW_IDLE_SEC)
    expect(table.refresh(KEY)).toBe(true)
    table.advanceTo(2 * FLOW_IDLE_SEC)
    expect(table.has(KEY)).toBe(true)
    table.advanceTo(2 * FLOW_IDLE_SEC + 1)
    expect([table.has(KEY), table.refresh(KEY)]).toEqual([false, false])
  })

  it('is not kept alive by looking at it', () => {
    const table = new FlowTable({ maxFlows: 64, hashSeed: 1 })
    table.open(KEY, true)
    for (let sec = 0; sec <= FLOW_IDLE_SEC; sec += 60) {
      table.advanceTo(sec)
      expect(table.has(KEY)).toBe(true)
    }
    table.advanceTo(FLOW_IDLE_SEC + 1)
    expect(table.has(KEY)).toBe(false)
  })

  it('forgets a reset flow after 2 minutes, and one with both FINs, but not one with a single FIN', () => {
    const ends: [string, (table: FlowTable) => void, boolean][] = [
      ['reset', (table) => table.noteReset(KEY), false],
      ['both', (table) => [FlowEnd.dial, FlowEnd.device].forEach((end) => table.noteFin(KEY, end)), false],
      ['half', (table) => [FlowEnd.dial, FlowEnd.dial].forEach((end) => table.noteFin(KEY, end)), true],
    ]
    for (const [what, end, isAlive] of ends) {
      const table = new FlowTable({ maxFlows: 64, hashSeed: 1 })
      table.open(KEY, true)
      end(table)
      table.advanceTo(FLOW_CLOSING_SEC)
      expect([what, table.has(KEY)]).toEqual([what, true])
      table.advanceTo(FLOW_CLOSING_SEC + 1)
      expect([what, table.has(KEY)]).toEqual([what, isAlive])
    }
  })

  it.each([
    ['opens a closing flow again with a SYN', true],
    ['leaves a closing flow closing with anything else', false],
  ])('%s', (_rule, isFresh) => {
    const table = new FlowTable({ maxFlows: 64, hashSeed: 1 })
    table.open(KEY, true)
    table.noteReset(KEY)
    table.advanceTo(FLOW_CLOSING_SEC)
    table.open(KEY, isFresh)
    table.advanceTo(2 * FLOW_CLOSING_SEC)
    expect(table.has(KEY)).toBe(true)
    table.advanceTo(2 * FLOW_CLOSING_SEC + 1)
    expect(table.has(KEY)).toBe(isFresh)
  })

  it('stays bounded: a full bucket loses its oldest flow and keeps the others', () => {
    const table = new FlowTable({ maxFlows: 8, hashSeed: 1 })
    expect(table.capacity).toBe(8)
    const flow = (dialPort: number): FlowKey => ({ ...KEY, dialPort })
    for (let i = 0; i < 8; i++) {
      table.advanceTo(i)
      table.open(flow(i), true)
    }
    table.refresh(flow(0))
    table.advanceTo(9)
    table.open(flow(100), true)
    expect([0, 1, 2, 7, 100].map((i) => table.has(flow(i)))).toEqual([true, false, true, true, true])
  })

  it.each([
    ['nobody answered', (): void => {}],
    ['were reset', (table: FlowTable, key: FlowKey): void => table.noteReset(key)],
    [
      'were closed',
      (table: FlowTable, key: FlowKey): void =>
        [FlowEnd.dial, FlowEnd.device].forEach((end) => {
          table.open(key, false)
          table.noteFin(key, end)
        }),
    ],
  ])('loses no quiet stream to a crowd of connections that %s, and those oldest first', (_what, end) => {
    const table = new FlowTable({ maxFlows: 8, hashSeed: 1 })
    const flow = (dialPort: number): FlowKey => ({ ...KEY, dialPort })
    table.open(KEY, true)
    table.open(KEY, false) // the dialer has heard its SYN-ACK
    for (let i = 0; i < 20; i++) {
      table.advanceTo(i + 1)
      table.open(flow(i), true)
      end(table, flow(i))
    }
    expect([table.has(KEY), ...[12, 13, 19].map((i) => table.has(flow(i)))]).toEqual([true, false, true, true])
  })

  it('agrees with a map of flows and times while nothing is evicted', () => {
    const step = fc.record({
      call: fc.constantFrom('open', 'refresh', 'reset', 'advance'),
      flow: fc.nat(5),
      sec: fc.constantFrom(1, 100, FLOW_CLOSING_SEC, FLOW_CLOSING_SEC + 1, FLOW_IDLE_SEC),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, hashSeed) => {
        const keyOf = (flow: number): FlowKey => ({ ...(flow % 2 === 0 ? KEY : KEY6), devicePort: flow >>> 1 })
        const table = new FlowTable({ maxFlows: 512, hashSeed })
        const model = new Map<number, { lastSec: number; idleSec: number }>()
        const refreshed: [found: boolean, expected: boolean][] = []
        let nowSec = 0
        const isLive = (flow: number): boolean => {
          const known = model.get(flow)
          return known !== undefined && nowSec - known.lastSec <= known.idleSec
        }
        for (const { call, flow, sec } of steps) {
          const key = keyOf(flow)
          if (call === 'advance') table.advanceTo((nowSec += sec))
          else if (call === 'open') {
            table.open(key, true)
            model.set(flow, { lastSec: nowSec, idleSec: FLOW_IDLE_SEC })
          } else if (call === 'refresh') {
            refreshed.push([table.refresh(key), isLive(flow)])
            if (isLive(flow)) model.get(flow)!.lastSec = nowSec
          } else {
            table.noteReset(key)
            if (isLive(flow)) model.get(flow)!.idleSec = FLOW_CLOSING_SEC
          }
          for (let other = 0; other <= 5; other++) expect(table.has(keyOf(other))).toBe(isLive(other))
        }
        for (const [found, expected] of refreshed) expect(found).toBe(expected)
      }),
    )
  })
})
