/** A moment that has come is written so that it has: columns keep milliseconds, and `now()` may be rounded up into the future. */
import { expect, test } from 'vitest'
import { readText, repositoryFiles } from './repository-files.ts'

const ROUNDED =
  /\b(next_at|next_attempt_at|lease_until|expires_at|former_secret_until|window_ends_at|crl_due_at|not_after|verifies_until) = now\(\)(?! [-+])/

test('no statement makes a row due or over with a rounded now()', () => {
  const sources = repositoryFiles().filter((file) => /^(apps|packages|test|scripts)\/.*\.ts$/.test(file))
  expect(sources.filter((file) => ROUNDED.test(readText(file) ?? ''))).toEqual([])
})
