/**
 * `npm start` as a person has it, in a network of its own: a child holds a private network namespace and a private list of
 * namespaces, and every command enters both.
 */
import { waitFor } from '@culvert/testkit'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = path.resolve(import.meta.dirname, '../..')
/** A machine whose own network and default gateway lie where the demo would like to be. */
const HOLD = [
  'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && ip link set lo up',
  'ip link add eth0 type veth peer name far && ip address add 192.0.2.2/24 dev eth0',
  'ip link set eth0 up && ip link set far up && ip route add default via 192.0.2.1',
  'echo ready && exec sleep 3600',
].join(' && ')

export interface InsideOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly timeoutMs?: number
}

export interface PrivateMachine {
  /** The data folder of `npm start`. */
  readonly data: string
  /** Whatever runs in this network besides the holder. */
  strangers(): number[]
  launch(env: NodeJS.ProcessEnv): { readonly launcher: ChildProcess; readonly output: () => string }
  /** Launches and waits until it is ready. */
  start(): Promise<Started>
  /** Runs a command in this network. @returns what it printed */
  inside(command: string, args: readonly string[], options?: InsideOptions): Promise<string>
  close(): Promise<void>
}

export interface Started {
  readonly launcher: ChildProcess
  /** Of the page of the demo device, through its tunnel. */
  readonly url: string
  readonly device: string
  readonly key: string
}

export async function privateMachine(): Promise<PrivateMachine> {
  const data = fs.mkdtempSync(path.join(tmpdir(), 'culvert-start-'))
  fs.chmodSync(data, 0o755)
  const holder = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', HOLD], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const enter = (cwd: string, command: readonly string[]): string[] => [
    '--net',
    '--mount',
    '--target',
    String(holder.pid),
    `--wd=${cwd}`,
    ...command,
  ]
  const launch: PrivateMachine['launch'] = (env) => {
    const launcher = spawn('nsenter', enter(ROOT, [process.execPath, 'scripts/start.mjs']), {
      cwd: ROOT,
      env: { ...process.env, DATABASE_URL: '', REDIS_URL: '', CULVERT_DATA: data, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    launcher.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    launcher.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    return { launcher, output: () => text }
  }
  return {
    data,
    launch,
    // Whatever still runs in this network is the holder alone.
    strangers() {
      const network = fs.readlinkSync(`/proc/${holder.pid}/ns/net`)
      return processesIn(network).filter((pid) => pid !== holder.pid)
    },
    async start() {
      const { launcher, output } = launch({})
      await waitFor(() => output().includes('Ctrl-C stops') || launcher.exitCode !== null, {
        timeoutMs: 90_000,
        message: `npm start to be ready:\n${output()}`,
      })
      const [, url = ''] = /^curl (http:\S+)$/m.exec(output()) ?? []
      const [device = ''] = /dev_\w+/.exec(output()) ?? []
      const [key = ''] = /culvert_\w+/.exec(output()) ?? []
      if (!url || !device || !key) throw new Error(`npm start did not show a tunnel, a device and a key:\n${output()}`)
      return { launcher, url, device, key }
    },
    async inside(command, args, { env = process.env, cwd = ROOT, timeoutMs = 30_000 } = {}) {
      const { stdout } = await run('nsenter', enter(cwd, [command, ...args]), { env, timeout: timeoutMs })
      return stdout.trim()
    },
    async close() {
      holder.kill('SIGKILL')
      await once(holder, 'exit')
      fs.rmSync(data, { recursive: true, force: true })
    },
  }
}

/** @returns the exit code of the launcher */
export async function stop(launcher: ChildProcess): Promise<number | null> {
  const gone = once(launcher, 'exit')
  launcher.kill('SIGTERM')
  return ((await gone) as [number | null])[0]
}

function processesIn(network: string): number[] {
  return fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && networkOf(pid) === network)
}

function networkOf(pid: number): string | null {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return null // it ended meanwhile, or nobody has waited for it yet
  }
}
