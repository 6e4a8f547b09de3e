/**
 * Every type of the catalogue has a producer. It is looked for in the sources: a file that appends events must hold the type as a
 * quoted literal, as a value. What stands in a comment, in the declaration of a type or in an audit entry writes no event.
 */
import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { eventTypes, isPlanned } from './index.ts'

const root = path.join(import.meta.dirname, '../../..')
/** They append events, or pass what they are given on to what does. */
const appending = /\b(?:append(?:First)?Events?|noteEndpoint|tellOf(?:Concentrator|Gateway)|tally)\(/

const produced = new Set(
  ['packages/db/src', 'apps'].flatMap(sourcesIn).flatMap((file) => writtenIn(fs.readFileSync(file, 'utf8'))),
)

it.each(eventTypes.filter((type) => !isPlanned(type)))('%s is written by something', (type) => {
  expect(produced.has(type), `nothing writes ${type}: it needs a producer, or \`planned: true\``).toBe(true)
})

it.each(eventTypes.filter(isPlanned))('%s is planned, and nothing writes it', (type) => {
  expect(produced.has(type), `${type} has a producer and is not planned any more`).toBe(false)
})

it('a type that is only declared, noted in the audit log, spoken of or in a file that appends nothing is not written', () => {
  const append = 'await appendEvent(tx, event)\n'
  for (const [source, found] of [
    [`appendEvent(tx, { type: 'a.b' })`, ['a.b']],
    [`${append}const news = { ready: 'a.b', lost: 'c.d' } as const`, ['a.b', 'c.d']],
    [`${append}const type = isOne ? 'a.b' : 'c.d'`, ['a.b', 'c.d']],
    [`const type = 'a.b'`, []],
    [`${append}type News = 'a.b' | 'c.d'`, []],
    [`${append}type News =\n  | 'a.b'\n  | 'c.d'\n`, []],
    [`${append}function newsOf(): Item<'a.b'>[] {}`, []],
    [`${append}interface News {\n  readonly type: 'a.b' | 'c.d'\n  readonly id: 'e.f'\n}`, []],
    [`${append}appendAudit(tx, { action: 'a.b', after: f(')') })`, []],
    [`${append}// 'a.b'\n/* type: 'c.d' */`, []],
    ["await appendEvent(tx, event)\nquery(`SELECT 'a.b'`)", []],
  ] as const)
    expect([source, writtenIn(source)]).toEqual([source, found])
})

function sourcesIn(folder: string): string[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(?:\.test|\.d)\.ts$/.test(name))
    .filter((name) => !/(?:^|\/)(?:node_modules|dist|generated|testing)\//.test(name))
    .map((name) => path.join(root, folder, name))
}

/** Literals that look like types of events, where they stand as values. */
function writtenIn(source: string): string[] {
  const code = withoutAudit(source.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, ''))
  if (!appending.test(code)) return []
  const values = code
    .replaceAll(/^(?:export )?interface [^]*?^}/gm, '')
    .replaceAll(/`[^`]*`/g, '``')
    .replaceAll(/<'[^'\n]*'>/g, '')
    // Unions, wherever they stand: a value is never beside a single bar.
    .replaceAll(/(?<!\|)\|\s*'[^'\n]*'/g, '|')
    .replaceAll(/'[^'\n]*'(?=\s*\|(?!\|))/g, '')
    .replaceAll(/^(?:export )?type \w+(?:<[^>]*>)? =\s*'[^'\n]*'/gm, '')
  return [...values.matchAll(/'([a-z_]+\.[a-z_]+)'/g)].map(([, type]) => type as string)
}

function withoutAudit(code: string): string {
  const at = code.search(/\bappendAudit\(/)
  if (at < 0) return code
  let end = code.indexOf('(', at)
  let depth = 0
  do {
    if (code[end] === "'") end = code.indexOf("'", end + 1)
    else if (code[end] === '(') depth += 1
    else if (code[end] === ')') depth -= 1
    end += 1
  } while (depth > 0 && end < code.length)
  return code.slice(0, at) + withoutAudit(code.slice(end))
}
