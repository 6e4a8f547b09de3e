/** `npm run bench -- <name>`: figures as JSON lines. `npm run bench -- all` runs the quick form of each. */
import { runProgram } from './run-program.mjs'

await runProgram('test/bench', 'npm run bench', { flags: ['quick'], allArguments: ['--quick'] })
