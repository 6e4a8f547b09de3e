/**
 * A short, repeatable run of the endpoint fuzzer, and its corpus; `npm run fuzz -- ikev2-endpoint` explores.
 */
import { expect, test } from 'vitest'
import { fuzzEndpoint, replayInsides } from './ikev2-endpoint-fuzz.ts'
import { ENDPOINT_STEPS, readSteps, recordedInsides } from './step-corpus.ts'

const insides = [...readSteps(ENDPOINT_STEPS).values()]

test('N28 every inside of SK in the corpus is handled as the model says, attached or not', () => {
  expect(insides.length).toBeGreaterThan(15)
  expect(replayInsides(insides).features.size).toBeGreaterThan(25)
})

test.each([1, 2, 3, 4])('seed %i: an endpoint with several IKE SAs survives 3000 hostile datagrams', (seed) => {
  const tally = fuzzEndpoint(seed, 1_500, { insides: [...insides, ...recordedInsides()] })
  expect(tally.authentic).toBe(tally.inputs / 2)
  expect(tally.answered).toBeGreaterThan(1_000)
  expect(tally.features.size).toBeGreaterThan(35)
})
