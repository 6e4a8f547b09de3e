/** Every package and every app has a README that begins with its own name. */
import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../../scripts/generated-docs.ts'

const folders = ['apps', 'packages'].flatMap((parent) =>
  fs
    .readdirSync(path.join(root, parent))
    .filter((name) => fs.existsSync(path.join(root, parent, name, 'package.json')))
    .map((name) => `${parent}/${name}`),
)

it('finds apps and packages', () => {
  expect(folders).toEqual(expect.arrayContaining(['apps/api', 'packages/ikev2']))
})

it.each(folders)('%s has a README whose first line is its name', (folder) => {
  const file = path.join(root, folder, 'README.md')
  expect(fs.existsSync(file)).toBe(true)
  expect(fs.readFileSync(file, 'utf8').split('\n')[0]).toBe(`# ${path.basename(folder)}`)
})
