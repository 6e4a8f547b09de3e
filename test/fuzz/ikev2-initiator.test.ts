/**
 * A short, repeatable run of the fuzzer of our initiator, and its corpus; `npm run fuzz -- ikev2-initiator` explores.
 */
import { expect, test } from 'vitest'
import { fuzzInitiator, replayToInitiator } from './ikev2-initiator-fuzz.ts'
import { INITIATOR_STEPS, readSteps, recordedInsides } from './step-corpus.ts'

const insides = [...readSteps(INITIATOR_STEPS).values()]

test('N28 every inside of SK in the corpus is handled as the model says, from an impostor and from the true gateway', () => {
  expect(insides.length).toBeGreaterThan(35)
  expect(replayToInitiator(insides).features.size).toBeGreaterThan(25)
})

test.each([1, 2, 10])('seed %i: an initiator survives 3000 datagrams of hostile gateways', (seed) => {
  const tally = fuzzInitiator(seed, 1_500, { insides: [...insides, ...recordedInsides()] })
  expect(tally.authentic).toBe(tally.inputs / 2)
  expect(tally.refused).toBeGreaterThan(60)
  expect(tally.attached).toBeGreaterThan(100)
  expect(tally.features.size).toBeGreaterThan(30)
})
