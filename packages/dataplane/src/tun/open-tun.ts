/**
 * Opens (or takes over) a persistent TUN interface in a network namespace.
 *
 * The namespace is entered by this thread only, and left before the function returns; nothing in between waits, so no other code
 * of this thread ever runs inside. The interface outlives the process: whoever holds its descriptor forwards, and a restarted
 * process takes it over by name. The descriptor is non-blocking: one read is one packet, one write is one packet.
 */
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs'
import type { KnownFlow } from '@culvert/esp'
import type { TunOptions } from '../contract.ts'
import { parseKernelConnections } from './kernel-connections.ts'
import { TunError } from './tun-error.ts'
import { EBUSY, EINVAL, EPERM, type TunSyscalls, tunSyscalls } from './tun-syscalls.ts'

const TUNSETIFF = 0x400454ca
const TUNSETPERSIST = 0x400454cb
const TUNSETOFFLOAD = 0x400454d0
const IFF_TUN = 0x0001
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
const IFREQ_BYTES = 40
const IFNAMSIZ = 16

export interface TunFeatures {
  /** Every packet carries a virtio-net header; needed for offload, which the caller then turns on. */
  readonly vnetHeader: boolean
}

export interface OpenTun {
  /** Owned by the caller, who closes it. Usable from any thread and namespace. */
  readonly fd: number
  /** TCP connections the namespace already had. */
  readonly connections: readonly KnownFlow[]
}

/** @throws TunError */
export function openTun(options: TunOptions, features: TunFeatures): OpenTun {
  if (!/^[\w.-]{1,15}$/.test(options.name)) {
    throw new TunError(
      'bad_name',
      `"${options.name}" is not an interface name of 1 to 15 letters, digits, ".", "_", "-".`,
    )
  }
  const calls = tunSyscalls()
  if (options.namespace === null) return openHere(options.name, features, calls)
  const own = openSync('/proc/thread-self/ns/net', 'r')
  try {
    enterNamespace(options.namespace, calls)
    return openAndLeave(options.name, features, own, calls)
  } finally {
    closeSync(own)
  }
}

function openAndLeave(name: string, features: TunFeatures, own: number, calls: TunSyscalls): OpenTun {
  const outcome = attempt(() => openHere(name, features, calls))
  const left = calls.enterNetworkNamespace(own)
  if (left < 0) {
    // Going on in the wrong namespace would open sockets there.
    if (outcome.ok) closeSync(outcome.value.fd)
    throw new TunError('system', `Cannot return to the own network namespace (errno ${-left}).`)
  }
  if (!outcome.ok) throw outcome.error
  return outcome.value
}

function attempt<T>(
  step: () => T,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown } {
  try {
    return { ok: true, value: step() }
  } catch (error) {
    return { ok: false, error }
  }
}

function enterNamespace(namespace: string, calls: TunSyscalls): void {
  let target: number
  try {
    target = openSync(`/run/netns/${namespace}`, 'r')
  } catch (cause) {
    throw new TunError('no_namespace', `There is no network namespace "${namespace}" under /run/netns.`, { cause })
  }
  const result = calls.enterNetworkNamespace(target)
  closeSync(target)
  if (result === -EPERM) {
    throw new TunError('not_permitted', `Entering the network namespace "${namespace}" needs CAP_SYS_ADMIN.`)
  }
  if (result < 0) throw new TunError('no_namespace', `"${namespace}" is not a network namespace (errno ${-result}).`)
}

function openHere(name: string, features: TunFeatures, calls: TunSyscalls): OpenTun {
  const fd = openDeviceNode()
  try {
    attach(fd, name, features, calls)
    // A former owner may have left offload on; without the header for it, its packets could not be understood.
    calls.ioctlNumber(fd, TUNSETOFFLOAD, 0)
    const persist = calls.ioctlNumber(fd, TUNSETPERSIST, 1)
    if (persist < 0) throw new TunError('system', `Cannot make interface "${name}" persistent (errno ${-persist}).`)
    return { fd, connections: readConnections() }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function readConnections(): KnownFlow[] {
  const tables = ['/proc/thread-self/net/tcp', '/proc/thread-self/net/tcp6']
  // A kernel without IPv6 has no table of it.
  return tables
    .filter((path) => existsSync(path))
    .flatMap((path) => parseKernelConnections(readFileSync(path, 'latin1')))
}

function openDeviceNode(): number {
  try {
    return openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  } catch (cause) {
    const isDenied = ['EACCES', 'EPERM'].includes((cause as NodeJS.ErrnoException).code ?? '')
    throw isDenied
      ? new TunError('not_permitted', 'This process may not open /dev/net/tun.', { cause })
      : new TunError('no_device_node', 'There is no /dev/net/tun: load the tun module or add the device.', { cause })
  }
}

function attach(fd: number, name: string, features: TunFeatures, calls: TunSyscalls): void {
  const request = new Uint8Array(IFREQ_BYTES)
  new TextEncoder().encodeInto(name, request)
  const flags = IFF_TUN | IFF_NO_PI | (features.vnetHeader ? IFF_VNET_HDR : 0)
  new DataView(request.buffer).setUint16(IFNAMSIZ, flags, true)
  const result = calls.ioctlBytes(fd, TUNSETIFF, request)
  if (result >= 0) return
  if (result === -EPERM) {
    throw new TunError('not_permitted', `Creating the TUN interface "${name}" needs CAP_NET_ADMIN in its namespace.`)
  }
  if (result === -EBUSY || result === -EINVAL) {
    throw new TunError('name_in_use', `Interface "${name}" is held by another process or is not a TUN interface.`)
  }
  throw new TunError('system', `Cannot create the TUN interface "${name}" (errno ${-result}).`)
}
