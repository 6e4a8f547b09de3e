/**
 * `npm run fuzz -- ikev2-endpoint`: explores with the endpoint fuzzer, see `exploration.ts`. `--corpus` also writes a small inside of
 * SK for every transition and answer seen to `corpus/ikev2/steps.txt`, beside those already there.
 */
import { explore } from './exploration.ts'
import { fuzzEndpoint } from './ikev2-endpoint-fuzz.ts'
import { ENDPOINT_STEPS, keepSmaller, readSteps, recordedInsides, writeSteps } from './step-corpus.ts'

const steps = readSteps(ENDPOINT_STEPS)
const insides = [...steps.values(), ...recordedInsides()]

await explore({
  name: 'ikev2-endpoint',
  batch: 10_000,
  run: (seed, inputs, { costly }) => fuzzEndpoint(seed, Math.ceil(inputs / 2), { insides, costly }),
  tell: ({ features }) => keepSmaller(steps, features),
  writeCorpus: () => writeSteps(ENDPOINT_STEPS, steps),
})
