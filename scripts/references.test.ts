/** `npm run build` builds what `tsconfig.json` references, in the order that each workspace's references give. */
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '..')
const SCOPE = '@culvert/'

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Folder of every workspace that is compiled, by the name of its package. */
const workspaces = new Map(
  ['packages', 'apps']
    .flatMap((group) => fs.readdirSync(path.join(ROOT, group)).map((name) => `${group}/${name}`))
    .filter((folder) => fs.existsSync(path.join(ROOT, folder, 'tsconfig.json')))
    .map((folder) => [readJson<Manifest>(`${folder}/package.json`).name, folder]),
)

/** Has all sources and tests: the linter takes their types from there. */
const OF_THE_LINTER = 'tsconfig.check.json'

test('the root references every workspace', () => {
  expect(referencesOf('.').toSorted()).toEqual([...workspaces.values(), OF_THE_LINTER].toSorted())
})

describe.each([...workspaces.values()])('%s', (folder) => {
  test('references the workspaces it depends on', () => {
    const { dependencies = {} } = readJson<Manifest>(`${folder}/package.json`)
    const needed = Object.keys(dependencies).filter((name) => name.startsWith(SCOPE))
    const folders = needed.map((name) => workspaces.get(name) ?? name)
    expect(referencesOf(folder)).toEqual(expect.arrayContaining(folders))
  })
})

function referencesOf(folder: string): string[] {
  const { references = [] } = readJson<{ references?: { path: string }[] }>(`${folder}/tsconfig.json`)
  return references.map((reference) => path.relative(ROOT, path.resolve(ROOT, folder, reference.path)))
}

function readJson<T>(file: string): T {
  return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8')) as T
}
