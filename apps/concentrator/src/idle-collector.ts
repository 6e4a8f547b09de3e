/**
 * Gives memory back after a crowd of devices has come: what their handshakes left behind is collected when none came for a while.
 *
 * The engine collects when it allocates, and an idle node allocates next to nothing: without this, a node that ten thousand devices
 * came to at once holds two to three times what they need until the next crowd. It stops the thread of IKE for some hundredths of
 * a second, which nobody notices who is not in a handshake; the data plane has threads of its own.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const WATCH_MS = 5_000
/** Fewer leave too little behind to be worth a pause. */
const CROWD = 500

export interface IdleCollector {
  /** A device attached or left. */
  noteChange(): void
  stop(): void
}

/** @param collect for tests; the engine's own collector when left out. */
export function startIdleCollector(collect: () => void = engineCollector()): IdleCollector {
  let sinceCollection = 0
  let sinceLook = 0
  const timer = setInterval(() => {
    if (sinceLook === 0 && sinceCollection >= CROWD) {
      sinceCollection = 0
      collect()
    }
    sinceLook = 0
  }, WATCH_MS)
  timer.unref()
  return {
    noteChange() {
      sinceCollection += 1
      sinceLook += 1
    },
    stop: () => clearInterval(timer),
  }
}

function engineCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
