/**
 * Worker thread that waits for a TUN to become readable and rings the owner's bell.
 *
 * Why a thread: libuv has no public handle for a TUN, a blocking `fs.read` would occupy threads of the shared pool for ever and
 * could not be ended, and the owner must be able to close. The thread sleeps in poll(2) on the TUN and an event counter; after
 * a ring it waits until the owner has read everything, so at most one message is under way. It comes up for air between polls,
 * so that ending the process never hangs.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { EINTR, POLL_FAILED, pollEntries, pollResult, tunSyscalls } from '../foreign/index.ts'

export interface WatcherData {
  readonly tunFd: number
  readonly wakeFd: number
  /** One word: `WATCHING`, `RINGING` or `STOPPING`. */
  readonly state: Int32Array
}

export type WatcherMessage = { readonly kind: 'readable' } | { readonly kind: 'failed'; readonly reason: string }

export const WATCHING = 0
export const RINGING = 1
export const STOPPING = 2

const AIR_MS = 200

function watch(data: WatcherData): void {
  const { state, tunFd, wakeFd } = data
  const entries = pollEntries([tunFd, wakeFd])
  const post = (message: WatcherMessage): void => parentPort?.postMessage(message)
  const round = (): void => {
    if (Atomics.load(state, 0) === RINGING) Atomics.wait(state, 0, RINGING, AIR_MS)
    if (Atomics.load(state, 0) === STOPPING) return
    if (Atomics.load(state, 0) === WATCHING) {
      const ready = tunSyscalls().poll(entries, 2, AIR_MS)
      if (ready < 0 && ready !== -EINTR) return post({ kind: 'failed', reason: `poll failed (errno ${-ready})` })
      if (ready > 0) {
        const seen = pollResult(entries, 0)
        if ((seen & POLL_FAILED) !== 0) return post({ kind: 'failed', reason: 'the TUN interface was removed' })
        if (seen !== 0 && Atomics.compareExchange(state, 0, WATCHING, RINGING) === WATCHING) post({ kind: 'readable' })
      }
    }
    setImmediate(round)
  }
  round()
}

/** Other workers import this file too, for its constants. */
function isWatcherData(data: unknown): data is WatcherData {
  return typeof data === 'object' && data !== null && 'tunFd' in data && 'state' in data
}

if (parentPort !== null && isWatcherData(workerData)) watch(workerData)
