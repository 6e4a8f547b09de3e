/** The table of rules in docs/rfc/README.md is the one that rules.json and the titles of the tests give. */
import { describe, expect, it } from 'vitest'
import { conformancePage, conformanceTable, readRules, rulesNamedBy, titlesByRule } from '../../scripts/conformance.ts'
import { readBetweenMarks } from '../../scripts/generated-docs.ts'

const rules = readRules()
const owned = titlesByRule()

describe('the table of rules', () => {
  it('is up to date; if not: npm run docs', () => {
    expect(readBetweenMarks(conformancePage)).toBe(conformanceTable(rules, owned))
  })

  it('numbers the rules without a gap', () => {
    for (const letter of ['C', 'N']) {
      const ids = rules.map((rule) => rule.id).filter((id) => id.startsWith(letter))
      expect(ids).toEqual(ids.map((_, index) => `${letter}${String(index + 1).padStart(2, '0')}`))
    }
  })

  it('knows every rule that a title names', () => {
    const known = new Set(rules.map((rule) => rule.id))
    expect([...owned.keys()].filter((id) => !known.has(id))).toEqual([])
  })

  it('has a test for every rule that is not put off', () => {
    expect(rules.filter((rule) => !rule.later && !owned.has(rule.id)).map((rule) => rule.id)).toEqual([])
  })

  it('puts off no rule that has a test', () => {
    expect(rules.filter((rule) => rule.later && owned.has(rule.id)).map((rule) => rule.id)).toEqual([])
  })
})

describe('a title names a rule', () => {
  // Joined here, so that these strings are not taken for titles themselves.
  const title = (...words: string[]): string => words.join(' ')

  it('at its beginning, one or several', () => {
    expect(rulesNamedBy(title('C54', 'octets decide'))).toEqual(['C54'])
    expect(rulesNamedBy(title('C63:', 'drops a packet'))).toEqual(['C63'])
    expect(rulesNamedBy(title('N03', 'C15', 'a public value'))).toEqual(['N03', 'C15'])
    expect(rulesNamedBy(title('C45', 'C47', 'the window'))).toEqual(['C45', 'C47'])
  })

  it('at its end in parentheses', () => {
    expect(rulesNamedBy(title('drops a datagram', '(C03,', 'N01)'))).toEqual(['C03', 'N01'])
  })

  it('but not in the middle, nor as part of a word', () => {
    expect(rulesNamedBy(title('as', 'C54', 'says'))).toEqual([])
    expect(rulesNamedBy(title('RFC54', 'says'))).toEqual([])
  })
})
