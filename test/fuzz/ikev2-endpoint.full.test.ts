/**
 * A long run of the endpoint fuzzer: a million hostile datagrams from other seeds than the short one has.
 */
import { expect, test } from 'vitest'
import { fuzzEndpoint } from './ikev2-endpoint-fuzz.ts'

const ROUNDS = 5_000
const INPUTS = 1_000_000
const FIRST_SEED = 0x7296_0101

test(
  'an endpoint with several IKE SAs survives 10^6 hostile datagrams',
  () => {
    let [inputs, answered] = [0, 0]
    for (let seed = FIRST_SEED; inputs < INPUTS; seed++) {
      try {
        const tally = fuzzEndpoint(seed, ROUNDS)
        inputs += tally.inputs
        answered += tally.answered
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause })
      }
    }
    expect(answered).toBeGreaterThan(0)
  },
  900_000,
)
