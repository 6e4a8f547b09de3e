/**
 * `npm run fuzz -- ikev2-endpoint`: runs the endpoint fuzzer until `--seconds N` (60) have passed, from `--seed N` (the clock).
 * `--inputs N` stops it after so many instead.
 *
 * Prints one JSON line; a broken rule stops it, and the seed in the message repeats it.
 */
import { parseArgs } from 'node:util'
import { fuzzEndpoint } from './ikev2-endpoint-fuzz.ts'

const ROUNDS = 5_000

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, inputs: { type: 'string' } },
})
const firstSeed = Number(values.seed ?? Date.now() % 0x7fffffff)
const limit = Number(values.inputs ?? Infinity)
const endMs = performance.now() + (values.inputs === undefined ? Number(values.seconds ?? 60) * 1000 : Infinity)

let inputs = 0
for (let seed = firstSeed; performance.now() < endMs && inputs < limit; seed++) {
  try {
    inputs += fuzzEndpoint(seed, ROUNDS).inputs
  } catch (cause) {
    throw new Error(`seed ${seed}`, { cause })
  }
}
const result = { figure: 'fuzz.ikev2_endpoint.escapes', value: 0, unit: 'inputs', inputs, seed: firstSeed }
process.stdout.write(`${JSON.stringify(result)}\n`)
