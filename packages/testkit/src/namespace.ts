/**
 * A network namespace and the programs that run in it.
 *
 * Invariants: every program runs in a process group of its own and is ended with the namespace; every call has a time bound;
 * a process or group that vanishes between two looks is no error; captured output is bounded.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'

const DEFAULT_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 5_000
const OUTPUT_LIMIT = 1 << 20

/** How a host of a lab is joined to its bridge. */
export interface HostOptions {
  /** Default route. */
  readonly gateway?: string
  readonly mtuBytes?: number
}

export interface ExecOptions {
  readonly timeoutMs?: number
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly input?: string
  /** false: a program that fails is an answer, not an error. */
  readonly check?: boolean
}

export interface ExecResult {
  /** Exit code; 128 or more when a signal ended the program. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A program that keeps running in a namespace. */
export interface LabProcess {
  readonly pid: number
  /** What it wrote so far, stdout and stderr in the order they came, the last megabyte. */
  output(): string
  /** Resolves when it has ended, with "exit code N" or the signal's name. */
  readonly ended: Promise<string>
  signal(signal: NodeJS.Signals): void
  /** Sends `signal` (SIGTERM) to the whole group, SIGKILL after 5 s, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

export interface Namespace {
  /** The name that `ip netns` knows. */
  readonly name: string
  /** Runs `ip -n <name> ...`. */
  ip(...args: string[]): Promise<ExecResult>
  /** Runs a program to its end. @throws when it fails or takes too long */
  exec(command: string, args?: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** Starts a program that keeps running; it ends with the namespace at the latest. */
  spawn(command: string, args?: readonly string[], options?: Pick<ExecOptions, 'env' | 'cwd'>): LabProcess
  /** Ends the programs and removes the namespace. */
  remove(): Promise<void>
}

/** Creates the namespace `name` with its loopback device up. */
export async function addNamespace(name: string): Promise<Namespace> {
  await runProgram('ip', ['netns', 'add', name])
  const processes = new Set<LabProcess>()
  const namespace: Namespace = {
    name,
    ip: (...args) => runProgram('ip', ['-n', name, ...args]),
    exec: (command, args = [], options = {}) => runProgram('ip', ['netns', 'exec', name, command, ...args], options),
    spawn(command, args = [], options = {}) {
      const started = startProgram('ip', ['netns', 'exec', name, command, ...args], options)
      processes.add(started)
      void started.ended.then(() => processes.delete(started))
      return started
    },
    async remove() {
      await Promise.all([...processes].map((running) => running.stop()))
      removeNamespaceNow(name)
    },
  }
  await namespace.ip('link', 'set', 'lo', 'up')
  return namespace
}

/** Kills what still runs in the namespace and deletes it, synchronously: also for exit handlers and sweeps. */
export function removeNamespaceNow(name: string): void {
  if (!fs.existsSync(`/run/netns/${name}`)) return
  try {
    const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8', timeout: DEFAULT_TIMEOUT_MS })
    for (const pid of pids.split('\n').filter(Boolean)) signalProcess(Number(pid), 'SIGKILL')
    execFileSync('ip', ['netns', 'del', name], { timeout: DEFAULT_TIMEOUT_MS, stdio: 'ignore' })
  } catch (error) {
    if (fs.existsSync(`/run/netns/${name}`)) throw error // else somebody else removed it first
  }
}

/** Runs a program to its end, outside of any namespace unless the arguments say so. */
export function runProgram(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, input, check = true } = options
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { ...place(options), timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20, encoding: 'utf8' },
      (error, stdout, stderr) => {
        const code = exitCode(child, error)
        const words = [command, ...args].join(' ')
        if (error?.code === 'ENOENT') reject(new Error(`${command} is not on this machine`, { cause: error }))
        else if (child.killed) reject(new Error(`${words}: no end within ${timeoutMs} ms\n${stdout}${stderr}`))
        else if (code !== 0 && check) reject(new Error(`${words}: exit code ${code}\n${stdout}${stderr}`.trim()))
        else resolve({ code, stdout, stderr })
      },
    )
    child.stdin?.on('error', () => {}) // the program may end without reading its input
    child.stdin?.end(input ?? '')
  })
}

function exitCode(child: ChildProcess, error: unknown): number {
  if (child.exitCode !== null) return child.exitCode
  return error ? 128 : 0
}

function place({ env, cwd }: ExecOptions): { env?: NodeJS.ProcessEnv; cwd?: string } {
  return { ...(env && { env }), ...(cwd && { cwd }) }
}

function startProgram(command: string, args: readonly string[], options: ExecOptions): LabProcess {
  const child = spawn(command, args, { ...place(options), stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_LIMIT)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  const pid = child.pid ?? 0
  const signal = (name: NodeJS.Signals): void => {
    if (pid > 0) signalProcess(-pid, name)
  }
  return {
    pid,
    output: () => output,
    ended,
    signal,
    async stop(name = 'SIGTERM') {
      signal(name)
      const late = setTimeout(() => signal('SIGKILL'), STOP_TIMEOUT_MS)
      await ended
      clearTimeout(late)
      signal('SIGKILL') // what its leader left behind in the group
    },
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
