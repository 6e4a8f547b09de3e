import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Commit, ReplayWindow, replayWindowWords } from './replay-window.ts'

const MAX_LOW = 0xffffffff

describe('replay window', () => {
  it.each([64, 96, 1024, 4096])('agrees with a set of everything seen, %i packets', (windowPackets) => {
    const step = fc.oneof(
      fc.integer({ min: -2 * windowPackets, max: 2 * windowPackets }),
      fc.integer({ min: -3, max: 3 }),
      fc.integer({ min: -windowPackets - 1, max: -windowPackets + 1 }),
      fc.integer({ min: 0, max: 2 ** 31 }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: MAX_LOW }), (steps, start) => {
        const window = new ReplayWindow(windowPackets)
        const model = new ModelWindow(windowPackets)
        let low = start
        for (const difference of [0, ...steps]) {
          low = Math.max(0, Math.min(MAX_LOW, (model.top || start) + difference))
          expect(window.check(0, low)).toBe(model.accepts(low))
          expect(window.commit(0, low)).toBe(model.commit(low))
          expect(window.topLow).toBe(model.top)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('agrees with the model across the halves of extended sequence numbers', () => {
    const step = fc.oneof(fc.integer({ min: -140, max: 140 }), fc.integer({ min: 0, max: 2 ** 33 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const window = new ReplayWindow(128)
        const model = new ModelWindow(128)
        const start = 2 ** 32 - 20
        for (const difference of [0, ...steps]) {
          const number = Math.max(0, (model.top || start) + difference)
          const commit = window.commit(Math.floor(number / 2 ** 32), number % 2 ** 32)
          expect(commit).toBe(model.commit(number))
        }
      }),
    )
  })

  it.each([1, 5, 24, 30, 31, 32, 33, 40, 63])('forgets the last round of the ring when it moves by %i', (ahead) => {
    for (let start = 1000; start < 1032; start++) {
      const window = new ReplayWindow(64)
      for (let low = 1; low <= start; low++) window.commit(0, low)
      expect(window.commit(0, start + ahead)).toBe(Commit.advanced)
      for (let low = start + 1; low < start + ahead; low++) expect(window.check(0, low)).toBe(true)
      expect(window.check(0, start)).toBe(false)
    }
  })

  it('never accepts 0', () => {
    const window = new ReplayWindow(64)
    expect(window.check(0, 0)).toBe(false)
    expect(window.commit(0, 0)).toBe(Commit.replayed)
  })

  it('accepts 0 as the low half of a later subspace', () => {
    const window = new ReplayWindow(64)
    expect(window.commit(1, 0)).toBe(Commit.advanced)
    expect(window.commit(1, 0)).toBe(Commit.replayed)
    expect(window.commit(0, MAX_LOW)).toBe(Commit.inside)
  })

  it('accepts the last number once, and then only what is left in the window', () => {
    const window = new ReplayWindow(64)
    expect(window.commit(0, MAX_LOW)).toBe(Commit.advanced)
    expect(window.commit(0, MAX_LOW)).toBe(Commit.replayed)
    expect(window.commit(0, MAX_LOW - 63)).toBe(Commit.inside)
    expect(window.commit(0, MAX_LOW - 64)).toBe(Commit.replayed)
    expect(window.commit(0, 1)).toBe(Commit.replayed)
  })

  it('accepts the left edge of the window and nothing beyond', () => {
    const window = new ReplayWindow(64)
    window.commit(0, 1000)
    expect(window.check(0, 937)).toBe(true)
    expect(window.check(0, 936)).toBe(false)
  })

  it('changes nothing before the commit', () => {
    const window = new ReplayWindow(64)
    expect(window.check(0, 5)).toBe(true)
    expect(window.check(0, 5)).toBe(true)
    expect(window.topLow).toBe(0)
  })

  it('refuses the second of two packets that were both checked before', () => {
    const window = new ReplayWindow(64)
    expect([window.check(0, 5), window.check(0, 5)]).toEqual([true, true])
    expect([window.commit(0, 5), window.commit(0, 5)]).toEqual([Commit.advanced, Commit.replayed])
  })

  it.each([0, 1, 30, 31, 32, 63, 1000, MAX_LOW])('counts everything up to a resumed top of %i as seen', (top) => {
    const window = new ReplayWindow(128)
    window.resume(0, top)
    for (let low = Math.max(0, top - 200); low <= top; low++) expect(window.check(0, low)).toBe(false)
    for (let ahead = 1; ahead <= 200 && top + ahead <= MAX_LOW; ahead++) {
      expect(window.commit(0, top + ahead)).toBe(Commit.advanced)
    }
  })

  it('still finds numbers unseen after a resume skipped over them', () => {
    const window = new ReplayWindow(64)
    window.resume(0, 100)
    expect(window.commit(0, 110)).toBe(Commit.advanced)
    for (let low = 101; low < 110; low++) expect(window.commit(0, low)).toBe(Commit.inside)
    expect(window.commit(0, 100)).toBe(Commit.replayed)
  })

  it('lives in a slice of shared memory and touches nothing around it', () => {
    const words = replayWindowWords(256)
    const memory = new Uint32Array(new SharedArrayBuffer((words + 2) * 4)).fill(0xabcdef01)
    const slice = memory.subarray(1, 1 + words).fill(0)
    const window = new ReplayWindow(256, slice)
    for (let low = 1; low < 5000; low += 3) window.commit(0, low)
    expect(new ReplayWindow(256, slice).check(0, window.topLow)).toBe(false)
    expect([memory[0], memory[words + 1]]).toEqual([0xabcdef01, 0xabcdef01])
  })

  it.each([0, 63, 65, 4128])('refuses a size of %i', (windowPackets) => {
    expect(() => new ReplayWindow(windowPackets)).toThrow(RangeError)
  })
})

/** Remembers every number that was ever committed. */
class ModelWindow {
  readonly #windowPackets: number
  readonly #seen = new Set<number>()
  top = 0

  constructor(windowPackets: number) {
    this.#windowPackets = windowPackets
  }

  accepts(number: number): boolean {
    return number > 0 && number > this.top - this.#windowPackets && !this.#seen.has(number)
  }

  commit(number: number): Commit {
    if (!this.accepts(number)) return Commit.replayed
    this.#seen.add(number)
    if (number <= this.top) return Commit.inside
    this.top = number
    return Commit.advanced
  }
}
