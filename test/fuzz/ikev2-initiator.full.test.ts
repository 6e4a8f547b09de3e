/** A long run of the fuzzer of our initiator, from other seeds than the short one has. */
import { expect, test } from 'vitest'
import { fuzzInitiator } from './ikev2-initiator-fuzz.ts'
import { INITIATOR_STEPS, readSteps, recordedInsides } from './step-corpus.ts'

const BATCHES = 20
const ROUNDS = 5_000
const FIRST_SEED = 0x7296_0201

test('N28 an initiator survives 200000 datagrams of hostile gateways', () => {
  const insides = [...readSteps(INITIATOR_STEPS).values(), ...recordedInsides()]
  let refused = 0
  for (let batch = 0; batch < BATCHES; batch++)
    refused += fuzzInitiator(FIRST_SEED + batch, ROUNDS, { insides }).refused
  expect(refused).toBeGreaterThan(5_000)
}, 900_000)
