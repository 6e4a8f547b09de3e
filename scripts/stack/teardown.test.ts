import { expect, test } from 'vitest'
import { createTeardown } from './teardown.ts'

test('undoes in reverse order, goes on after a step that failed, and does it once', async () => {
  const done: string[] = []
  const teardown = createTeardown()
  teardown.add('first', async () => void done.push('first'))
  teardown.add('broken', async () => Promise.reject(new Error('no')))
  teardown.add('last', async () => void done.push('last'))
  expect(await teardown.run()).toEqual(['broken: no'])
  expect(done).toEqual(['last', 'first'])
  expect(await teardown.run()).toEqual([])
  expect(done).toEqual(['last', 'first'])
})
