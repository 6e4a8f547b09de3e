/**
 * A long run of the ESP fuzzer: a million inputs from other seeds than the short one has.
 */
import { expect, test } from 'vitest'
import { fuzzEsp } from './esp-fuzz.ts'

const BATCHES = 50
const BATCH = 20_000
const FIRST_SEED = 0x4303_0001

test('N28 ESP breaks no rule in 10^6 inputs', () => {
  let [inputs, passed, admitted] = [0, 0, 0]
  for (let batch = 0; batch < BATCHES; batch++) {
    const tally = fuzzEsp(FIRST_SEED + batch, BATCH)
    inputs += tally.inputs
    passed += tally.passed
    admitted += tally.admitted
  }
  expect(inputs).toBe(BATCHES * BATCH)
  expect(passed).toBeGreaterThan(inputs / 20)
  expect(admitted).toBeGreaterThan(inputs / 50)
}, 600_000)
