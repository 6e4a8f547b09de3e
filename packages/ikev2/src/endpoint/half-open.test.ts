import { describe, expect, test } from 'vitest'
import type { IkeSa } from '../sa/ike-sa.ts'
import { HalfOpenTable, type Newcomer } from './half-open.ts'
import type { Presence } from './presences.ts'

const LIMIT = 40
const SHARE = LIMIT / 4

type Asker = Partial<Omit<Newcomer, 'remote'>> & { readonly port?: number }

/** Adds what `makeRoom` lets in, and tells what was evicted for it. */
function scene(limit = LIMIT): {
  readonly table: HalfOpenTable
  readonly evicted: string[]
  readonly ask: (digest: string, address: string, nowMs?: number, asker?: Asker) => boolean
} {
  const table = new HalfOpenTable()
  const evicted: string[] = []
  const ask = (digest: string, address: string, nowMs = 0, { port = 500, ...who }: Asker = {}): boolean => {
    const newcomer = { remote: { address, port }, isThere: true, ticketOf: null, ...who }
    const place = table.makeRoom(newcomer, limit, nowMs, (sa) => {
      const name = String(sa.spiI)
      evicted.push(name)
      table.delete(name)
    })
    if (place !== null) table.add(digest, place, { spiI: digest } as unknown as IkeSa, nowMs)
    return place !== null
  }
  return { table, evicted, ask }
}

type Ask = ReturnType<typeof scene>['ask']

function attach(table: HalfOpenTable, devices: number, address = '192.0.1.200'): Presence[] {
  return Array.from({ length: devices }, (_, index) => table.attached(null, { address, port: 20_000 + index }))
}

function fill(ask: Ask, source: number, count: number, nowMs = 0): void {
  for (let index = 0; index < count; index += 1)
    ask(`${source}/${nowMs}/${index}`, `192.0.${source}.1`, nowMs, { isThere: false })
}

describe('the half-open table', () => {
  test('gives one source a quarter, then replaces its own oldest once it had time for its handshake', () => {
    const { table, evicted, ask } = scene()
    fill(ask, 1, SHARE + 3)
    expect(table.size).toBe(SHARE)
    expect(evicted).toEqual([])
    fill(ask, 1, 3, 2_000)
    expect(table.size).toBe(SHARE)
    expect(evicted).toEqual(['1/0/0', '1/0/1', '1/0/2'])
  })

  test('renews the places of a crowded source at a bounded rate only', () => {
    const { table, evicted, ask } = scene()
    for (let nowMs = 0; nowMs < 60_000; nowMs += 10) fill(ask, 1, 10, nowMs)
    expect(table.size).toBe(SHARE)
    expect(evicted.length).toBeLessThan(50 + 60_000 / 20)
  })

  test.each([
    ['an IPv4 /24', '198.51.100.1', '198.51.100.254', '198.51.101.1'],
    ['an IPv6 /48', '2001:db8:1:1::1', '2001:db8:1:ffff::2', '2001:db8:2::1'],
  ])('counts %s as one source', (_name, first, neighbour, stranger) => {
    const { table, evicted, ask } = scene()
    for (let index = 0; index < SHARE; index += 1) ask(`a${index}`, first)
    ask('b', neighbour, 2_000)
    expect(evicted).toEqual(['a0'])
    ask('c', stranger, 2_000)
    expect(table.size).toBe(SHARE + 1)
  })

  test('takes a place from the source that holds most when it is full', () => {
    const { table, evicted, ask } = scene()
    for (const source of [1, 2, 3]) fill(ask, source, SHARE)
    fill(ask, 4, SHARE - 1)
    fill(ask, 5, 1)
    expect(table.size).toBe(LIMIT)
    ask('new', '192.0.6.1')
    expect(table.size).toBe(LIMIT)
    expect(evicted).toHaveLength(1)
    expect(evicted[0]).toMatch(/^[123]\/0\/0$/)
    expect(table.get('5/0/0')).toBeDefined()
  })

  test('leaves what is under way alone when all sources hold alike', () => {
    const { table, evicted, ask } = scene()
    for (let source = 0; source < LIMIT; source += 1) fill(ask, source, 1)
    expect(ask('new', '192.0.99.1', 1_999)).toBe(false)
    expect(evicted).toEqual([])
    expect(ask('new', '192.0.99.1', 2_000)).toBe(true)
    expect(table.size).toBe(LIMIT)
  })

  test('knows a source no longer than it holds something', () => {
    const { table, ask } = scene()
    for (let round = 0; round < 1_000; round += 1) {
      ask('x', `10.${round >> 8}.${round & 255}.1`)
      table.delete('x')
    }
    expect(table.size).toBe(0)
    fill(ask, 1, SHARE)
    expect(table.size).toBe(SHARE)
  })

  test('stays within its bound and true to its count whatever comes and goes', () => {
    const { table, ask } = scene()
    const digests = new Set<string>()
    for (let round = 0; round < 5_000; round += 1) {
      const digest = `${(round * 7) % 97}`
      if (round % 3 === 0) table.delete(digest)
      else if (table.get(digest) === undefined) ask(digest, `192.0.${(round * 13) % 11}.1`, round)
      digests.add(digest)
      const held = [...digests].filter((known) => table.get(known) !== undefined).length
      expect(table.size).toBe(held)
      expect(table.size).toBeLessThanOrEqual(LIMIT)
    }
  })
})

describe('devices that are attached', () => {
  test('make room for as many more from their source, up to three quarters of the table', () => {
    for (const [devices, places] of [
      [0, SHARE],
      [5, SHARE + 5],
      [1_000, (LIMIT * 3) / 4],
    ] as const) {
      const { table, ask } = scene()
      attach(table, devices)
      fill(ask, 1, LIMIT)
      expect(table.size).toBe(places)
    }
  })

  test('keep the places of their source when a flood fills the table', () => {
    const { table, evicted, ask } = scene()
    attach(table, 8)
    fill(ask, 1, 8)
    for (let source = 2; source < 40; source += 1) fill(ask, source, 4, 3_000)
    expect(table.size).toBe(LIMIT)
    expect(evicted.filter((name) => name.startsWith('1/'))).toEqual([])
  })

  test('let their like in at the cost of who floods', () => {
    const { evicted, ask } = scene()
    for (let source = 2; source < 12; source += 1) fill(ask, source, 4)
    expect(ask('honest', '192.0.1.5', 3_000)).toBe(true)
    expect(evicted).toHaveLength(1)
  })

  test('count no more once they are gone', () => {
    const { table, ask } = scene()
    for (const presence of attach(table, 2)) table.detached(presence)
    fill(ask, 1, LIMIT)
    expect(table.size).toBe(SHARE)
  })
})

describe('hosts of one source', () => {
  const flooder = '192.0.1.66'
  const honest = '192.0.1.7'

  test('N19 who floods at full rate gives places up for a neighbour, at once and again and again', () => {
    const { table, ask } = scene()
    let letIn = 0
    for (let nowMs = 0; nowMs < 20_000; nowMs += 1) {
      ask(`f${nowMs}`, flooder, nowMs)
      if (nowMs % 500 !== 499) continue
      if (ask(`h${nowMs}`, honest, nowMs)) letIn += 1
      table.detached(table.attached(`h${nowMs}`, { address: honest, port: 500 }))
    }
    expect(letIn).toBe(40)
  })

  test('N19 the place of a neighbour stays his, however long he takes', () => {
    const { table, ask } = scene()
    ask('h', honest)
    for (let nowMs = 0; nowMs < 20_000; nowMs += 1) ask(`f${nowMs}`, flooder, nowMs)
    expect(table.get('h')).toBeDefined()
    expect(table.size).toBe(SHARE)
  })

  test('N19 several that flood soon hold alike, and leave the budget to who holds less', () => {
    const { ask } = scene()
    const letIn: boolean[] = []
    for (let nowMs = 0; nowMs < 20_000; nowMs += 1) {
      ask(`f${nowMs}`, `192.0.1.${60 + (nowMs % 3)}`, nowMs)
      if (nowMs % 4_000 === 3_999) letIn.push(ask(`h${nowMs}`, `192.0.1.${(nowMs + 1) / 4_000}`, nowMs))
    }
    expect(letIn).toEqual([true, true, true, true, true])
  })

  test('the addresses of one IPv6 /64 are one host, those of another a neighbour', () => {
    const { evicted, ask } = scene()
    for (let index = 0; index < SHARE; index += 1) ask(`f${index}`, `2001:db8:1:1::${index + 1}`)
    expect(ask('same', '2001:db8:1:1:ffff::1')).toBe(false)
    expect(ask('other', '2001:db8:1:2::1')).toBe(true)
    expect(evicted).toEqual(['f0'])
  })

  test('take places from each other at a bounded rate', () => {
    const { evicted, ask } = scene()
    for (let round = 0; round < 500; round += 1) {
      fill(ask, 1, SHARE, round)
      ask(`n${round}`, `192.0.1.${round % 250}`, round)
    }
    expect(evicted.length).toBeLessThan(2 * (50 + 500 / 20))
  })
})

describe('devices behind the one address of a carrier', () => {
  const carrier = '192.0.1.66'
  const flooder = { port: 10_666 }

  test('N19 who floods from one port gives places up for the others, at once and again and again', () => {
    const { table, ask } = scene()
    let letIn = 0
    for (let nowMs = 0; nowMs < 20_000; nowMs += 1) {
      ask(`f${nowMs}`, carrier, nowMs, flooder)
      if (nowMs % 500 !== 499) continue
      if (ask(`h${nowMs}`, carrier, nowMs, { port: nowMs })) letIn += 1
      table.detached(table.attached(`h${nowMs}`, { address: carrier, port: nowMs }))
    }
    expect(letIn).toBe(40)
  })

  test('N19 the place of a device stays its own, however long it takes', () => {
    const { table, ask } = scene()
    ask('h', carrier, 0, { port: 7 })
    for (let nowMs = 0; nowMs < 20_000; nowMs += 1) ask(`f${nowMs}`, carrier, nowMs, flooder)
    expect(table.get('h')).toBeDefined()
    expect(table.size).toBe(SHARE)
  })

  test('N19 many ports whose handshakes come to nothing leave most places to who has failed less', () => {
    const { table, ask } = scene(2_000)
    const letIn: boolean[] = []
    for (let nowMs = 0; nowMs < 120_000; nowMs += 4) {
      ask(`f${nowMs}`, carrier, nowMs, { port: 10_000 + ((nowMs / 4) % 1_000) })
      if (nowMs < 60_000 || nowMs % 500 !== 12) continue
      letIn.push(ask(`h${nowMs}`, carrier, nowMs, { port: nowMs / 4 }))
      table.detached(table.attached(`h${nowMs}`, { address: carrier, port: nowMs / 4 }))
    }
    expect(letIn).toHaveLength(120)
    expect(letIn.filter(Boolean).length).toBeGreaterThan(60)
  })

  test('N19 a port that anybody may have written is not held to have failed', () => {
    const { table, ask } = scene()
    for (let nowMs = 0; nowMs < 10_000; nowMs += 100) {
      ask(`f${nowMs}`, carrier, nowMs, { ...flooder, isThere: false })
      table.delete(`f${nowMs}`)
    }
    for (let index = 0; index < SHARE; index += 1) ask(`g${index}`, carrier, 10_000, { port: index })
    expect(ask('h', carrier, 12_000, flooder)).toBe(true)
  })

  test('RFC 5723 who brings a good ticket, or asks from where a device is attached, has a place that nobody else gets', () => {
    const { table, evicted, ask } = scene()
    table.attached(null, { address: carrier, port: 7 })
    for (let port = 100; port < 100 + LIMIT; port += 1) ask(`f${port}`, carrier, 0, { port })
    const full = table.size
    expect(ask('nobody', carrier, 0, { port: 8 })).toBe(false)
    expect(ask('ticket', carrier, 0, { port: 8, ticketOf: 'a' })).toBe(true)
    expect(ask('port', carrier, 0, { port: 7 })).toBe(true)
    expect(ask('forged', carrier, 0, { port: 7, isThere: false })).toBe(false)
    expect(table.size).toBe(full + 2)
    expect(evicted).toEqual([])
    for (const digest of ['ticket', 'port']) table.delete(digest)
    expect(table.size).toBe(full)
  })

  test('RFC 5723 the tickets of one device are worth two places, and those of all a quarter of the table', () => {
    const { table, ask } = scene()
    for (let source = 100; source < 100 + LIMIT; source += 1) fill(ask, source, 1)
    const letIn = (ticketOf: string): number =>
      [0, 1, 2, 3].filter((count) => ask(`${ticketOf}${count}`, carrier, 0, { ticketOf })).length
    expect(letIn('a')).toBe(2)
    for (const ticketOf of ['b', 'c', 'd', 'e', 'f', 'g']) letIn(ticketOf)
    expect(table.size).toBe(LIMIT + LIMIT / 4)
  })

  test('an attached device that moves is known where it is', () => {
    const { table, ask } = scene()
    const presence = table.attached(null, { address: carrier, port: 7 })
    table.detached(table.moved(table.moved(presence, { address: carrier, port: 8 }), { address: carrier, port: 9 }))
    const there = table.attached(null, { address: carrier, port: 7 })
    table.moved(there, { address: carrier, port: 8 })
    for (let port = 100; port < 100 + LIMIT; port += 1) ask(`f${port}`, carrier, 0, { port })
    expect([7, 8, 9].map((port) => ask(`h${port}`, carrier, 0, { port }))).toEqual([false, true, false])
  })
})

describe('N19 key exchanges for nothing', () => {
  const carrier = '192.0.1.66'
  const waste = (table: HalfOpenTable, port: number, nowMs: number): void =>
    table.noteWaste({ address: carrier, port }, nowMs, true)

  test('bar the port they came from, and none beside it', () => {
    const { table, ask } = scene()
    for (let nowMs = 0; nowMs < 20_000; nowMs += 100) if (ask(`f${nowMs}`, carrier, nowMs)) waste(table, 500, nowMs)
    expect(ask('same', carrier, 20_000)).toBe(false)
    expect(ask('other', carrier, 20_000, { port: 501 })).toBe(true)
  })

  test('from many ports bar the address for a while, but no device that is known', () => {
    const { table, ask } = scene()
    table.attached(null, { address: carrier, port: 7 })
    for (let port = 1_000; port < 1_100; port += 1) waste(table, port, 0)
    expect(ask('stranger', carrier, 0, { port: 501 })).toBe(false)
    expect(ask('neighbour', '192.0.2.66', 0)).toBe(true)
    expect(ask('attached', carrier, 0, { port: 7 })).toBe(true)
    expect(ask('ticket', carrier, 0, { port: 501, ticketOf: 'a' })).toBe(true)
    expect(ask('later', carrier, 2_000, { port: 501 })).toBe(true)
  })
})
