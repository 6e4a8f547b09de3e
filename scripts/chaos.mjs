/** `npm run chaos -- --rounds 1000 --seed 7`: kill -9 of whatever process, round after round; see test/chaos/run.ts. */
import { runTypeScript } from './bootstrap.mjs'

await runTypeScript('test/chaos/run.ts', process.argv.slice(2))
