/** `npm start`: everything on this machine, ready to use. The launcher itself is scripts/stack/. */
import { runTypeScript } from './bootstrap.mjs'

await runTypeScript('scripts/stack/main.ts', process.argv.slice(2))
