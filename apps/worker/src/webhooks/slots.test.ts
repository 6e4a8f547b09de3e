/** Fairness of sending, without a network. */
import { describe, expect, it } from 'vitest'
import { Rounds, Slots } from './slots.ts'

const slots = (fast: number, slow = 2, share = 0.5) => new Slots({ slots: { fast, slow }, share })

describe('slots', () => {
  it('are held by one organization up to its share, and by all up to their number', () => {
    const table = slots(8)
    for (let i = 0; i < 4; i++) table.take('fast', 'a')
    expect([table.isFree('fast', 'a'), table.isFree('fast', 'b')]).toEqual([false, true])
    for (let i = 0; i < 4; i++) table.take('fast', 'b')
    expect([table.isFree('fast', 'c'), table.isFree('slow', 'c')]).toEqual([false, true])
    table.give('fast', 'a')
    expect([table.isFree('fast', 'a'), table.isFree('fast', 'b')]).toEqual([true, false])
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
