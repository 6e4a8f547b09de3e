/**
 * A long run of the codec fuzzer: a million inputs from other seeds than the short one has.
 */
import { expect, test } from 'vitest'
import { fuzzIkev2Codec, loadSeeds } from './ikev2-codec-fuzz.ts'

const BATCHES = 10
const BATCH = 100_000
const FIRST_SEED = 0x7296_0001

test('N28 the IKEv2 codec breaks no rule in 10^6 inputs', () => {
  const seeds = loadSeeds()
  let [inputs, decoded] = [0, 0]
  for (let batch = 0; batch < BATCHES; batch++) {
    const tally = fuzzIkev2Codec(FIRST_SEED + batch, BATCH, { seeds })
    inputs += tally.inputs
    decoded += tally.decoded
  }
  expect(inputs).toBe(BATCHES * BATCH)
  expect(decoded).toBeGreaterThan(inputs / 5)
}, 600_000)
