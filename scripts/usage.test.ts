/** A command that is not told what to do, or is asked for help, says how it is called, before it asks for a database or begins. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, it } from 'vitest'

it.each(['organizations.ts', 'people.ts'])('%s without a word says how it is called', (script) =>
  expect(said(script)).toMatch(usage(script)),
)

it.each(['audit.ts', 'bench.mjs', 'fuzz.mjs'])('%s --help says how it is called', (script) =>
  expect(said(script, '--help')).toMatch(usage(script)),
)

/** Everything that it says is this line. */
function usage(script: string): RegExp {
  return new RegExp(`^Usage: npm run ${path.parse(script).name} -- .+\\n$`)
}

function said(script: string, ...words: readonly string[]): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=source', path.join(import.meta.dirname, script), ...words],
    { encoding: 'utf8', env: { ...process.env, DATABASE_URL: '' } },
  )
  return `${stdout}${stderr}`
}
