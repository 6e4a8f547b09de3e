/**
 * The corpus of the certificate fuzzer, `corpus/pki/outcomes.txt`: the smallest input of every outcome seen. A line: entry, outcome,
 * whether it was signed by who may sign, octets of its objects.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { toHex } from '@culvert/bytes'
import type { PkiEntry, PkiInput } from './pki-fuzz.ts'

const FILE = new URL('corpus/pki/outcomes.txt', import.meta.url)
const HEAD = '# entry, outcome, signed or not, octets of each object; written by `npm run fuzz -- pki --corpus`'

export interface KnownOutcome {
  readonly input: PkiInput
  readonly outcome: string
}

/** By entry, outcome and signature. */
export function readOutcomes(): Map<string, KnownOutcome> {
  const lines = readFileSync(FILE, 'utf8').split('\n')
  const known = lines.filter((line) => line !== '' && !line.startsWith('#')).map(parsed)
  return new Map(known.map((each) => [nameOf(each), each]))
}

export function keepSmallest(smallest: Map<string, KnownOutcome>, input: PkiInput, outcome: string): void {
  const name = nameOf({ input, outcome })
  const known = smallest.get(name)
  if (known === undefined || sizeOf(input) < sizeOf(known.input)) smallest.set(name, { input, outcome })
}

export function writeOutcomes(smallest: ReadonlyMap<string, KnownOutcome>): void {
  const lines = [...smallest].map(([name, { input }]) => `${name} ${input.objects.map(toHex).join(' ')}`)
  mkdirSync(new URL('.', FILE), { recursive: true })
  writeFileSync(FILE, `${[HEAD, ...lines.toSorted()].join('\n')}\n`)
}

function parsed(line: string): KnownOutcome {
  const [entry, outcome = '', signed, ...objects] = line.split(' ')
  const octets = objects.map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))
  return { input: { entry: entry as PkiEntry, objects: octets, isSigned: signed === 'signed' }, outcome }
}

function nameOf({ input, outcome }: KnownOutcome): string {
  return `${input.entry} ${outcome} ${input.isSigned ? 'signed' : 'foreign'}`
}

function sizeOf({ objects }: PkiInput): number {
  return objects.reduce((sum, { length }) => sum + length, 0)
}
