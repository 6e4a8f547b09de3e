/**
 * Dials from one network namespace through a dialer process in it (`ip netns exec`), which passes connected sockets back.
 *
 * Invariants: every dial is answered, whatever happens to the process; a process that died is started again, after a pause that
 * grows while it keeps dying (no such namespace); a process in a namespace that was deleted or made anew is replaced. The
 * process gets an empty environment and gives up root.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  dialFailure,
  type DialerGreeting,
  type DialOutcome,
  type DialReply,
  type DialTarget,
  TIMED_OUT,
} from './contract.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000
/** A process that lived this long counts as a good start. */
const SETTLED_MS = 10_000
/** The process enforces the time limit; one that stays silent this much longer is broken. */
const SILENCE_MS = 2_000
const NAMESPACE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const SEARCH_PATH = '/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin'

export interface DialLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export class NamespaceDialer {
  readonly #namespace: string
  readonly #timeoutMs: number
  readonly #log: DialLog
  readonly #pending = new Map<number, (outcome: DialOutcome) => void>()
  #lastId = 0
  #process: ChildProcess | null = null
  /** Inode of the network namespace that the process is in; null before it says so. */
  #entered: number | null = null
  #startedAtMs = 0
  #pauseMs = 0
  #lastProblem = ''
  #stopped = false

  constructor(namespace: string, timeoutMs: number, log: DialLog) {
    this.#namespace = namespace
    this.#timeoutMs = timeoutMs
    this.#log = log
  }

  dial({ host, port, localAddress }: DialTarget): Promise<DialOutcome> {
    const child = this.#running()
    if (!child) return Promise.resolve({ ...dialFailure('ENONET'), detail: this.#lastProblem })
    return new Promise((resolve) => {
      const id = ++this.#lastId
      const silent = setTimeout(() => {
        this.#log.warn({ namespace: this.#namespace, pid: child.pid }, 'dialer does not answer, starting another')
        this.#settle(id, dialFailure(TIMED_OUT))
        child.kill('SIGKILL')
      }, this.#timeoutMs + SILENCE_MS)
      this.#pending.set(id, (outcome) => {
        clearTimeout(silent)
        resolve(outcome)
      })
      child.send({ id, host, port, localAddress, timeoutMs: this.#timeoutMs }, (error) => {
        if (error) this.#settle(id, dialFailure('EPIPE'))
      })
    })
  }

  /** Starts the process when it is not there, and replaces it when its namespace is no longer the one of that name. */
  prepare(): void {
    const child = this.#running()
    if (child && this.#isElsewhere()) {
      this.#log.info(
        { namespace: this.#namespace },
        'network namespace was removed or made anew, starting the dialer again',
      )
      this.#process = null
      this.#pauseMs = 0
      child.kill('SIGKILL')
      this.#failAll(dialFailure('ENONET'))
      this.#running()
    }
  }

  stop(): void {
    this.#stopped = true
    this.#process?.kill('SIGKILL')
    this.#process = null
    this.#failAll(dialFailure('ECANCELED'))
  }

  #running(): ChildProcess | null {
    if (this.#stopped) return null
    if (this.#process) return this.#process
    if (!NAMESPACE_NAME.test(this.#namespace)) {
      this.#lastProblem = 'not a namespace name'
      return null
    }
    if (performance.now() < this.#startedAtMs + this.#pauseMs) return null
    return this.#start()
  }

  #start(): ChildProcess {
    this.#startedAtMs = performance.now()
    const child = spawn('ip', ['netns', 'exec', this.#namespace, process.execPath, entryFile()], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { PATH: SEARCH_PATH },
    })
    this.#process = child
    this.#entered = null
    let words = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-400)))
    child.once('message', (message) => {
      if (this.#process === child) this.#entered = (message as DialerGreeting).namespaceInode
      child.on('message', (reply, socket) => this.#received((reply ?? { id: 0 }) as DialReply, socket))
    })
    child.on('error', (error) => this.#ended(child, error.message))
    // 'close', not 'exit': what the process said last has been read, and sockets under way have arrived.
    child.on('close', (code, signal) => this.#ended(child, words.trim() || `ended with ${signal ?? code}`))
    return child
  }

  #received(reply: DialReply, socket: unknown): void {
    if (!this.#pending.has(reply.id)) {
      if (socket instanceof Socket) socket.destroy()
      return
    }
    this.#pauseMs = 0
    this.#lastProblem = ''
    if (socket instanceof Socket) {
      socket.pause()
      socket.allowHalfOpen = true
      this.#settle(reply.id, { ok: true, socket })
    } else this.#settle(reply.id, dialFailure(reply.code ?? 'EBADF'))
  }

  #ended(child: ChildProcess, problem: string): void {
    if (this.#process !== child) return
    this.#process = null
    const settled = performance.now() - this.#startedAtMs > SETTLED_MS
    this.#pauseMs = settled ? 0 : Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2))
    if (problem !== this.#lastProblem) {
      this.#log.warn(
        { namespace: this.#namespace, problem },
        'dialer ended; no device of this concentrator can be dialed',
      )
    }
    this.#lastProblem = problem
    this.#failAll({ ...dialFailure('ENONET'), detail: problem })
  }

  #settle(id: number, outcome: DialOutcome): void {
    const settle = this.#pending.get(id)
    this.#pending.delete(id)
    settle?.(outcome)
  }

  #failAll(outcome: DialOutcome): void {
    for (const id of this.#pending.keys()) this.#settle(id, outcome)
  }

  #isElsewhere(): boolean {
    return this.#entered !== null && this.#entered !== inode(`/run/netns/${this.#namespace}`)
  }
}

/** @returns null when there is no such file. */
function inode(file: string): number | null {
  return fs.statSync(file, { throwIfNoEntry: false })?.ino ?? null
}

/** The process's entry beside this file, as source or as built. */
function entryFile(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`./dialer-process.${extension}`, import.meta.url))
}
