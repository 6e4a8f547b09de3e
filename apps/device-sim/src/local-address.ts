/**
 * From which address of this host another one is reached, and what else it could be reached from: asked of the kernel every second,
 * as a host hears of new addresses and routes.
 */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

const EVERY_MS = 1_000
/** Nothing is sent: the kernel only has to choose. */
const ANY_PORT = 9

export interface LocalAddresses {
  /** What the kernel would send from. */
  readonly inUse: string
  /** All of the same family that others could reach, the one in use among them, sorted. */
  readonly all: readonly string[]
}

export interface LocalAddressWatch {
  /** Null before there was a way to the other host; then the last one, also while there is none. */
  readonly current: LocalAddresses | null
  stop(): void
}

export interface WatchedWay {
  /** Address of the other host. */
  readonly towards: string
  /** An interface that does not count. */
  readonly without: string
  readonly onChange: (now: LocalAddresses) => void
}

/** Resolves when it has looked once; `onChange` is told of what comes later. */
export async function watchLocalAddresses({ towards, without, onChange }: WatchedWay): Promise<LocalAddressWatch> {
  let current = await lookAround(towards, without)
  let isLooking = false
  let stopped = false
  const look = async (): Promise<void> => {
    if (isLooking) return
    isLooking = true
    const found = await lookAround(towards, without)
    isLooking = false
    if (stopped || found === null || isSame(found, current)) return
    current = found
    onChange(found)
  }
  const timer = setInterval(() => void look(), EVERY_MS)
  return {
    get current() {
      return current
    },
    stop() {
      stopped = true
      clearInterval(timer)
    },
  }
}

/** @returns null when there is no way to it. */
export function localAddressTowards(remote: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(remote) ? 'udp6' : 'udp4')
    const end = (address: string | null): void => {
      socket.close()
      resolve(address)
    }
    socket.connect(ANY_PORT, remote, (error?: Error | null) => end(error ? null : socket.address().address))
  })
}

async function lookAround(towards: string, without: string): Promise<LocalAddresses | null> {
  const inUse = await localAddressTowards(towards)
  if (inUse === null) return null
  const family = isIPv6(towards) ? 'IPv6' : 'IPv4'
  const all = new Set([inUse])
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (name === without) continue
    for (const { address, internal, family: its, scopeid } of addresses ?? []) {
      if (!internal && its === family && !scopeid) all.add(address)
    }
  }
  return { inUse, all: [...all].toSorted() }
}

function isSame(a: LocalAddresses, b: LocalAddresses | null): boolean {
  return a.inUse === b?.inUse && a.all.join() === b.all.join()
}
