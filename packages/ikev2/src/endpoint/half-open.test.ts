import { describe, expect, test } from 'vitest'
import type { IkeSa } from '../sa/ike-sa.ts'
import { HalfOpenTable } from './half-open.ts'

const LIMIT = 40
const SHARE = LIMIT / 4

/** Adds what `makeRoom` lets in, and tells what was evicted for it. */
function scene(): {
  readonly table: HalfOpenTable
  readonly evicted: string[]
  readonly ask: (digest: string, address: string, nowMs?: number) => boolean
} {
  const table = new HalfOpenTable()
  const evicted: string[] = []
  const ask = (digest: string, address: string, nowMs = 0): boolean => {
    const isLetIn = table.makeRoom(address, LIMIT, nowMs, (sa) => {
      const name = String(sa.spiI)
      evicted.push(name)
      table.delete(name)
    })
    if (isLetIn) table.add(digest, address, { spiI: digest } as unknown as IkeSa, nowMs)
    return isLetIn
  }
  return { table, evicted, ask }
}

type Ask = ReturnType<typeof scene>['ask']

function fill(ask: Ask, source: number, count: number, nowMs = 0): void {
  for (let index = 0; index < count; index += 1) ask(`${source}/${nowMs}/${index}`, `192.0.${source}.1`, nowMs)
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
      for (let count = 0; count < devices; count += 1) table.attached('192.0.1.200')
      fill(ask, 1, LIMIT)
      expect(table.size).toBe(places)
    }
  })

  test('keep the places of their source when a flood fills the table', () => {
    const { table, evicted, ask } = scene()
    for (let count = 0; count < 8; count += 1) table.attached('192.0.1.200')
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
    const origins = [table.attached('192.0.1.200'), table.attached('192.0.1.201')]
    for (const origin of origins) table.detached(origin)
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
      table.delete(`h${nowMs}`)
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
