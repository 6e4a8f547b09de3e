/**
 * The table of docs/guides/errors.md, from the registry of error codes. `node --conditions=source scripts/error-guide.ts` writes
 * it; test/docs/errors.test.ts compares.
 */
import { errorCodes, errorRegistry } from '@culvert/contracts'
import { writeBetweenMarks } from './generated-docs.ts'

export const errorPage = 'docs/guides/errors.md'

export function errorTable(): string {
  const rows = errorCodes.map((code) => {
    const { status, title, advice } = errorRegistry[code]
    return `| \`${code}\` | ${status} | ${title} | ${advice} |`
  })
  return ['| code | status | what happened | what to do |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

if (import.meta.main) writeBetweenMarks(errorPage, errorTable())
