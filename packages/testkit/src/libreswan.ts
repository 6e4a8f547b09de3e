/**
 * libreswan as the other end: one pluto in a network namespace of a lab, for IKE alone. There is no kernel ESP where the tests
 * run, so a Child SA is negotiated and then fails to be installed on its side; what IKE itself says is what is looked at.
 *
 * Invariants: configuration, NSS database, control socket and log lie in a folder of its own; nothing of the host is read.
 */
import { scratchFolder } from '@culvert/services'
import fs from 'node:fs'
import path from 'node:path'
import { type Peer, peer } from './debian-peer.ts'
import { type ExecResult, type LabProcess, type Namespace, runProgram } from './namespace.ts'
import { waitFor } from './wait-for.ts'

const PROGRAM_FOLDER = '/usr/libexec' // compiled into pluto: it starts its helpers from there
const START_TIMEOUT_MS = 15_000

export interface LibreswanOptions {
  readonly namespace: Namespace
  /** Tells peers apart in messages. */
  readonly name: string
  /** Address pluto listens on. */
  readonly address: string
  /** The `conn` sections of ipsec.conf. */
  readonly connections: string
  /** Contents of ipsec.secrets. */
  readonly secrets?: string
  /** PKCS #12 files without a password, imported into the NSS database: certificates, keys and their CA. */
  readonly pkcs12?: readonly Uint8Array[]
  /** Certificates in PEM to be trusted as CA, by the nickname they get. */
  readonly trusted?: Readonly<Record<string, string>>
}

export interface Libreswan {
  /** pluto's log so far. */
  log(): string
  /** Runs `whack ...`, e.g. `whack('--showstates')`. @throws when it fails, unless `check` is false */
  whack(args: readonly string[], options?: { check?: boolean }): Promise<ExecResult>
  /** Starts a connection and does not wait for its end. */
  initiate(connection: string): Promise<void>
  /** SIGTERM: tells its peers, ends. */
  stop(): Promise<void>
}

/** Starts pluto, waits until it answers and loads the connections. It ends with the namespace at the latest. */
export async function startLibreswan(options: LibreswanOptions): Promise<Libreswan> {
  const { namespace, name } = options
  const found = await peer('libreswan')
  const folder = path.join(await scratchFolder(), name)
  const control = path.join(folder, 'pluto.ctl')
  const logFile = path.join(folder, 'pluto.log')
  writeFolder(folder, options)
  await fillDatabase(found, folder, options)
  const pluto = namespace.spawn('sh', launchArguments(found, folder), { env: found.env })
  const log = (): string => (fs.existsSync(logFile) ? fs.readFileSync(logFile, 'utf8') : '')
  const whack = (args: readonly string[], check = true): Promise<ExecResult> => {
    const file = path.join(found.root ?? '', PROGRAM_FOLDER, 'ipsec/whack')
    return namespace.exec(file, ['--ctlsocket', control, ...args], { env: found.env, check })
  }
  const end = async (): Promise<void> => {
    await pluto.stop('SIGTERM')
    fs.rmSync(path.dirname(folder), { recursive: true, force: true })
  }
  try {
    await answering(pluto, name, () => isReady(log(), options))
  } catch (error) {
    const story = `${log()}${pluto.output()}`.trim().split('\n').slice(-15).join('\n')
    await end()
    throw new Error(`libreswan ${name} did not start: ${String(error)}\n${story}`, { cause: error })
  }
  return {
    log,
    whack: (args, { check = true } = {}) => whack(args, check),
    async initiate(connection) {
      await whack(['--initiate', '--name', connection, '--asynchronous'], false)
    },
    stop: end,
  }
}

function writeFolder(folder: string, { address, connections, secrets = '' }: LibreswanOptions): void {
  fs.mkdirSync(path.join(folder, 'nss'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'ipsec.conf'), `config setup\n  listen=${address}\n\n${connections}\n`)
  fs.writeFileSync(path.join(folder, 'ipsec.secrets'), `${secrets}\n`, { mode: 0o600 })
}

async function fillDatabase(found: Peer, folder: string, options: LibreswanOptions): Promise<void> {
  const { env } = found
  const database = ['-d', `sql:${path.join(folder, 'nss')}`]
  await runProgram('certutil', ['-N', ...database, '--empty-password'], { env })
  for (const [index, bytes] of (options.pkcs12 ?? []).entries()) {
    const file = path.join(folder, `${index}.p12`)
    fs.writeFileSync(file, bytes, { mode: 0o600 })
    await runProgram('pk12util', ['-i', file, ...database, '-W', '', '-K', ''], { env })
  }
  for (const [nickname, pem] of Object.entries(options.trusted ?? {})) {
    const file = path.join(folder, `${nickname}.pem`)
    fs.writeFileSync(file, pem)
    await runProgram('certutil', ['-A', ...database, '-n', nickname, '-t', 'CT,,', '-a', '-i', file], { env })
  }
}

/** An unpacked tree is shown at the compiled-in path, inside the mount namespace that `ip netns exec` makes. */
function launchArguments({ root }: Peer, folder: string): string[] {
  const pluto = `${PROGRAM_FOLDER}/ipsec/pluto`
  const places = { config: 'ipsec.conf', nssdir: 'nss', secretsfile: 'ipsec.secrets', logfile: 'pluto.log' }
  const options = Object.entries(places).flatMap(([option, file]) => [`--${option}`, path.join(folder, file)])
  const command = [pluto, '--nofork', '--rundir', folder, '--dumpdir', folder, '--ipsecdir', folder, ...options]
  const script = root === null ? 'shift; exec "$@"' : `mount --bind "$1" ${PROGRAM_FOLDER} && shift && exec "$@"`
  return ['-c', script, 'pluto', `${root ?? ''}${PROGRAM_FOLDER}`, ...command]
}

/** It has read its configuration and secrets, and hears on the address. */
function isReady(log: string, { address, connections }: LibreswanOptions): boolean {
  const names = [...connections.matchAll(/^conn\s+(\S+)/gm)].map(([, connection = '']) => connection)
  const isListening = log.includes(`${address}:4500`) && log.includes('loading secrets')
  return isListening && names.every((connection) => log.includes(`"${connection}": added`))
}

async function answering(pluto: LabProcess, name: string, isUp: () => boolean): Promise<void> {
  let ending: string | null = null
  void pluto.ended.then((how) => (ending = how))
  await waitFor(() => ending !== null || isUp(), { timeoutMs: START_TIMEOUT_MS, message: `pluto of ${name}` })
  if (ending !== null) throw new Error(`pluto ended with ${ending}`)
}
