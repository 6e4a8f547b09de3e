import { expect, it } from 'vitest'
import { PulseWatch } from './pulse-watch.ts'

it('names the worker whose pulse stands still for several looks, and none that goes on however slowly', () => {
  const watch = new PulseWatch()
  const looks = Array.from({ length: 12 }, (_, look) => watch.look([look, 7, look >>> 1]))
  expect(looks).toEqual([...Array<number>(10).fill(-1), 1, 1])
})

it('begins anew when the pulse is back', () => {
  const watch = new PulseWatch()
  const pulses = [1, 1, 1, 1, 1, 1, 1, 1, 1, ...Array<number>(11).fill(2)]
  expect(pulses.map((pulse) => watch.look([pulse]))).toEqual([...Array<number>(19).fill(-1), 0])
})
