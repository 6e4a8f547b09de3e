/**
 * `npm test`: types, lint, format and every test that is not long. `npm run test:full`: the long ones alone (`*.full.test.ts`
 * and suites that look at CULVERT_FULL). `npm test -- packages/esp`: only the tests whose path holds one of the words.
 *
 * Tests with namespaces run one file at a time and wait a lot, so the others run beside them; what those say is printed afterwards.
 *
 * The last line is `N passed, N failed`, followed by what was skipped; each static check counts as one test. Where something failed,
 * it is told once more before that line, behind the line `What failed:`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { bootstrap, root } from './bootstrap.mjs'
import { endWith } from './last-words.mjs'

const STATIC_CHECKS = [
  { name: 'types', command: 'tsc', args: ['-p', 'tsconfig.check.json'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', command: 'oxfmt', args: ['--check'] },
]
const LINES_OF_A_FAILURE = 20
/** The projects `patient` and `network` of vitest.config.ts. */
const PATIENT = /^test\/interop\/strongswan\/(adversity|device-life)\.full\.test\.ts$/
const NETWORK = /\.net\.(full\.)?test\.ts$|^test\/(interop|e2e|chaos)\//
const TEST_FOLDERS = ['packages', 'apps', 'test', 'scripts']

const words = process.argv.slice(2)
const full = words.includes('--full')
const filters = words.filter((word) => word !== '--full')
const { node, env } = await bootstrap()

const totals = { passed: 0, failed: 0, skipped: 0 }
/** A paragraph each. */
const failures = []
if (!full && filters.length === 0) runStaticChecks()
// Vitest alone knows which words behind an option are paths.
const hasOptions = !full && filters.some((word) => word.startsWith('-'))
const chosen = testsAt(hasOptions ? [] : filters).filter((file) => !full || isLong(file))
if (chosen.length > 0) await runBoth(full ? chosen : filters)
if (totals.passed + totals.failed + totals.skipped === 0) {
  fail('No test has such a path.')
}
if (failures.length > 0) process.stdout.write(`\nWhat failed:\n\n${failures.join('\n\n')}\n\n`)
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
endWith(`${totals.passed} passed, ${totals.failed} failed${skipped}\n`, totals.failed === 0 ? 0 : 1)

function runStaticChecks() {
  for (const { name, command, args } of STATIC_CHECKS) {
    const program = path.join(root, 'node_modules/.bin', command)
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: root,
      env,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    if (status === 0) totals.passed++
    else fail(`${name}\n${opening(`${stdout}${stderr}`)}`)
    process.stdout.write(status === 0 ? `ok ${name}\n` : `${stdout}${stderr}\nFAILED ${name}\n`)
  }
}

function fail(what) {
  totals.failed++
  failures.push(what)
}

async function runBoth(paths) {
  const workers = os.availableParallelism()
  // Only where they have one of the tests: Vitest says a page about a project without any.
  const network = chosen.filter((file) => NETWORK.test(file) && !PATIENT.test(file))
  const others =
    network.length < chosen.length &&
    runVitest(['unit', 'isolated', 'service', 'patient'], [`--maxWorkers=${workers}`, ...paths], 'pipe')
  if (network.length > 0) await runVitest(['network'], paths, 'inherit')
  if (others) process.stdout.write(await others)
}

/** @returns what it said when `output` is "pipe" */
async function runVitest(projects, words, output) {
  const results = path.join(root, '.cache', `test-results-${process.pid}-${projects[0]}.json`)
  fs.mkdirSync(path.dirname(results), { recursive: true })
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
  const options = [
    ...projects.flatMap((project) => ['--project', project]),
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
  ]
  const child = spawn(node, [vitest, 'run', ...options, ...words], {
    cwd: root,
    env: full ? { ...env, CULVERT_FULL: '1' } : env,
    stdio: ['ignore', output, output === 'pipe' ? 'pipe' : 'inherit'],
  })
  const ended = once(child, 'close')
  const said = child.stdout && child.stderr ? await Promise.all([buffer(child.stdout), buffer(child.stderr)]) : []
  const [status] = await ended
  const failedBefore = totals.failed
  count(results)
  // Errors outside of any test, or no report at all: the run failed although no test says so.
  if (status !== 0 && totals.failed === failedBefore) fail(`A run of ${projects.join(', ')} ended with ${status}`)
  return Buffer.concat(said)
}

function count(results) {
  if (!fs.existsSync(results)) return
  const report = JSON.parse(fs.readFileSync(results, 'utf8'))
  fs.rmSync(results)
  totals.passed += report.numPassedTests
  totals.skipped += report.numPendingTests + (report.numTodoTests ?? 0)
  for (const { name, status, message, assertionResults } of report.testResults) {
    const file = path.relative(root, name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    for (const test of failed) fail(`${file}: ${test.fullName}\n${opening(test.failureMessages.join('\n'))}`)
    // A file that could not be loaded has no test that failed.
    if (status === 'failed' && failed.length === 0) fail(`${file}\n${opening(message)}`)
  }
}

/** As much of a failure as tells what it is; the whole of it stands above. */
function opening(text) {
  return text.split('\n').slice(0, LINES_OF_A_FAILURE).join('\n')
}

/** Files whose path holds one of `words`, or all when there is none. */
function testsAt(words) {
  const files = TEST_FOLDERS.flatMap((folder) => testFiles(path.join(root, folder)))
  const relative = files.map((file) => path.relative(root, file))
  return relative.filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
}

function isLong(file) {
  return file.endsWith('.full.test.ts') || fs.readFileSync(path.join(root, file), 'utf8').includes('CULVERT_FULL')
}

function testFiles(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name)
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'generated', 'vectors'].includes(entry.name) ? [] : testFiles(full)
    return entry.name.endsWith('.test.ts') ? [full] : []
  })
}
