/** `npm run doctor`: what the data plane would use on this machine, and why not more. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { bootstrap, root } from './bootstrap.mjs'

const { node, env } = await bootstrap()
const program = path.join(root, 'apps/concentrator/src/doctor.ts')
const words = ['--conditions=source', program, ...process.argv.slice(2)]
const { status } = spawnSync(node, words, { cwd: root, env, stdio: 'inherit' })
process.exit(status ?? 1)
