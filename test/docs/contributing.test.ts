/** The example of CONTRIBUTING.md that runs one test by its title names a test that there is. */
import { expect, it } from 'vitest'
import { readText, repositoryFiles } from './repository-files.ts'

it('CONTRIBUTING.md quotes a title that exists where it says', () => {
  const example = /vitest run (\S+) -t "([^"]+)"/.exec(readText('CONTRIBUTING.md') ?? '')
  const [, folder = '', quoted = ''] = example ?? []
  expect(quoted).not.toBe('')
  const files = repositoryFiles().filter((file) => file.startsWith(`${folder}/`) && file.endsWith('.test.ts'))
  const titles = files.flatMap((file) => titlesOf(readText(file) ?? ''))
  expect(titles.filter((title) => title.includes(quoted))).not.toEqual([])
})

function titlesOf(source: string): string[] {
  return [...source.matchAll(/\b(?:it|test)(?:\.each\([^)]*\))?\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g)].map(
    (match) => match[2] ?? '',
  )
}
