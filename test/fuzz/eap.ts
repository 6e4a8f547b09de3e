/** `npm run fuzz -- eap`: explores with the EAP fuzzer, see `exploration.ts`; an input is a whole conversation. */
import { fuzzEap } from './eap-fuzz.ts'
import { explore } from './exploration.ts'

let successes = 0

await explore({
  name: 'eap',
  batch: 500,
  run: (seed, inputs, { costly }) => fuzzEap(seed, inputs, costly),
  tell: (tally) => (successes += tally.successes),
  figures: () => ({ successes }),
})
