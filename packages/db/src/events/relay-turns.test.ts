import { describe, expect, it } from 'vitest'
import { shareOut } from './relay-turns.ts'

const bounds = { events: 1_000, rows: 10_000 }
const waiting = (count: number, weight = 1) =>
  Array.from({ length: count }, (_, index) => ({ id: `org_${weight}_${index}`, weight }))
/** Rows that the pass may come to. */
const rowsOf = (shares: ReadonlyMap<string, number>): number =>
  [...shares].reduce((sum, [id, events]) => sum + events * Number(id.split('_')[1]), 0)

describe('a pass of the relay', () => {
  it('is of one organization where no other one has events', () => {
    expect([...shareOut(waiting(1), bounds)]).toEqual([['org_1_0', 1_000]])
    expect([...shareOut([], bounds)]).toEqual([])
  })

  it('is shared by all that have events, by events and by rows', () => {
    const shares = shareOut([...waiting(1, 100), ...waiting(3)], bounds)
    expect(Object.fromEntries(shares)).toEqual({ org_100_0: 25, org_1_0: 250, org_1_1: 250, org_1_2: 250 })
  })

  it.each([1, 2, 7, 99, 100, 101, 5_000])(
    'of %i organizations with 100 endpoints each writes a bounded number of rows',
    (count) => {
      const shares = shareOut(waiting(count, 100), bounds)
      expect(shares.size).toBe(Math.min(count, 100))
      expect(rowsOf(shares)).toBeLessThanOrEqual(bounds.rows)
      expect(Math.min(...shares.values())).toBeGreaterThanOrEqual(1)
    },
  )

  it('takes one event at least, however many rows that may be', () => {
    expect([...shareOut(waiting(2, 20_000), bounds)]).toEqual([['org_20000_0', 1]])
  })
})
