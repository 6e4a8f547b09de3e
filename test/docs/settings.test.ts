/**
 * The table of environment variables in README.md and the schemas that the processes read agree, in both directions.
 *
 * The schemas are read as text: importing a `main.ts` would start its process.
 */
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../scripts/generated-docs.ts'

const SCHEMAS: Readonly<Record<string, string>> = {
  api: 'apps/api/src/settings.ts',
  worker: 'apps/worker/src/settings.ts',
  signer: 'apps/signer/src/settings.ts',
  gateway: 'apps/gateway/src/main.ts',
  concentrator: 'apps/concentrator/src/main.ts',
  'device-sim': 'apps/device-sim/src/main.ts',
}
const LAUNCHER = 'npm start'
/** What the launcher reads for reasons of the system. */
const OF_THE_SYSTEM = ['PATH']

const table = readTable()

describe('the table of environment variables in README.md', () => {
  it.each(Object.entries(SCHEMAS))('has what %s reads, and nothing else', (process, file) => {
    expect(variablesInTable(process)).toEqual(variablesOfSchema(file))
  })

  it('has what npm start reads, and nothing else', () => {
    expect(variablesInTable(LAUNCHER)).toEqual(variablesOfLauncher())
  })

  it('names only processes that there are', () => {
    const known = [...Object.keys(SCHEMAS), LAUNCHER]
    expect(table.flatMap((row) => row.readBy).filter((process) => !known.includes(process))).toEqual([])
  })
})

function readTable(): { name: string; readBy: string[] }[] {
  const text = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
  return [...text.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \| ([^|]+) \|/gm)].map(([, name = '', readBy = '']) => ({
    name,
    readBy: readBy.split(',').map((process) => process.trim()),
  }))
}

function variablesInTable(process: string): string[] {
  return table
    .filter((row) => row.readBy.includes(process))
    .map((row) => row.name)
    .sort()
}

function variablesOfSchema(file: string): string[] {
  const source = fs.readFileSync(path.join(root, file), 'utf8')
  const begin = source.indexOf('Type.Object({')
  const schema = source.slice(begin, source.indexOf('})\n', begin))
  const shared = [...schema.matchAll(/\.\.\.(\w+Settings)\b/g)].flatMap((match) => variablesOfFragment(match[1] ?? ''))
  const own = [...schema.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map((match) => match[1] ?? '')
  return [...shared, ...own].sort()
}

function variablesOfFragment(name: string): string[] {
  const source = fs.readFileSync(path.join(root, 'packages/config/src/fragments.ts'), 'utf8')
  const begin = source.indexOf(`export const ${name} = {`)
  if (begin < 0) throw new Error(`there are no ${name}`)
  const fragment = source.slice(begin, source.indexOf('\n}\n', begin))
  return [...fragment.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map((match) => match[1] ?? '')
}

function variablesOfLauncher(): string[] {
  const folder = path.join(root, 'scripts/stack')
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  const sources = files.map((file) => fs.readFileSync(path.join(folder, file), 'utf8'))
  const names = sources.flatMap((source) =>
    [...source.matchAll(/process\.env\['([A-Z_]+)'\]/g)].map((match) => match[1] ?? ''),
  )
  return [...new Set([...names, ...variablesOfSchema('scripts/stack/settings.ts')])]
    .filter((name) => !OF_THE_SYSTEM.includes(name))
    .sort()
}
