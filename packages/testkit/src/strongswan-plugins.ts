/**
 * strongSwan finds its plugins under one compiled-in path. For an unpacked tree that path is made inside a mount namespace of
 * the program's own: /usr/lib becomes a folder of links to the real one, plus the tree's `ipsec`.
 */
import fs from 'node:fs'
import path from 'node:path'
import type { Peer } from './debian-peer.ts'

const PLUGIN_FOLDER = 'ipsec' // compiled into strongSwan: /usr/lib/ipsec/plugins

/**
 * Arguments for `sh` that end by running the program with the arguments that are added behind.
 * @param folder of the caller's, in which two folders are made
 */
export function launchArguments({ root }: Peer, program: string, folder: string): string[] {
  if (root === null) return ['-c', `exec ${program} "$@"`, program]
  const real = path.join(folder, 'real-lib')
  const linked = path.join(folder, 'linked-lib')
  fs.mkdirSync(real)
  fs.mkdirSync(linked)
  for (const entry of fs.readdirSync('/usr/lib')) {
    if (entry !== PLUGIN_FOLDER) fs.symlinkSync(path.join(real, entry), path.join(linked, entry))
  }
  fs.symlinkSync(path.join(root, 'usr/lib', PLUGIN_FOLDER), path.join(linked, PLUGIN_FOLDER))
  const script = `mount --bind /usr/lib "$1" && mount --bind "$2" /usr/lib && shift 2 && exec ${program} "$@"`
  return ['-c', script, program, real, linked]
}
