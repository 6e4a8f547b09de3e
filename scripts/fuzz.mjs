/** `npm run fuzz -- <name>`: a fuzzer that explores until it is stopped or its own limit; see test/fuzz/README.md. */
import { runProgram } from './run-program.mjs'

await runProgram('test/fuzz', 'npm run fuzz', { allArguments: [] })
