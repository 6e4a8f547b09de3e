/** A long run of the certificate fuzzer, from other seeds than the short one has. */
import { expect, test } from 'vitest'
import { fuzzPki } from './pki-fuzz.ts'

const BATCHES = 5
const BATCH = 20_000
const FIRST_SEED = 0x5280_0001

test('N14 X.509 breaks no rule in 100000 damaged inputs', () => {
  let good = 0
  for (let batch = 0; batch < BATCHES; batch++) good += fuzzPki(FIRST_SEED + batch, BATCH).good
  expect(good).toBeGreaterThan(5_000)
}, 600_000)
