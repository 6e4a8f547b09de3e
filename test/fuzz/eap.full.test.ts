/** A long run of the EAP fuzzer, from other seeds than the short one has. */
import { expect, it } from 'vitest'
import { fuzzEap } from './eap-fuzz.ts'

const BATCHES = 10
const BATCH = 1_000
const FIRST_SEED = 0x5216_0001

it('N25 EAP breaks no rule on either end in 10000 damaged conversations', async () => {
  let successes = 0
  for (let batch = 0; batch < BATCHES; batch++) successes += (await fuzzEap(FIRST_SEED + batch, BATCH)).successes
  expect(successes).toBeGreaterThan(500)
}, 600_000)
