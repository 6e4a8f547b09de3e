/** Waiting inside the launcher: bounded, and given up at once when the stack is going down. */
import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from './problem.ts'

export interface Waiting {
  readonly timeoutMs: number
  /** The sentence for a person when the time is up. */
  readonly otherwise: string
  readonly signal: AbortSignal
}

/** @returns what `look` gave as soon as it gives something; an error of `look` counts as "not yet" */
export async function until<T>(look: () => Promise<T | null>, { timeoutMs, otherwise, signal }: Waiting): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  while (performance.now() < deadline) {
    signal.throwIfAborted()
    try {
      const value = await look()
      if (value !== null) return value
    } catch (error) {
      cause = error
    }
    await pause(50, undefined, { signal })
  }
  throw new Problem(otherwise, cause)
}
