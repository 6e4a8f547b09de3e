/** The repository speaks of itself alone: no path of a machine, no registry of somebody, no note of work left undone. */
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { root } from '../../scripts/generated-docs.ts'
import { readText, repositoryFiles } from './repository-files.ts'

/** In parts, so that this file does not hold what it looks for. */
const PUBLIC_REGISTRY = ['registry', 'npmjs', 'org'].join('.')
const LOCK = 'package-lock.json'
/** Test data of others, kept as it was published. */
const FOREIGN = /^test\/vectors\/(nist|rfc|wycheproof|captures)\//

const texts = repositoryFiles().flatMap((file) => {
  const text = FOREIGN.test(file) ? null : readText(file)
  return text === null ? [] : [{ file, text }]
})

it('finds files to look at', () => {
  expect(texts.length).toBeGreaterThan(300)
})

// Patterns are put together here, so that this file does not hold what it looks for.
it.each([
  ['path of a build machine', new RegExp(`(?<![\\w.@-])/(?:${['wo', 'rk'].join('')}|${['fa', 'rm'].join('')})/`)],
  ['note of work left undone', new RegExp(`\\b(?:${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\\b`)],
])('no file holds a %s', (_, pattern) => {
  const holding = texts.filter(({ file, text }) => file !== LOCK && pattern.test(text))
  expect(holding.map(({ file }) => file)).toEqual([])
})

it('the lock names no registry but the public one', () => {
  const lock = readText(LOCK) ?? ''
  const hosts = [...lock.matchAll(/"resolved": "[a-z+]+:\/\/([^/"]+)/g)].map((match) => match[1])
  expect(hosts.filter((host) => host !== PUBLIC_REGISTRY)).toEqual([])
})

it('no file names the registry that this machine installs from', () => {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], {
    cwd: root,
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim()
  const host = URL.parse(registry)?.host ?? PUBLIC_REGISTRY
  const holding = host === PUBLIC_REGISTRY ? [] : texts.filter(({ text }) => text.includes(host))
  expect(holding.map(({ file }) => file)).toEqual([])
})
