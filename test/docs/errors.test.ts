/** docs/guides/errors.md and the registry of error codes say the same, in both directions. */
import { errorCodes, errorRegistry } from '@culvert/contracts'
import { describe, expect, it } from 'vitest'
import { errorPage, errorTable } from '../../scripts/error-guide.ts'
import { readBetweenMarks } from '../../scripts/generated-docs.ts'

describe('the guide to errors', () => {
  const table = readBetweenMarks(errorPage)
  const codesOfPage = [...table.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, code = '', status]) => [
    code,
    Number(status),
  ])

  it('has every code of the registry, with its status', () => {
    expect(codesOfPage).toEqual(errorCodes.map((code) => [code, errorRegistry[code].status]))
  })

  it('says what the registry says; if not: npm run docs', () => {
    expect(table).toBe(errorTable())
  })
})
