/**
 * The corpus of the endpoint fuzzer, `corpus/ikev2/steps.txt`: for every transition and answer seen, one small inside of SK that led
 * there. A line: exchange type, type of the first payload, octets, and what it was kept for.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { toHex } from '@culvert/bytes'
import { EXCHANGE } from '@culvert/ikev2'
import { loadSeeds } from './ikev2-codec-fuzz.ts'
import type { Inside } from './ikev2-endpoint-fuzz.ts'

const FILE = new URL('corpus/ikev2/steps.txt', import.meta.url)
const HEAD =
  '# exchange type, first payload type, octets, kept for; written by `npm run fuzz -- ikev2-endpoint --corpus`'

/** By what each was kept for. */
export function readSteps(): Map<string, Inside> {
  const lines = readFileSync(FILE, 'utf8').split('\n')
  return new Map(lines.filter((line) => line !== '' && !line.startsWith('#')).map(parsed))
}

export function writeSteps(steps: ReadonlyMap<string, Inside>): void {
  const lines = [...steps].map(([feature, { exchangeType, innerType, bytes }]) =>
    [exchangeType, innerType, toHex(bytes) || '-', feature].join(' '),
  )
  writeFileSync(FILE, `${[HEAD, ...lines.toSorted()].join('\n')}\n`)
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
