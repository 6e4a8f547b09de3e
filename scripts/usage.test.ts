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

it.each([
  ['bench.mjs', 'esp', 'Usage: npm run bench -- esp [--quick]', 'strongSwan'],
  ['bench.mjs', 'all', 'Usage: npm run bench -- all [--quick]', 'esp-limit'],
  [
    'fuzz.mjs',
    'esp',
    'Usage: npm run fuzz -- esp [--seconds N] [--inputs N] [--seed N] [--corpus]',
    'from `--seed N` (the clock)',
  ],
])('%s %s --help says what it does and begins nothing', (script, name, first, told) => {
  const lines = said(script, name, '--help').split('\n')
  expect(lines[0]).toBe(first)
  expect(lines.join('\n')).toContain(told)
  expect(lines.join('\n')).not.toMatch(/^ *\*|\*\/|Error/m)
})

it.each([
  ['bench.mjs', 'esp', '--fast'],
  ['bench.mjs', 'esp', '--quick=yes'],
  ['bench.mjs', 'esp', 'ike'],
  ['fuzz.mjs', 'esp', '--fast'],
  ['fuzz.mjs', 'esp', '--seconds', 'ten'],
  ['fuzz.mjs', 'esp', '--seconds'],
  ['fuzz.mjs', 'esp', '--inputs', '0'],
  ['fuzz.mjs', '--fast'],
  ['fuzz.mjs', '--seconds', 'ten'],
])('%s %s is not begun, and the line says how it is called', (script, ...words) => {
  expect(said(script, ...words)).toMatch(new RegExp(`^.+ Usage: npm run ${path.parse(script).name} -- .+\\n$`))
})

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
