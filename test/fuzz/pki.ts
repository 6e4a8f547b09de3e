/**
 * `npm run fuzz -- pki`: explores with the fuzzer of certificates, see `exploration.ts`. `--corpus` also writes the smallest input of
 * every outcome to `corpus/pki/outcomes.txt`, beside those already there.
 */
import { explore } from './exploration.ts'
import { fuzzPki } from './pki-fuzz.ts'
import { keepSmallest, readOutcomes, writeOutcomes } from './pki-corpus.ts'

const smallest = readOutcomes()
let good = 0

await explore({
  name: 'pki',
  batch: 20_000,
  run: (seed, inputs, { costly }) =>
    fuzzPki(seed, inputs, { costly, observe: (input, outcome) => keepSmallest(smallest, input, outcome) }),
  tell: (tally) => (good += tally.good),
  figures: () => ({ good }),
  writeCorpus: () => writeOutcomes(smallest),
})
