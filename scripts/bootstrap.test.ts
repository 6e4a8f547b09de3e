import { processMark, markIsAlive } from '@culvert/services'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** Says its number and that of a child of its own; neither ends at SIGTERM. */
const STUBBORN_NPM = `
const { spawn } = require('node:child_process')
process.on('SIGTERM', () => {})
const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'])
child.stdout.once('data', () => console.log(\`pids \${process.pid} \${child.pid}\`))
`
let checkout: string

beforeEach(() => {
  checkout = fs.mkdtempSync(path.join(tmpdir(), 'culvert-bootstrap-'))
  fs.mkdirSync(path.join(checkout, 'scripts'))
  fs.copyFileSync(path.join(import.meta.dirname, 'bootstrap.mjs'), path.join(checkout, 'scripts/bootstrap.mjs'))
  fs.writeFileSync(path.join(checkout, 'run.mjs'), "await (await import('./scripts/bootstrap.mjs')).bootstrap()")
})
afterEach(() => {
  fs.rmSync(checkout, { recursive: true })
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends an installation with everything it started', async (signal) => {
  const { launcher, output } = launch(STUBBORN_NPM)
  while (!/pids \d+ \d+/.test(output())) await once(launcher.stderr!, 'data')
  const pids = /pids (\d+) (\d+)/.exec(output())!.slice(1).map(Number)
  const marks = pids.map((pid) => processMark(pid))
  launcher.kill(signal)
  const [code] = (await once(launcher, 'exit')) as [number]
  expect(code).toBe(130)
  await expect.poll(() => marks.filter(markIsAlive)).toEqual([])
  expect(output()).toContain('The installation of the dependencies was stopped; the next start begins it anew.')
})

test('an installation that fails is one sentence', async () => {
  const { launcher, output } = launch('process.exit(7)')
  const [code] = (await once(launcher, 'exit')) as [number]
  expect(code).toBe(1)
  expect(output()).toContain('The dependencies could not be installed: see above; `npm ci` tries again.')
  expect(output()).not.toContain('    at ')
})

function launch(npm: string): { launcher: ChildProcess; output: () => string } {
  const file = path.join(checkout, 'npm.js')
  fs.writeFileSync(file, npm)
  let text = ''
  const launcher = spawn(process.execPath, [path.join(checkout, 'run.mjs')], {
    env: { ...process.env, npm_execpath: file },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [launcher.stdout, launcher.stderr]) stream.on('data', (part) => (text += String(part)))
  return { launcher, output: () => text }
}
