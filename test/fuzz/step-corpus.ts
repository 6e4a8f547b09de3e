/**
 * The corpora of the fuzzers that drive a whole endpoint: for every transition and answer seen, one small inside of SK that led there.
 * A line: exchange type, type of the first payload, octets, and what it was kept for.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { toHex } from '@culvert/bytes'
import { EXCHANGE } from '@culvert/ikev2'
import { loadSeeds } from './ikev2-codec-fuzz.ts'
import type { Inside } from './insides.ts'

/** Of one fuzzer. */
export interface StepCorpus {
  readonly fuzzer: string
  readonly file: string
}

export const ENDPOINT_STEPS: StepCorpus = { fuzzer: 'ikev2-endpoint', file: 'steps.txt' }
export const INITIATOR_STEPS: StepCorpus = { fuzzer: 'ikev2-initiator', file: 'initiator-steps.txt' }

/** By what each was kept for. */
export function readSteps(corpus: StepCorpus): Map<string, Inside> {
  const lines = readFileSync(fileOf(corpus), 'utf8').split('\n')
  return new Map(lines.filter((line) => line !== '' && !line.startsWith('#')).map(parsed))
}

export function writeSteps(corpus: StepCorpus, steps: ReadonlyMap<string, Inside>): void {
  const lines = [...steps].map(([feature, { exchangeType, innerType, bytes }]) =>
    [exchangeType, innerType, toHex(bytes) || '-', feature].join(' '),
  )
  const head = `# exchange type, first payload type, octets, kept for; written by \`npm run fuzz -- ${corpus.fuzzer} --corpus\``
  writeFileSync(fileOf(corpus), `${[head, ...lines.toSorted()].join('\n')}\n`)
}

/** Of two that led to the same, the smaller one stays. */
export function keepSmaller(steps: Map<string, Inside>, seen: ReadonlyMap<string, Inside | null>): void {
  for (const [feature, inside] of seen) {
    const known = steps.get(feature)
    const isBetter = inside !== null && (known === undefined || known.bytes.length > inside.bytes.length)
    if (isBetter) steps.set(feature, inside)
  }
}

function fileOf({ file }: StepCorpus): URL {
  return new URL(`corpus/ikev2/${file}`, import.meta.url)
}

function parsed(line: string): [feature: string, inside: Inside] {
  const [exchangeType = '', innerType = '', hex = '', ...feature] = line.split(' ')
  const bytes = new Uint8Array(Buffer.from(hex === '-' ? '' : hex, 'hex'))
  return [feature.join(' '), { exchangeType: Number(exchangeType), innerType: Number(innerType), bytes }]
}

/** What real peers put into SK, as if it were all of IKE_AUTH: certificates and EAP are in it. */
export function recordedInsides(): Inside[] {
  return loadSeeds().insides.map(({ firstType, bytes }) => ({
    exchangeType: EXCHANGE.IKE_AUTH,
    innerType: firstType,
    bytes,
  }))
}
