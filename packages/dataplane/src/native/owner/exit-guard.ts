/**
 * Lets a process end although a worker of it sits in a system call.
 *
 * Node joins its workers when the process exits; one that sleeps in poll(2) or loops over foreign calls is not interrupted. So on
 * exit the worker is told to leave and awaited, briefly; a worker that does not answer takes the process with it.
 */
import { ControlWord } from '../shared-memory/shared-state.ts'

const PATIENCE_MS = 1500

export interface GuardedWorker {
  readonly control: Int32Array
  /** Wakes the worker out of its system call. */
  wake(): void
}

const guarded = new Set<GuardedWorker>()

export function guardExit(worker: GuardedWorker): void {
  if (guarded.size === 0) process.on('exit', stopAll)
  guarded.add(worker)
}

/** The worker has ended. */
export function releaseGuard(worker: GuardedWorker): void {
  guarded.delete(worker)
  if (guarded.size === 0) process.off('exit', stopAll)
}

function stopAll(): void {
  for (const worker of guarded) {
    Atomics.store(worker.control, ControlWord.stop, 1)
    worker.wake()
  }
  for (const { control } of guarded) {
    if (Atomics.wait(control, ControlWord.stopped, 0, PATIENCE_MS) === 'timed-out') process.kill(process.pid, 'SIGKILL')
  }
}
