/**
 * `npm run fuzz -- <name>`: a fuzzer that explores until it is stopped or its own limit; see test/fuzz/README.md. Without a name all
 * of them run one after the other and share the time given by `--seconds`.
 */
import { programsIn, runProgram } from './run-program.mjs'

const FOLDER = 'test/fuzz'
const COMMAND = 'npm run fuzz'

const args = process.argv.slice(2)
const at = args.indexOf('--seconds')
if (args[0] !== '--help' && (args[0] === undefined || args[0].startsWith('--'))) {
  const share = Number(args[at + 1]) / programsIn(FOLDER, COMMAND).length
  if (at >= 0 && share > 0) args[at + 1] = String(share)
  process.argv.splice(2, Infinity, 'all', ...args)
}
await runProgram(FOLDER, COMMAND, {
  numbers: ['seconds', 'inputs', 'seed'],
  flags: ['corpus'],
  common: 'exploration.ts',
  allArguments: [],
  nodeArguments: ['--max-semi-space-size=64'],
})
