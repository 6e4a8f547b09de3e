/** docs/guides/event-types.md and the catalogue of events say the same. */
import { eventTypes } from '@culvert/contracts'
import { describe, expect, it } from 'vitest'
import { eventPage, eventTable } from '../../scripts/event-guide.ts'
import { readBetweenMarks } from '../../scripts/generated-docs.ts'

describe('the guide to events', () => {
  const table = readBetweenMarks(eventPage)

  it('has every type of the catalogue once', () => {
    const told = [...table.matchAll(/^\| `([a-z_.]+)` \|/gm)].map(([, type]) => String(type))
    expect(told.toSorted()).toEqual([...eventTypes].toSorted())
  })

  it('says what the catalogue says; if not: npm run docs', () => {
    expect(table).toBe(eventTable())
  })
})
