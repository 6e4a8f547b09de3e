/**
 * Runs the ESP fuzzer for 20 000 inputs from a fixed seed.
 */
import { describe, expect, it } from 'vitest'
import { fuzzEsp } from './esp-fuzz.ts'

describe('fuzzing ESP', () => {
  const tally = fuzzEsp(0xe59, 20_000)

  it('N28 breaks no rule in 20000 inputs, a third of them sealed with valid keys', () => {
    expect(tally.inputs).toBe(20_000)
    expect(tally.passed).toBeGreaterThan(1500)
    expect(tally.admitted).toBeGreaterThan(500)
    expect(tally.passed).toBeGreaterThan(tally.admitted)
  })

  it('N28 reaches every check before and behind the ICV', () => {
    const reached = [...tally.drops.keys()].toSorted()
    expect(reached).toEqual([
      'datagram badIcv',
      'datagram misaligned',
      'datagram replayed',
      'datagram runt',
      'datagram truncated',
      'datagram unknownSpi',
      'datagram zeroSequence',
      'sealed admitted',
      'sealed badNextHeader',
      'sealed badPadding',
      'sealed dummy',
      'sealed innerMalformed',
      'sealed kept out',
      'sealed selectorMismatch',
    ])
  })
})
