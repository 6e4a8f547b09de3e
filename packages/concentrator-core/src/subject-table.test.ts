import { expect, it } from 'vitest'
import { createSubjectTable } from './subject-table.ts'

it('gives a device the same number for all its attachments, and another to everybody else', () => {
  const table = createSubjectTable(8)
  expect(table.hold('dev_a')).toEqual({ subject: 1, evicted: null })
  expect(table.hold('dev_b')).toEqual({ subject: 2, evicted: null })
  expect(table.hold('dev_a')).toEqual({ subject: 1, evicted: null })
  expect([table.deviceOf(1), table.deviceOf(2), table.deviceOf(3)]).toEqual(['dev_a', 'dev_b', undefined])
})

it('keeps the number of a device that left until it is needed, and takes the one that is free for longest', () => {
  const table = createSubjectTable(2)
  table.hold('dev_a')
  table.hold('dev_b')
  table.release('dev_b')
  table.release('dev_a')
  expect(table.hold('dev_a')).toEqual({ subject: 1, evicted: null })
  expect(table.hold('dev_c')).toEqual({ subject: 2, evicted: 'dev_b' })
  expect([table.subjectOf('dev_b'), table.subjectOf('dev_c'), table.deviceOf(2)]).toEqual([undefined, 2, 'dev_c'])
})

it('never gives a number away that an attachment holds', () => {
  const table = createSubjectTable(1)
  table.hold('dev_a')
  table.hold('dev_a')
  table.release('dev_a')
  expect(table.hold('dev_b')).toBeNull()
  table.release('dev_a')
  table.release('dev_a') // once too often: nothing is free twice
  expect(table.hold('dev_b')).toEqual({ subject: 1, evicted: 'dev_a' })
  expect(table.hold('dev_c')).toBeNull()
})
