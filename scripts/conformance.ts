/**
 * The table of docs/rfc/README.md: every rule of docs/rfc/rules.json with the tests whose titles name it.
 *
 * A title names a rule when it begins with the rule's number ("C54 octets decide ...", "N03 C15 a value ...") or ends with it
 * in parentheses ("... (C03, N01)"). `node --conditions=source scripts/conformance.ts` writes the table; test/docs/conformance.test.ts
 * compares.
 */
import fs from 'node:fs'
import path from 'node:path'
import { root, testFiles, writeBetweenMarks } from './generated-docs.ts'

export interface Rule {
  readonly id: string
  readonly group: string
  readonly rule: string
  /** What has to be there before the rule means anything. */
  readonly later?: string
  /** How far the rule is met, where its tests show less than all of it or more. */
  readonly remark?: string
}

export interface OwnedTitle {
  readonly title: string
  /** Below the repository's root. */
  readonly file: string
}

export const conformancePage = 'docs/rfc/README.md'

const BEGIN = /^(?:[A-Z]\d\d:?\s)+/
const END = /\(((?:[A-Z]\d\d(?:, )?)+)\)$/
/** A string on one line; titles are never spread over several. */
const LITERAL = /(['"`])((?:\\.|(?!\1).)*)\1/g

export function readRules(): Rule[] {
  return JSON.parse(fs.readFileSync(path.join(root, 'docs/rfc/rules.json'), 'utf8')) as Rule[]
}

/** The tests of every rule, by file and then as they stand there. */
export function titlesByRule(files: readonly string[] = testFiles()): Map<string, OwnedTitle[]> {
  const owned = new Map<string, OwnedTitle[]>()
  for (const file of files) {
    for (const title of titlesOf(fs.readFileSync(path.join(root, file), 'utf8'))) {
      for (const id of rulesNamedBy(title)) {
        const titles = owned.get(id) ?? []
        if (!titles.some((known) => known.title === title && known.file === file)) titles.push({ title, file })
        owned.set(id, titles)
      }
    }
  }
  return owned
}

/** @returns the numbers that a title begins or ends with */
export function rulesNamedBy(title: string): string[] {
  const begin = BEGIN.exec(title)?.[0] ?? ''
  const end = END.exec(title)?.[1] ?? ''
  return [...new Set(`${begin} ${end}`.match(/[CN]\d\d/g))]
}

function titlesOf(source: string): string[] {
  return [...source.matchAll(LITERAL)].map((match) => match[2] ?? '').filter((text) => rulesNamedBy(text).length > 0)
}

export function conformanceTable(rules: readonly Rule[], owned: ReadonlyMap<string, readonly OwnedTitle[]>): string {
  const groups = [...new Set(rules.map((rule) => rule.group))]
  const tables = groups.map((group) => {
    const rows = rules.filter((rule) => rule.group === group).map((rule) => row(rule, owned.get(rule.id) ?? []))
    return [`### ${group}`, '', '| | rule | tests |', '| --- | --- | --- |', ...rows].join('\n')
  })
  const tested = rules.filter((rule) => owned.has(rule.id)).length
  return [`${tested} of ${rules.length} rules have a test that names them.`, ...tables].join('\n\n')
}

function row({ id, rule, later, remark }: Rule, titles: readonly OwnedTitle[]): string {
  const tests = titles.map(({ title, file }) => `[${cell(title)}](../../${file})`).join('<br>')
  const missing = later ? `later, with ${later}` : 'not yet'
  const text = remark === undefined ? rule : `${rule}. *Here:* ${remark}`
  return `| ${id} | ${cell(text)} | ${tests || missing} |`
}

function cell(text: string): string {
  return text.replaceAll('\\', '').replaceAll(/[|[\]$]/g, (character) => `\\${character}`)
}

if (import.meta.main) writeBetweenMarks(conformancePage, conformanceTable(readRules(), titlesByRule()))
