import { expect, test } from 'vitest'
import fc from 'fast-check'
import { TimerHeap, type Timed } from './timer-heap.ts'

interface Item extends Timed {
  readonly name: number
}

function item(name: number): Item {
  return { name, heapIndex: -1, dueMs: Infinity, dueOrder: 0 }
}

test('gives the earliest due item, nothing before its time', () => {
  const heap = new TimerHeap<Item>()
  heap.set(item(1), 30)
  heap.set(item(2), 10)
  heap.set(item(3), 20)
  expect(heap.nextMs).toBe(10)
  expect(heap.popDue(9)).toBeNull()
  expect([heap.popDue(25), heap.popDue(25), heap.popDue(25)].map((due) => due?.name)).toEqual([2, 3, undefined])
})

test('items due at the same time come in the order in which they were set', () => {
  const heap = new TimerHeap<Item>()
  const items = Array.from({ length: 20 }, (_, index) => item(index))
  for (const one of items) heap.set(one, 5)
  expect(items.map(() => heap.popDue(5)?.name)).toEqual(items.map(({ name }) => name))
})

test('Infinity takes an item out', () => {
  const heap = new TimerHeap<Item>()
  const one = item(1)
  heap.set(one, 5)
  heap.set(one, Infinity)
  expect([heap.size, heap.nextMs]).toEqual([0, null])
})

test('agrees with a sorted list under any sequence of set, remove and pop', () => {
  const action = fc.record({ kind: fc.constantFrom('set', 'remove', 'pop'), name: fc.nat(15), atMs: fc.nat(50) })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const heap = new TimerHeap<Item>()
      const items = Array.from({ length: 16 }, (_, index) => item(index))
      const model = new Map<number, number>()
      for (const { kind, name, atMs } of actions) {
        const one = items[name]
        if (one === undefined) continue
        if (kind === 'set') {
          heap.set(one, atMs)
          model.set(name, atMs)
        } else if (kind === 'remove') {
          heap.remove(one)
          model.delete(name)
        } else {
          const due = heap.popDue(atMs)
          const earliest = Math.min(...model.values())
          expect(due?.dueMs).toBe(earliest <= atMs ? earliest : undefined)
          if (due !== null) model.delete(due.name)
        }
        expect(heap.size).toBe(model.size)
        expect(heap.nextMs).toBe(model.size === 0 ? null : Math.min(...model.values()))
      }
    }),
  )
})
