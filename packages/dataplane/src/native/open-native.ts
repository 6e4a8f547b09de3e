/**
 * Builds the native data plane, or says why it cannot be had here.
 */
import { endianness } from 'node:os'
import { IV_THREADS } from '@culvert/esp'
import type { DataPlane, DataPlaneHandlers, DataPlaneOptions } from '../contract.ts'
import { closeTun, openTun, type OpenTun } from '../tun/open-tun.ts'
import { NativeDataPlane } from './native-data-plane.ts'
import { OwnerSocket } from './owner-socket.ts'
import { PacketMemory } from './packet-memory.ts'
import { runSelfTest } from './self-test.ts'
import { addressOf, Syscalls } from './syscalls.ts'
import { enableTunOffload } from './tun-offload.ts'
import { NativeUnavailableError } from './unavailable.ts'

const OWNER_BYTES = 2 * 65_536

export async function startNative(options: DataPlaneOptions, handlers: DataPlaneHandlers): Promise<DataPlane> {
  if (process.platform !== 'linux' || endianness() !== 'LE' || !['x64', 'arm64'].includes(process.arch)) {
    throw new NativeUnavailableError(`no native data plane on ${process.platform} ${process.arch}`)
  }
  runSelfTest()
  const memory = new PacketMemory(OWNER_BYTES, addressOf)
  const socket = new OwnerSocket(memory, new Syscalls(memory), options)
  const tun = openTunOrClose(options, socket)
  const offload = tun.fds.map((fd) => enableTunOffload(fd, options.offload?.tun))[0] ?? 'none'
  return NativeDataPlane.start({ options, handlers, socket, tun, offload, isSteered: spread(socket, tun) })
}

function spread(socket: OwnerSocket, tun: OpenTun): boolean {
  try {
    return socket.spread(tun.fds.length)
  } catch (error) {
    closeTun(tun)
    socket.close()
    throw error
  }
}

/** A queue of the TUN for each data thread. */
function openTunOrClose({ tun, dataThreads = 1 }: DataPlaneOptions, socket: OwnerSocket): OpenTun {
  try {
    return openTun(tun, { vnetHeader: true, queues: Math.min(Math.max(1, Math.floor(dataThreads)), IV_THREADS) })
  } catch (error) {
    socket.close()
    throw error
  }
}
