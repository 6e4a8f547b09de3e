/**
 * Unpacks every Debian program that tests may want into .cache/debian, so that later runs need no network.
 * Prints shell assignments that put `ip` on PATH where the system has none; everything else goes to stderr.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { bootstrap, root } from './bootstrap.mjs'
import { endWith } from './last-words.mjs'

// The bootstrap may print progress: stdout is for the shell.
const write = process.stdout.write
process.stdout.write = process.stderr.write.bind(process.stderr)
const { node, env } = await bootstrap()
const { status, stdout } = spawnSync(node, ['--conditions=source', path.join(root, 'scripts/unpack-peers.ts')], {
  cwd: root,
  env,
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
})
process.stdout.write = write
endWith(stdout, status ?? 1)
