/**
 * Builds the native data plane, or says why it cannot be had here.
 */
import { IV_THREADS } from '@culvert/esp'
import type { DataPlane, DataPlaneHandlers, DataPlaneOptions } from '../contract.ts'
import { closeTun, openTun, type OpenTun } from '../tun/open-tun.ts'
import { NativeDataPlane } from './owner/native-data-plane.ts'
import { OwnerSocket } from './owner/owner-socket.ts'
import { CALL_LISTS, NativeUnavailableError, PacketMemory, proveForeignCalls, Syscalls } from '../foreign/index.ts'
import { CONCENTRATOR_LANES, steerByDestination } from './lanes/lanes.ts'
import { enableTunOffload } from './superpackets/tun-offload.ts'

const OWNER_BYTES = 2 * 65_536

export async function startNative(options: DataPlaneOptions, handlers: DataPlaneHandlers): Promise<DataPlane> {
  proveForeignCalls()
  const memory = new PacketMemory(OWNER_BYTES)
  const socket = new OwnerSocket(memory, new Syscalls(memory), options)
  const wanted = wantedOf(options)
  const tun = openTunOrClose(options, wanted, socket)
  const offload = tun.fds.map((fd) => enableTunOffload(fd, options.offload?.tun))[0] ?? 'none'
  const callLists = options.offload?.callLists !== false && canListCalls()
  // An interface that was made for one queue serves one thread and keeps no tunnel from another.
  const threads = tun.fds.length === 1 ? 1 : wanted.threads
  const isSteered = spread(socket, tun, { threads, lanes: wanted.lanes })
  const isParted = wanted.lanes > 1 && tun.fds.length > 1 && steerByDestination(memory, new Syscalls(memory), tun.fd)
  return NativeDataPlane.start({ options, handlers, socket, tun, offload, callLists, threads, isSteered, isParted })
}

function canListCalls(): boolean {
  try {
    proveForeignCalls([CALL_LISTS])
    return true
  } catch (error) {
    if (error instanceof NativeUnavailableError) return false
    throw error
  }
}

interface Wanted {
  readonly threads: number
  /** Of each thread. */
  readonly lanes: number
}

function wantedOf({ role, dataThreads = 1 }: DataPlaneOptions): Wanted {
  const threads = Math.min(Math.max(1, Math.floor(dataThreads)), IV_THREADS)
  return { threads, lanes: role.kind === 'concentrator' ? CONCENTRATOR_LANES : 1 }
}

function spread(socket: OwnerSocket, tun: OpenTun, { threads, lanes }: Wanted): boolean {
  try {
    return socket.spread(threads, lanes)
  } catch (error) {
    closeTun(tun)
    socket.close()
    throw error
  }
}

/** A queue of the TUN for each lane of each data thread. */
function openTunOrClose({ tun }: DataPlaneOptions, { threads, lanes }: Wanted, socket: OwnerSocket): OpenTun {
  try {
    return openTun(tun, { vnetHeader: true, queues: threads * lanes })
  } catch (error) {
    socket.close()
    throw error
  }
}
