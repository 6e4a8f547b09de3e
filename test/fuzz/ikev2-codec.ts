/**
 * `npm run fuzz -- ikev2-codec`: runs the IKEv2 codec fuzzer until `--seconds N` (60) have passed, from `--seed N` (the clock).
 * `--corpus` also writes the smallest input of every refusal to `corpus/ikev2/refusals.txt`, beside those already there.
 *
 * Prints one JSON line; a broken rule stops it with the input in hexadecimal, which then belongs into a test.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { toHex } from '@culvert/bytes'
import { fuzzIkev2Codec, loadSeeds, type Observer } from './ikev2-codec-fuzz.ts'

const CORPUS = new URL('corpus/ikev2/refusals.txt', import.meta.url)
const BATCH = 50_000

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, corpus: { type: 'boolean' } },
})
const firstSeed = Number(values.seed ?? Date.now() % 0x7fffffff)
const endMs = performance.now() + Number(values.seconds ?? 60) * 1000
const smallest = new Map(values.corpus === true ? readCorpus() : [])
const seeds = loadSeeds()

let inputs = 0
let decoded = 0
for (let seed = firstSeed; performance.now() < endMs; seed++) {
  const tally = fuzzIkev2Codec(seed, BATCH, seeds, values.corpus === true ? keepSmallest : undefined)
  inputs += tally.inputs
  decoded += tally.decoded
}
if (values.corpus === true) writeCorpus()
const result = { figure: 'fuzz.ikev2_codec.escapes', value: 0, unit: 'inputs', inputs, decoded, seed: firstSeed }
process.stdout.write(`${JSON.stringify(result)}\n`)

/** Unknown types of one kind would fill the corpus with the same refusal: two of them stand for all. */
function isKnown(payloadType: number): boolean {
  return payloadType <= 1 || payloadType === 255 || (payloadType >= 33 && payloadType <= 48) || payloadType === 53
}

function keepSmallest(...[entry, input, outcome]: Parameters<Observer>): void {
  if (outcome.ok || !isKnown(outcome.payloadType)) return
  const key = `${entry} ${outcome.code} ${outcome.payloadType}`
  const line = `${key} ${input.firstType} ${toHex(input.bytes)}`
  if (line.length < (smallest.get(key)?.length ?? Infinity)) smallest.set(key, line)
}

function readCorpus(): [key: string, line: string][] {
  const lines = readFileSync(CORPUS, 'utf8').split('\n')
  const entries = lines.filter((line) => line !== '' && !line.startsWith('#'))
  return entries.map((line) => [line.split(' ').slice(0, 3).join(' '), line])
}

function writeCorpus(): void {
  const head =
    '# entry, code, payload type, first payload type (inside SK), octets; written by `npm run fuzz -- ikev2-codec --corpus`'
  writeFileSync(CORPUS, `${[head, ...[...smallest.values()].toSorted()].join('\n')}\n`)
}
