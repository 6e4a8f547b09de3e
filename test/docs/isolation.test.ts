/** Files of the projects `unit` and `service` share processes: a module that one of them mocks would be mocked for others. */
import { expect, test } from 'vitest'
import { readText, repositoryFiles } from './repository-files.ts'

const MOCKS = /\bvi\.(mock|doMock|resetModules)\(/

test('what mocks modules has a process of its own', () => {
  const files = repositoryFiles().filter((file) => file.endsWith('.test.ts') && !/\.(net|isolated)\./.test(file))
  expect(files.filter((file) => MOCKS.test(readText(file) ?? ''))).toEqual([])
})
