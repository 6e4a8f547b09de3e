/**
 * The table of docs/rfc/scenarios.md: every exchange scenario of docs/rfc/scenarios.json with the tests whose titles begin with its
 * name ("ike_rekey/collision: ..."), or with the reason why there is none.
 * `node --conditions=source scripts/scenarios.ts` writes the table; test/docs/scenarios.test.ts compares.
 */
import fs from 'node:fs'
import path from 'node:path'
import { root, testFiles, writeBetweenMarks } from './generated-docs.ts'

export interface Scenario {
  /** Group and name, as in `ike_rekey/collision`. */
  readonly name: string
  /** Why there is no test of it. */
  readonly deviation?: string
}

export interface ScenarioTest {
  readonly title: string
  /** Below the repository's root. */
  readonly file: string
}

export const scenariosPage = 'docs/rfc/scenarios.md'

const TITLE = /^\s*test\(\s*(['"`])([a-z_]+\/[a-z_]+): ((?:\\.|(?!\1).)*)\1/gm

export function readScenarios(): Scenario[] {
  return JSON.parse(fs.readFileSync(path.join(root, 'docs/rfc/scenarios.json'), 'utf8')) as Scenario[]
}

export function testsByScenario(files: readonly string[] = testFiles()): Map<string, ScenarioTest[]> {
  const tests = new Map<string, ScenarioTest[]>()
  for (const file of files.filter((name) => name.startsWith('test/sim/'))) {
    for (const [, , name = '', title = ''] of fs.readFileSync(path.join(root, file), 'utf8').matchAll(TITLE)) {
      tests.set(name, [...(tests.get(name) ?? []), { title, file }])
    }
  }
  return tests
}

export function scenarioTable(
  scenarios: readonly Scenario[],
  tests: ReadonlyMap<string, readonly ScenarioTest[]>,
): string {
  const rows = scenarios.map(({ name, deviation }) => {
    const titles = (tests.get(name) ?? []).map(({ title, file }) => `[${title}](../../${file})`)
    return `| \`${name}\` | ${titles.join('<br>') || (deviation ?? 'not yet')} |`
  })
  const tested = scenarios.filter(({ name }) => tests.has(name)).length
  const count = `${tested} of ${scenarios.length} scenarios have a test.`
  return [count, '', '| scenario | what must happen, or why there is no test |', '| --- | --- |', ...rows].join('\n')
}

if (import.meta.main) writeBetweenMarks(scenariosPage, scenarioTable(readScenarios(), testsByScenario()))
