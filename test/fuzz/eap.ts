/**
 * `npm run fuzz -- eap`: runs the EAP fuzzer until `--seconds N` (60) have passed, from `--seed N` (the clock).
 *
 * Prints one JSON line; a broken rule stops it with seed and packet, which then belong into a test.
 */
import { parseArgs } from 'node:util'
import { fuzzEap } from './eap-fuzz.ts'

const BATCH = 500

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
const firstSeed = Number(values.seed ?? Date.now() % 0x7fffffff)
const endMs = performance.now() + Number(values.seconds ?? 60) * 1000

let [conversations, successes] = [0, 0]
for (let seed = firstSeed; performance.now() < endMs; seed++) {
  const tally = await fuzzEap(seed, BATCH)
  conversations += tally.conversations
  successes += tally.successes
}
const result = {
  figure: 'fuzz.eap.escapes',
  value: 0,
  unit: 'conversations',
  conversations,
  successes,
  seed: firstSeed,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
