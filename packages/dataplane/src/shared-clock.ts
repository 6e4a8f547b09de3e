/**
 * Milliseconds of a monotonic clock that all threads of a process share: that of a thread begins when the thread does.
 */
const [SEC, NANOSEC] = process.hrtime()
const OFFSET_MS = SEC * 1000 + NANOSEC / 1e6 - performance.now()

/** @param nowMs `performance.now()` of this thread */
export function sharedMs(nowMs: number): number {
  return nowMs + OFFSET_MS
}
