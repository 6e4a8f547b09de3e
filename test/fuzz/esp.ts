/** `npm run fuzz -- esp`: explores with the ESP fuzzer, see `exploration.ts`. */
import { fuzzEsp } from './esp-fuzz.ts'
import { explore } from './exploration.ts'

let [passed, admitted] = [0, 0]

await explore({
  name: 'esp',
  batch: 20_000,
  run: (seed, inputs, { costly }) => fuzzEsp(seed, inputs, costly),
  tell: (tally) => {
    passed += tally.passed
    admitted += tally.admitted
  },
  figures: () => ({ passed, admitted }),
})
