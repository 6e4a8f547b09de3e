import { DropCode } from '@culvert/esp'
import { describe, expect, it } from 'vitest'
import { Faults } from './faults.ts'

describe('bugs that packets meet', () => {
  it('are told and counted, and end the worker only when they repeat within a minute', () => {
    const clock = { nowMs: 5 }
    const told: string[] = []
    const faults = new Faults(clock, ({ message }) => told.push(message))
    const note = (): DropCode => faults.note(new RangeError('outside'))
    for (let minute = 0; minute < 3; minute++) {
      for (let count = 0; count < 16; count++) expect(note()).toBe(DropCode.internalFault)
      clock.nowMs += 60_000
    }
    expect(told).toEqual(Array(48).fill('outside'))
    for (let count = 0; count < 16; count++) note()
    clock.nowMs += 59_999
    expect(note).toThrow('outside')
  })
})
