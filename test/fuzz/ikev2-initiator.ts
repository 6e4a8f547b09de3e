/**
 * `npm run fuzz -- ikev2-initiator`: explores with the fuzzer of our initiator, see `exploration.ts`. `--corpus` also writes a small
 * inside of SK for every transition and answer seen to `corpus/ikev2/initiator-steps.txt`, beside those already there.
 */
import { explore } from './exploration.ts'
import { fuzzInitiator } from './ikev2-initiator-fuzz.ts'
import { INITIATOR_STEPS, keepSmaller, readSteps, recordedInsides, writeSteps } from './step-corpus.ts'

const steps = readSteps(INITIATOR_STEPS)
const insides = [...steps.values(), ...recordedInsides()]
let [refused, attached] = [0, 0]

await explore({
  name: 'ikev2-initiator',
  batch: 10_000,
  run: (seed, inputs, { costly }) => fuzzInitiator(seed, Math.ceil(inputs / 2), { insides, costly }),
  tell: (tally) => {
    keepSmaller(steps, tally.features)
    refused += tally.refused
    attached += tally.attached
  },
  figures: () => ({ refused, attached }),
  writeCorpus: () => writeSteps(INITIATOR_STEPS, steps),
})
