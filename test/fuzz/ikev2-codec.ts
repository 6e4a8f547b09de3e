/**
 * `npm run fuzz -- ikev2-codec`: explores with the IKEv2 codec fuzzer, see `exploration.ts`. `--corpus` also writes the smallest input
 * of every refusal to `corpus/ikev2/refusals.txt`, beside those already there.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { toHex } from '@culvert/bytes'
import { explore } from './exploration.ts'
import { fuzzIkev2Codec, loadSeeds, type Observer } from './ikev2-codec-fuzz.ts'

const CORPUS = new URL('corpus/ikev2/refusals.txt', import.meta.url)

const isKept = process.argv.includes('--corpus')
const smallest = new Map(isKept ? readCorpus() : [])
const seeds = loadSeeds()
let decoded = 0

await explore({
  name: 'ikev2-codec',
  batch: 50_000,
  run: (seed, inputs, { costly }) =>
    fuzzIkev2Codec(seed, inputs, { seeds, costly, ...(isKept && { observe: keepSmallest }) }),
  tell: (tally) => (decoded += tally.decoded),
  figures: () => ({ decoded }),
  writeCorpus,
})

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
