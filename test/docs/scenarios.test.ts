/** The table of docs/rfc/scenarios.md is the one that scenarios.json and the titles of the simulation give. */
import { describe, expect, it } from 'vitest'
import { readBetweenMarks } from '../../scripts/generated-docs.ts'
import { readScenarios, scenariosPage, scenarioTable, testsByScenario } from '../../scripts/scenarios.ts'

const scenarios = readScenarios()
const tests = testsByScenario()

describe('the table of scenarios', () => {
  it('is up to date; if not: npm run docs', () => {
    expect(readBetweenMarks(scenariosPage)).toBe(scenarioTable(scenarios, tests))
  })

  it('has a test or a reason for every scenario, never both', () => {
    const undecided = scenarios.filter(({ name, deviation }) => tests.has(name) === (deviation !== undefined))
    expect(undecided.map(({ name }) => name)).toEqual([])
  })

  it('has 69 scenarios, each once', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(69)
    expect(scenarios).toHaveLength(69)
  })

  it('knows every scenario that a title names', () => {
    const known = new Set(scenarios.map(({ name }) => name))
    expect([...tests.keys()].filter((name) => !known.has(name))).toEqual([])
  })
})
