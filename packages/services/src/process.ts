/**
 * Child processes that are servers: a free or kept port, waiting until they accept, ending them.
 *
 * Invariants: nothing waits without a bound; a server whose owner was killed is recognised by the owner's pid *and* start
 * time (a pid alone is reused), and only such a server is ended.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 20_000

/** A server that this process started. */
export interface Service {
  readonly url: string
  readonly pid: number
  /** Resolves when the process has ended by itself, with what it ended with. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

/** @returns a TCP port of the loopback address that nobody listens on; `preferred` when that one is free. */
export async function freePort(preferred = 0): Promise<number> {
  const server = net.createServer()
  try {
    server.listen(preferred, '127.0.0.1')
    await once(server, 'listening')
  } catch (error) {
    if (preferred === 0) throw error
    return freePort()
  }
  const { port } = server.address() as net.AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

/** The port that `file` remembers from an earlier run when it is still free, else another one, which it then remembers. */
export async function keptPort(file: string): Promise<number> {
  const earlier = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0
  const port = await freePort(Number.isInteger(earlier) && earlier > 0 && earlier < 65_536 ? earlier : 0)
  fs.writeFileSync(file, String(port))
  return port
}

/** Waits until `port` accepts a connection; fails as soon as the process ends. */
export async function accepting(child: ChildProcess, port: number, name: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadline) {
    if (hasEnded(child)) throw new Error(`${name} ended while starting (${child.exitCode ?? child.signalCode})`)
    if (await accepts(port)) return
    await pause(15)
  }
  throw new Error(`${name} did not accept connections on port ${port} within ${START_TIMEOUT_MS / 1000} s`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** Sends `signal` and waits for the end; SIGKILL when it does not come. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const exited = once(child, 'exit')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(late)
}

/** @returns a promise of the words in which the process ended, e.g. "exit code 1" or "SIGKILL". */
export function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    const tell = (): void => resolve(child.signalCode ?? `exit code ${child.exitCode}`)
    if (hasEnded(child)) tell()
    else child.once('exit', tell)
  })
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** A process named so that a later one with the same number is not taken for it: `pid:start time in clock ticks`. */
export function processMark(pid: number = process.pid): string {
  return `${pid}:${startTicks(pid)}`
}

/** @param mark what {@link processMark} gave; anything else counts as a process that is gone, and so does a zombie. */
export function markIsAlive(mark: string): boolean {
  const pid = Number.parseInt(mark, 10)
  return pid > 0 && startTicks(pid) !== '' && mark === processMark(pid)
}

/** @returns '' for a process that is gone, or that nobody has waited for yet. */
function startTicks(pid: number): string {
  try {
    // The command name, in parentheses, may hold spaces; state and start time are fields 1 and 20 after it (proc(5)).
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return fields[0] === 'Z' ? '' : (fields[19] ?? '')
  } catch {
    return ''
  }
}

/**
 * Ends the server that a killed run left behind on `dir`, and marks `dir` as this process's.
 * @param ownerFile names the process that started the server, as {@link processMark}
 * @param pidFile first line: the server's pid
 * @throws when the run that owns the server still lives
 */
export async function takeOver(dir: string, ownerFile: string, pidFile: string): Promise<void> {
  const owner = fs.existsSync(ownerFile) ? fs.readFileSync(ownerFile, 'utf8') : ''
  const pid = fs.existsSync(pidFile) ? Number.parseInt(fs.readFileSync(pidFile, 'utf8'), 10) : 0
  const running = (): boolean => pid > 0 && workingFolder(pid) === fs.realpathSync(dir)
  if (running()) {
    if (markIsAlive(owner)) throw new Error(`${dir} is in use by process ${Number.parseInt(owner, 10)}`)
    process.kill(pid, 'SIGINT')
    const deadline = performance.now() + STOP_TIMEOUT_MS
    while (running() && performance.now() < deadline) await pause(25)
    if (running()) process.kill(pid, 'SIGKILL')
    while (running()) await pause(25)
  }
  fs.writeFileSync(ownerFile, processMark())
}

function workingFolder(pid: number): string | null {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return null
  }
}
