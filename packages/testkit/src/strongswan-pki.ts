/**
 * strongSwan's `pki` program: makes keys and requests, verifies certificates. Nothing of the host's configuration is read.
 */
import { scratchFolder } from '@culvert/services'
import fs from 'node:fs'
import path from 'node:path'
import { peer } from './debian-peer.ts'
import { type ExecResult, runProgram } from './namespace.ts'
import { launchArguments } from './strongswan-plugins.ts'

export interface StrongswanPki {
  /** Files that the program is to read lie here, and go with `close`. */
  readonly folder: string
  /** Runs `pki <command> ...` in the folder. @throws when it fails, unless `check` is false */
  run(args: readonly string[], options?: { check?: boolean }): Promise<ExecResult>
  close(): void
}

export async function createStrongswanPki(): Promise<StrongswanPki> {
  const found = await peer('strongswan-pki')
  const scratch = await scratchFolder()
  const folder = path.join(scratch, 'pki')
  fs.mkdirSync(folder)
  const conf = path.join(folder, 'strongswan.conf')
  fs.writeFileSync(conf, '')
  const launch = launchArguments(found, 'pki', scratch)
  return {
    folder,
    run: (args, { check = true } = {}) =>
      runProgram('unshare', ['--mount', 'sh', ...launch, ...args], {
        env: { ...found.env, STRONGSWAN_CONF: conf },
        cwd: folder,
        check,
      }),
    close: () => fs.rmSync(scratch, { recursive: true, force: true }),
  }
}
