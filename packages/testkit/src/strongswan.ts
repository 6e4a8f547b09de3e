/**
 * strongSwan as the other end: one charon-systemd in a network namespace of a lab, with user-space ESP (kernel-libipsec).
 *
 * Invariants: its configuration, log and vici socket lie in a folder of its own; nothing of the host's configuration is read;
 * plugins that touch the host (resolve, dhcp, farp, bypass-lan, stroke) are not loaded. libipsec encapsulates only in UDP, so
 * connections need `encap = yes` on one side.
 */
import { scratchFolder } from '@culvert/services'
import { once } from 'node:events'
import fs from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { peer } from './debian-peer.ts'
import { type ExecResult, type LabProcess, type Namespace, runProgram } from './namespace.ts'
import { type CharonOptions, strongswanConf } from './strongswan-conf.ts'
import { launchArguments } from './strongswan-plugins.ts'
import { type IkeSaReport, parseSas } from './strongswan-sas.ts'
import { waitFor } from './wait-for.ts'

const SWANCTL_FOLDERS = ['x509', 'x509ca', 'x509crl', 'pubkey', 'private', 'rsa', 'ecdsa', 'pkcs8', 'pkcs12', 'conf.d']
const START_TIMEOUT_MS = 15_000

export interface StrongswanOptions extends CharonOptions {
  readonly namespace: Namespace
  /** Tells peers apart in messages. */
  readonly name: string
  /** Contents of swanctl.conf: connections, pools, secrets. */
  readonly swanctlConf: string
  /** Certificates and keys by path below the swanctl folder, e.g. `x509ca/ca.pem`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

/** What an exchange is asked for: by the names in swanctl.conf. */
export interface SaNames {
  readonly ike?: string
  readonly child?: string
}

export interface Strongswan {
  readonly pid: number
  /** Resolves when charon has ended, e.g. with "exit code 0" or "SIGSEGV". */
  readonly ended: Promise<string>
  /** charon's log so far. */
  log(): string
  /** Runs `swanctl <command> ...`, e.g. `swanctl('--list-conns')`. @throws when it fails, unless `check` is false */
  swanctl(
    command: string,
    args?: readonly string[],
    options?: { check?: boolean; timeoutMs?: number },
  ): Promise<ExecResult>
  /** Replaces connections, pools and secrets. */
  reload(swanctlConf: string): Promise<void>
  /** @throws with swanctl's words when the SA does not come up within `timeoutSec` (10) */
  initiate(names: SaNames, timeoutSec?: number): Promise<void>
  rekey(names: SaNames): Promise<void>
  terminate(names: SaNames): Promise<void>
  listSas(): Promise<IkeSaReport[]>
  /** SIGTERM: deletes its SAs, tells the peers, ends. */
  stop(): Promise<void>
  /** SIGKILL: gone without a word. */
  kill(): Promise<void>
}

/** Starts charon, waits until it answers and loads the configuration. It ends with the namespace at the latest. */
export async function startStrongswan(options: StrongswanOptions): Promise<Strongswan> {
  const { namespace, name, swanctlConf } = options
  const found = await peer('strongswan')
  const folder = await peerFolder(options)
  const env = { ...found.env, STRONGSWAN_CONF: path.join(folder, 'strongswan.conf'), SWANCTL_DIR: folder }
  const socket = path.join(folder, 'vici')
  const charon = namespace.spawn('sh', launchArguments(found, 'charon-systemd', folder), { env })
  const log = (): string =>
    fs.existsSync(`${folder}/charon.log`) ? fs.readFileSync(`${folder}/charon.log`, 'utf8') : ''

  const swanctl: Strongswan['swanctl'] = (command, args = [], { check = true, timeoutMs = 30_000 } = {}) => {
    // charon's mount namespace is where the plugins are visible.
    const inside = ['--mount', '--target', String(charon.pid), 'swanctl', command, '--uri', `unix://${socket}`]
    return runProgram('nsenter', [...inside, ...args], { env, timeoutMs, check })
  }
  const reload = async (conf: string): Promise<void> => {
    fs.writeFileSync(path.join(folder, 'swanctl.conf'), conf)
    await swanctl('--load-all', ['--clear'])
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await charon.stop(signal)
    fs.rmSync(path.dirname(folder), { recursive: true, force: true })
  }
  try {
    await answering(charon, socket, name)
    await reload(swanctlConf)
  } catch (error) {
    const story = `${log()}${charon.output()}`.trim().split('\n').slice(-15).join('\n')
    await end('SIGKILL')
    throw new Error(`strongSwan ${name} did not start: ${String(error)}\n${story}`, { cause: error })
  }
  return {
    pid: charon.pid,
    ended: charon.ended,
    log,
    swanctl,
    reload,
    async initiate(names, timeoutSec = 10) {
      const limits = { timeoutMs: timeoutSec * 1000 + 10_000 }
      await swanctl('--initiate', [...nameArguments(names), '--timeout', String(timeoutSec)], limits)
    },
    async rekey(names) {
      await swanctl('--rekey', nameArguments(names))
    },
    async terminate(names) {
      await swanctl('--terminate', nameArguments(names))
    },
    listSas: async () => parseSas((await swanctl('--list-sas', ['--pretty'])).stdout),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

async function peerFolder(options: StrongswanOptions): Promise<string> {
  const folder = path.join(await scratchFolder(), options.name)
  for (const name of SWANCTL_FOLDERS) fs.mkdirSync(path.join(folder, name), { recursive: true })
  fs.writeFileSync(path.join(folder, 'strongswan.conf'), strongswanConf(folder, options))
  for (const [file, contents] of Object.entries(options.files ?? {})) {
    fs.writeFileSync(path.join(folder, file), contents, { mode: 0o600 })
  }
  return folder
}

async function answering(charon: LabProcess, socket: string, name: string): Promise<void> {
  let ending: string | null = null
  void charon.ended.then((how) => (ending = how))
  await waitFor(() => ending !== null || takesConnections(socket), {
    timeoutMs: START_TIMEOUT_MS,
    message: `the vici socket of ${name}`,
  })
  if (ending !== null) throw new Error(`charon ended with ${ending}`)
}

/** The socket's file is there a moment before anybody listens. */
async function takesConnections(socket: string): Promise<boolean> {
  const client = connect(socket)
  try {
    await once(client, 'connect')
    return true
  } catch {
    return false
  } finally {
    client.destroy()
  }
}

function nameArguments({ ike, child }: SaNames): string[] {
  return [...(ike ? ['--ike', ike] : []), ...(child ? ['--child', child] : [])]
}
