/** What the kernel's scheduler says of the threads of a process: how long they ran, and how long they were ready but had no CPU. */
import fs from 'node:fs'

export interface ThreadTimes {
  readonly ranMs: number
  readonly waitedMs: number
}

/** By thread. */
export function readThreadTimes(pid: number): ReadonlyMap<string, ThreadTimes> {
  const threads = new Map<string, ThreadTimes>()
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    try {
      const [ran = 0, waited = 0] = fs
        .readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
        .split(' ')
        .map(Number)
      threads.set(thread, { ranMs: ran / 1e6, waitedMs: waited / 1e6 })
    } catch {
      // the thread ended meanwhile
    }
  }
  return threads
}

/** @returns what the thread did since `before` that ran most */
export function busiestSince(pid: number, before: ReadonlyMap<string, ThreadTimes>): ThreadTimes {
  let busiest: ThreadTimes = { ranMs: 0, waitedMs: 0 }
  for (const [thread, { ranMs, waitedMs }] of readThreadTimes(pid)) {
    const then = before.get(thread) ?? { ranMs: 0, waitedMs: 0 }
    if (ranMs - then.ranMs > busiest.ranMs) busiest = { ranMs: ranMs - then.ranMs, waitedMs: waitedMs - then.waitedMs }
  }
  return busiest
}
