import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { debianTree } from './debian.ts'
import { REDIS_PACKAGES } from './redis.ts'

test('a tree that was never unpacked, or with other packages, is not found', () => {
  expect(debianTree('redis', ['redis-tools'])).toBeNull()
  expect(debianTree('no-such-tree', REDIS_PACKAGES)).toBeNull()
})

test.runIf(debianTree('redis', REDIS_PACKAGES))('programs of a tree find their own libraries', () => {
  const { env } = debianTree('redis', REDIS_PACKAGES)!
  expect(execFileSync('redis-cli', ['--version'], { env, encoding: 'utf8' })).toContain('redis-cli')
})
