import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { number4 } from '../test/packets.ts'
import { HostMappings, isSynthetic, SYNTHETIC_BLOCK, SYNTHETIC_COUNT } from './host-mappings.ts'

const HOST = number4('192.168.1.20')
const FIRST = SYNTHETIC_BLOCK + 1

describe('host mappings', () => {
  it('knows its block (RFC 2544) and nothing beside it', () => {
    expect(isSynthetic(number4('198.18.0.0'))).toBe(true)
    expect(isSynthetic(number4('198.19.255.255'))).toBe(true)
    expect(isSynthetic(number4('198.17.255.255'))).toBe(false)
    expect(isSynthetic(number4('198.20.0.0'))).toBe(false)
    expect(isSynthetic(number4('70.18.0.1'))).toBe(false)
  })

  it('keeps the same host of two devices apart', () => {
    const mappings = new HostMappings(1)
    expect(mappings.set(FIRST, 7, HOST)).toBe(true)
    expect(mappings.set(FIRST + 1, 8, HOST)).toBe(true)
    expect([mappings.syntheticOf(7, HOST), mappings.syntheticOf(8, HOST)]).toEqual([FIRST, FIRST + 1])
    expect([mappings.subjectOf(FIRST), mappings.subjectOf(FIRST + 1)]).toEqual([7, 8])
    expect(mappings.hostOf(FIRST + 1)).toBe(HOST)
    expect(mappings.syntheticOf(9, HOST)).toBe(0)
  })

  it('maps one to one: what is mapped anew loses its old partner on either side', () => {
    const mappings = new HostMappings(2)
    mappings.set(FIRST, 7, HOST)
    mappings.set(FIRST + 5, 7, HOST)
    expect([mappings.subjectOf(FIRST), mappings.syntheticOf(7, HOST)]).toEqual([0, FIRST + 5])
    mappings.set(FIRST + 5, 7, HOST + 1)
    expect([mappings.syntheticOf(7, HOST), mappings.syntheticOf(7, HOST + 1)]).toEqual([0, FIRST + 5])
    expect(mappings.size).toBe(1)
  })

  it('refuses what is no synthetic address and no subject', () => {
    const mappings = new HostMappings(3)
    expect(mappings.set(HOST, 7, HOST)).toBe(false)
    expect(mappings.set(SYNTHETIC_BLOCK + SYNTHETIC_COUNT, 7, HOST)).toBe(false)
    expect(mappings.set(FIRST, 0, HOST)).toBe(false)
    mappings.delete(HOST)
    expect([mappings.size, mappings.subjectOf(HOST)]).toEqual([0, 0])
  })

  it('agrees with two plain maps whatever is set and deleted', () => {
    const step = fc.record({
      index: fc.integer({ min: 0, max: 40 }),
      subject: fc.integer({ min: 1, max: 4 }),
      host: fc.integer({ min: 0, max: 12 }).map((last) => HOST + last),
      isDeletion: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer(), (steps, seed) => {
        const mappings = new HostMappings(seed)
        const model = new Map<number, string>()
        for (const { index, subject, host, isDeletion } of steps) {
          const synthetic = SYNTHETIC_BLOCK + index
          const key = `${subject} ${host}`
          if (isDeletion) {
            mappings.delete(synthetic)
            model.delete(synthetic)
            continue
          }
          for (const [other, otherKey] of model) if (otherKey === key) model.delete(other)
          model.set(synthetic, key)
          mappings.set(synthetic, subject, host)
        }
        expect(mappings.size).toBe(model.size)
        for (let index = 0; index <= 40; index++) {
          const synthetic = SYNTHETIC_BLOCK + index
          const subject = mappings.subjectOf(synthetic)
          expect(subject === 0 ? undefined : `${subject} ${mappings.hostOf(synthetic)}`).toBe(model.get(synthetic))
        }
        for (const [synthetic, key] of model) {
          const [subject, host] = key.split(' ').map(Number)
          expect(mappings.syntheticOf(subject!, host!)).toBe(synthetic)
        }
      }),
    )
  })

  it('holds the whole block', () => {
    const mappings = new HostMappings(4)
    for (let i = 0; i < SYNTHETIC_COUNT; i++) mappings.set(SYNTHETIC_BLOCK + i, (i % 100) + 1, i)
    expect(mappings.size).toBe(SYNTHETIC_COUNT)
    for (let i = 0; i < SYNTHETIC_COUNT; i += 997)
      expect(mappings.syntheticOf((i % 100) + 1, i)).toBe(SYNTHETIC_BLOCK + i)
    for (let i = 0; i < SYNTHETIC_COUNT; i++) mappings.delete(SYNTHETIC_BLOCK + i)
    expect([mappings.size, mappings.syntheticOf(1, 0)]).toEqual([0, 0])
  })
})
