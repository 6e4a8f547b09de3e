/** Waiting for a condition instead of sleeping: bounded, and it says what it waited for. */
import { setTimeout as pause } from 'node:timers/promises'

export interface WaitOptions {
  /** Default 10 s. */
  readonly timeoutMs?: number
  /** Between two looks; default 20 ms. */
  readonly intervalMs?: number
  /** What was waited for, for the error; a function is asked when the time is up. */
  readonly message?: string | (() => string | Promise<string>)
}

/**
 * Looks again and again until `predicate` gives something other than false, null or undefined.
 * @returns what it gave
 * @throws after the time is up, naming `message` and the last error that the predicate itself threw
 */
export async function waitFor<T>(
  predicate: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20, message = 'the condition' }: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + timeoutMs
  let cause: Error | null = null
  for (;;) {
    try {
      const value = await predicate()
      if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>
    } catch (error) {
      cause = error instanceof Error ? error : new Error(String(error))
    }
    if (performance.now() >= deadline) {
      const awaited = typeof message === 'function' ? await message() : message
      throw new Error(`waited ${timeoutMs} ms for ${awaited}${cause ? `: ${cause.message}` : ''}`, { cause })
    }
    await pause(intervalMs)
  }
}
