/**
 * Builds the native data plane, or says why it cannot be had here.
 */
import { endianness } from 'node:os'
import type { DataPlane, DataPlaneHandlers, DataPlaneOptions } from '../contract.ts'
import { openTun, type OpenTun } from '../tun/open-tun.ts'
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
  const offload = enableTunOffload(tun.fd, options.offload?.tun)
  return NativeDataPlane.start({ options, handlers, socket, tunFd: tun.fd, offload, connections: tun.connections })
}

function openTunOrClose(options: DataPlaneOptions, socket: OwnerSocket): OpenTun {
  try {
    return openTun(options.tun, { vnetHeader: true })
  } catch (error) {
    socket.close()
    throw error
  }
}
