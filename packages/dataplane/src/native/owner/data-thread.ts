/**
 * One data worker as its owner sees it: the thread, its control words, and whether it still goes round.
 *
 * Unreferenced while nothing is awaited: a data plane alone does not keep a process alive.
 */
import { Worker } from 'node:worker_threads'
import { guardExit, type GuardedWorker, releaseGuard } from './exit-guard.ts'
import type { FromWorker, PostedBatch, WorkerSetup } from '../messages/messages.ts'
import { ControlWord, SharedState } from '../shared-memory/shared-state.ts'

/** The worker makes only short-lived garbage (boxed numbers): a small nursery stays in the cache and costs less memory. */
const YOUNG_GENERATION_MB = 2

const IS_SOURCE = import.meta.url.endsWith('.ts')
const WORKER_URL = new URL(`../worker/worker.${IS_SOURCE ? 'ts' : 'js'}`, import.meta.url)

/** From sources, the worker reads its packages from sources too, whatever runs the owner. */
function workerArguments(): string[] {
  return IS_SOURCE ? ['--conditions=source'] : []
}

export interface DataThreadHandlers {
  receive(message: FromWorker): void
  /** It is gone: it touches no descriptor any more. */
  ended(failure: Error): void
}

export class DataThread {
  readonly shared: SharedState
  readonly #worker: Worker
  readonly #guard: GuardedWorker
  #hasEnded = false

  constructor(setup: WorkerSetup, wake: () => void, handlers: DataThreadHandlers) {
    this.shared = new SharedState(setup.shared[setup.thread]!)
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB }
    this.#worker = new Worker(WORKER_URL, { workerData: setup, execArgv: workerArguments(), resourceLimits })
    this.#worker.unref()
    this.#guard = { control: this.shared.control, wake }
    guardExit(this.#guard)
    this.#worker.on('message', (message: FromWorker) => handlers.receive(message))
    let failure = new Error(`data worker ${setup.thread} ended`)
    this.#worker.on('error', (error: Error) => (failure = error))
    this.#worker.on('exit', () => {
      this.#hasEnded = true
      releaseGuard(this.#guard)
      handlers.ended(failure)
    })
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** What the worker counts on as long as it goes round. */
  get pulse(): number {
    return Atomics.load(this.shared.control, ControlWord.pulse)
  }

  ref(): void {
    this.#worker.ref()
  }

  unref(): void {
    this.#worker.unref()
  }

  post(batch: PostedBatch): void {
    if (this.#hasEnded) return
    this.#worker.postMessage(batch)
    if (Atomics.exchange(this.shared.control, ControlWord.mail, 1) === 0) this.#guard.wake()
  }

  /** Asks it to leave. */
  stop(): void {
    Atomics.store(this.shared.control, ControlWord.stop, 1)
    this.#guard.wake()
  }

  /** For one that does not leave when asked. It may still sit in a system call. */
  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }
}
