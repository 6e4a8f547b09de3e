/**
 * A short, repeatable run of the endpoint fuzzer; `npm run fuzz -- ikev2-endpoint` explores.
 */
import { expect, test } from 'vitest'
import { fuzzEndpoint } from './ikev2-endpoint-fuzz.ts'

test.each([1, 2, 3, 4])('seed %i: an endpoint with several IKE SAs survives 3000 hostile datagrams', (seed) => {
  const tally = fuzzEndpoint(seed, 1_500)
  expect(tally.answered).toBeGreaterThan(0)
})
