/** A short, repeatable run of the certificate fuzzer, and its corpus; `npm run fuzz -- pki` explores. */
import { expect, test } from 'vitest'
import { readOutcomes } from './pki-corpus.ts'
import { checkPki, fuzzPki } from './pki-fuzz.ts'

const known = [...readOutcomes().values()]

test('N14 every input of the corpus comes to what it always came to', () => {
  expect(known.length).toBeGreaterThan(25)
  expect(known.map(({ input }) => checkPki(input))).toEqual(known.map(({ outcome }) => outcome))
})

test('N14 X.509 breaks no rule in 5000 damaged inputs, half of them signed after the damage', () => {
  const tally = fuzzPki(0x5280, 5_000)
  expect(tally.good).toBeGreaterThan(250)
  expect(tally.outcomes.size).toBeGreaterThan(22)
})
