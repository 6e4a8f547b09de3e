/** The part of unpack-peers.mjs that needs the workspace packages. */
import { peer, peerNames } from '@culvert/testkit'

let missing = 0
for (const name of peerNames) {
  try {
    const { root, env } = await peer(name)
    process.stderr.write(`${name}: ${root ?? 'installed'}\n`)
    if (name === 'iproute2' && root) {
      process.stdout.write(`export PATH='${env['PATH']}' LD_LIBRARY_PATH='${env['LD_LIBRARY_PATH']}'\n`)
    }
  } catch (error) {
    missing++
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}
process.exit(missing === 0 ? 0 : 1)
