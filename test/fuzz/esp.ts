/**
 * `npm run fuzz -- esp`: runs the ESP fuzzer until `--seconds N` (60) have passed, from `--seed N` (the clock).
 *
 * Prints one JSON line; a broken rule stops it with the input in hexadecimal, which then belongs into a test.
 */
import { parseArgs } from 'node:util'
import { fuzzEsp } from './esp-fuzz.ts'

const BATCH = 20_000

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
const firstSeed = Number(values.seed ?? Date.now() % 0x7fffffff)
const endMs = performance.now() + Number(values.seconds ?? 60) * 1000

let [inputs, passed, admitted] = [0, 0, 0]
for (let seed = firstSeed; performance.now() < endMs; seed++) {
  const tally = fuzzEsp(seed, BATCH)
  inputs += tally.inputs
  passed += tally.passed
  admitted += tally.admitted
}
const result = { figure: 'fuzz.esp.escapes', value: 0, unit: 'inputs', inputs, passed, admitted, seed: firstSeed }
process.stdout.write(`${JSON.stringify(result)}\n`)
