/** Fairness of sending, without a network. */
import { describe, expect, it } from 'vitest'
import { Rounds, Slots, type Lane } from './slots.ts'

const slots = (fast: number, slow = 2, share = 0.5) =>
  new Slots({ slots: { fast, slow }, share, all: 4 * (fast + slow) })

/** Takes all that it may. @returns how many */
function fill(table: Slots, lane: Lane, organizationId: string): number {
  let taken = 0
  for (; table.isFree(lane, organizationId); taken++) table.take(lane, organizationId)
  return taken
}

const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${index}`)

/** Each takes one after the other, until none may take any more. @returns how many each has taken */
function fillInTurn(table: Slots, lane: Lane, organizations: readonly string[]): number[] {
  const taken = organizations.map(() => 0)
  for (let before = -1, after = 0; before < after;) {
    before = after
    for (const [at, id] of organizations.entries()) {
      if (!table.isFree(lane, id)) continue
      table.take(lane, id)
      taken[at] = (taken[at] ?? 0) + 1
      after++
    }
  }
  return taken
}

describe('slots', () => {
  it('are held by one organization up to its share, and by all up to their number', () => {
    const table = slots(8)
    expect(fill(table, 'fast', 'a')).toBe(4)
    expect(table.isFree('fast', 'b')).toBe(true)
    for (let i = 0; i < 4; i++) table.take('fast', 'b')
    expect([table.isFree('fast', 'c'), table.isFree('slow', 'c')]).toEqual([false, true])
    for (let i = 0; i < 4; i++) table.give('fast', 'a')
    expect([table.isFree('fast', 'a'), table.isFree('fast', 'b')]).toEqual([true, false])
  })

  it.each([4, 16, 50])('leave room for others when %i organizations take all they may, in turn', (count) => {
    for (const lane of ['fast', 'slow'] as const) {
      const table = slots(128, 64, 0.25)
      const held = fillInTurn(table, lane, named(count))
      expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1)
      expect(table.isFree(lane, 'late')).toBe(true)
    }
  })

  it('are one for an organization whose requests hang, and more again with each that is answered in time', () => {
    const table = slots(128, 64, 0.25)
    expect(fill(table, 'fast', 'a')).toBe(32)
    for (let i = 0; i < 32; i++) table.demote('a')
    expect(fill(table, 'fast', 'a')).toBe(1)
    for (let i = 0; i < 32; i++) table.give('slow', 'a')
    expect(table.isFree('fast', 'a')).toBe(false)
    table.give('fast', 'a')
    expect(fill(table, 'fast', 'a')).toBe(2)
    for (let i = 0; i < 60; i++) {
      table.give('fast', 'a')
      table.take('fast', 'a')
    }
    expect(fill(table, 'fast', 'a')).toBe(30)
    expect(fill(table, 'fast', 'b')).toBeGreaterThan(20)
  })

  it('are there for others at each moment, however long sixteen organizations whose hosts hang go on', () => {
    const table = slots(128, 64, 0.25)
    const hanging = named(16)
    for (let moment = 0; moment < 50; moment++) {
      const [well = 0, ...begun] = fillInTurn(table, 'fast', ['well', ...hanging])
      expect(well).toBeGreaterThan(moment === 0 ? 5 : 20)
      for (const [at, id] of hanging.entries()) for (let i = begun[at] ?? 0; i > 0; i--) table.demote(id)
      for (let i = 0; i < well; i++) table.give('fast', 'well')
    }
    expect(table.isFree('slow', 'well')).toBe(true)
  })

  it('of requests that take long are free for others, and nothing new begins in a slow lane that is too full', () => {
    const table = slots(4, 2, 1)
    for (let i = 0; i < 4; i++) table.take('fast', 'a')
    expect(table.isFree('fast', 'b')).toBe(false)
    for (let i = 0; i < 4; i++) table.demote('a')
    expect([table.isFree('fast', 'b'), table.isFree('slow', 'b')]).toEqual([true, false])
    for (let i = 0; i < 4; i++) table.give('slow', 'a')
    expect(table.isFree('slow', 'b')).toBe(true)
  })

  it('of one organization whose endpoints all take long are bounded, and it holds no more than its share of the slow lane', () => {
    const table = slots(128, 64, 0.25)
    let begun = 0
    for (; begun < 200 && table.isFree('fast', 'a'); begun++) {
      table.take('fast', 'a')
      table.demote('a')
    }
    expect(begun).toBe(32 + 16)
    expect([table.isFree('fast', 'a'), table.isFree('slow', 'a')]).toEqual([false, false])
    let others = 0
    for (; table.isFree('slow', `b${others}`); others++) table.take('slow', `b${others}`)
    expect(others).toBe(64 - 16)
    for (let i = 0; i < 33; i++) table.give('slow', 'a')
    expect([table.isFree('fast', 'a'), table.isFree('slow', 'c')]).toEqual([true, true])
    for (let i = 33; i < begun; i++) table.give('slow', 'a')
    for (let i = 0; i < others; i++) table.give('slow', `b${i}`)
    for (let i = 0; i < 64; i++) {
      expect(table.isFree('slow', `c${i}`)).toBe(true)
      table.take('slow', `c${i}`)
    }
    expect(table.isFree('slow', 'd')).toBe(false)
  })

  it('are one at least for each organization, however small its share', () => {
    expect(slots(4, 2, 0.01).isFree('slow', 'a')).toBe(true)
  })
})

describe('rounds', () => {
  it('give each organization its turn, however many endpoints another one has', () => {
    const rounds = new Rounds<{ id: string; organizationId: string }>()
    for (const id of ['a1', 'a2', 'a3', 'b1', 'c1']) rounds.add({ id, organizationId: id.charAt(0) })
    const taken = Array.from(
      { length: 8 },
      () =>
        rounds.next(
          () => true,
          () => true,
        )?.id,
    )
    expect(taken).toEqual(['a1', 'b1', 'c1', 'a2', 'b1', 'c1', 'a3', 'b1'])
  })

  it('pass over who may not, without losing its turn', () => {
    const rounds = new Rounds<{ id: string; organizationId: string }>()
    const [one, other] = [
      { id: 'a1', organizationId: 'a' },
      { id: 'b1', organizationId: 'b' },
    ]
    rounds.add(one)
    rounds.add(other)
    expect(
      rounds.next(
        (id) => id !== 'a',
        () => true,
      ),
    ).toBe(other)
    expect(
      rounds.next(
        () => true,
        ({ id }) => id !== 'a1',
      ),
    ).toBe(other)
    expect(
      rounds.next(
        () => true,
        () => true,
      ),
    ).toBe(one)
    rounds.remove(one)
    rounds.remove(other)
    expect(
      rounds.next(
        () => true,
        () => true,
      ),
    ).toBeNull()
  })
})
