/**
 * `docs/ikev2-states.md` draws the transition table of the IKE SA as it is. When this fails, write the expected text into it.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { EXCHANGE, INTERNAL_ROWS, MESSAGE_ROWS } from '@culvert/ikev2'

test('the diagram of IKE SA states is the transition table', () => {
  const document = readFileSync(new URL('../../docs/ikev2-states.md', import.meta.url), 'utf8')
  const drawn = document.slice(document.indexOf('```mermaid'), document.lastIndexOf('```') + 3)
  expect(drawn).toBe(drawTable())
})

function drawTable(): string {
  const exchangeNames = new Map<number, string>(Object.entries(EXCHANGE).map(([name, id]) => [id, name]))
  const edges = new Map<string, Set<string>>()
  const add = (from: string, to: string, label: string): void => {
    const key = `  ${from} --> ${to}`
    edges.set(key, (edges.get(key) ?? new Set()).add(label))
  }
  for (const row of MESSAGE_ROWS) {
    const label = `${exchangeNames.get(row.exchangeType)} ${row.role}`
    for (const next of row.next) if (next !== row.phase) add(row.phase, next, label)
  }
  for (const row of INTERNAL_ROWS) for (const next of row.next) add(row.phase, next, row.cause)
  const lines = [...edges].map(([edge, labels]) => `${edge}: ${[...labels].join(', ')}`)
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n')
}
