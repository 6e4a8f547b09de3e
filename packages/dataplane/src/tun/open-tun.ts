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
import { EADDRINUSE, EBUSY, EINVAL, EPERM, IFREQ_BYTES, type TunSyscalls, tunSyscalls } from '../foreign/index.ts'

const IFF_TUN = 0x0001
const IFF_NO_PI = 0x1000
const IFF_MULTI_QUEUE = 0x0100
const IFF_VNET_HDR = 0x4000
const IFNAMSIZ = 16

export interface TunFeatures {
  /** Every packet carries a virtio-net header; needed for offload, which the caller then turns on. */
  readonly vnetHeader: boolean
  /** How many queues are wanted; one when left out. */
  readonly queues?: number
}

export interface OpenTun {
  /** The first of `fds`. */
  readonly fd: number
  /** One per queue: as many as were wanted, or one when the interface was made for one. Owned by the caller. */
  readonly fds: readonly number[]
  /** An interface for several queues admits several holders: this descriptor, to be closed with the others, keeps them out. */
  readonly lockFd: number | null
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
  const calls = nativeCalls()
  if (options.namespace === null) return openHere(options.name, features, calls)
  const own = openSync('/proc/thread-self/ns/net', 'r')
  try {
    enterNamespace(options.namespace, calls)
    return openAndLeave(options.name, features, own, calls)
  } finally {
    closeSync(own)
  }
}

function nativeCalls(): TunSyscalls {
  try {
    return tunSyscalls()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown error'
    const detail = `The system calls for a TUN interface cannot be made here: ${reason}.`
    throw new TunError('no_native_calls', detail, { cause })
  }
}

function openAndLeave(name: string, features: TunFeatures, own: number, calls: TunSyscalls): OpenTun {
  const outcome = attempt(() => openHere(name, features, calls))
  const left = calls.enterNetworkNamespace(own)
  if (left < 0) {
    // Going on in the wrong namespace would open sockets there.
    if (outcome.ok) closeTun(outcome.value)
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

/** Closes every descriptor; the interface itself stays. */
export function closeTun({ fds, lockFd }: Pick<OpenTun, 'fds' | 'lockFd'>): void {
  for (const fd of fds) closeSync(fd)
  if (lockFd !== null) closeSync(lockFd)
}

function openHere(name: string, features: TunFeatures, calls: TunSyscalls): OpenTun {
  const { fds, lockFd } = openQueues(name, features, calls)
  try {
    for (const fd of fds) {
      // A former owner may have left offload on; without the header for it, its packets could not be understood.
      calls.clearOffload(fd)
    }
    const fd = fds[0]!
    const persist = calls.setPersistent(fd, true)
    if (persist < 0) throw new TunError('system', `Cannot make interface "${name}" persistent (errno ${-persist}).`)
    return { fd, fds, lockFd, connections: readConnections() }
  } catch (error) {
    closeTun({ fds, lockFd })
    throw error
  }
}

/** As many queues as wanted; an interface that exists keeps the kind that it was made with. */
function openQueues(name: string, features: TunFeatures, calls: TunSyscalls): Pick<OpenTun, 'fds' | 'lockFd'> {
  const { queues = 1 } = features
  return (
    openKind(name, { ...features, queues }, queues > 1, calls) ??
    openKind(name, { ...features, queues: queues > 1 ? 1 : queues }, queues === 1, calls) ??
    fail(attachError(name, -EINVAL))
  )
}

/** @returns null when the interface is of the other kind */
function openKind(
  name: string,
  features: Required<TunFeatures>,
  isMulti: boolean,
  calls: TunSyscalls,
): Pick<OpenTun, 'fds' | 'lockFd'> | null {
  // Before the first queue: packets for whoever holds the interface would come to it.
  const lockFd = isMulti ? lock(name, calls) : null
  const fds: number[] = []
  try {
    for (let queue = 0; queue < features.queues; queue++) {
      const fd = openDeviceNode()
      fds.push(fd)
      const result = attach(fd, name, features, isMulti, calls)
      if (result === -EINVAL && queue === 0) {
        closeTun({ fds, lockFd })
        return null
      }
      if (result < 0) throw attachError(name, result)
    }
    return { fds, lockFd }
  } catch (error) {
    closeTun({ fds, lockFd })
    throw error
  }
}

function fail(error: TunError): never {
  throw error
}

function lock(name: string, calls: TunSyscalls): number {
  const fd = calls.bindAbstract(`culvert/tun/${name}`)
  if (fd === -EADDRINUSE) throw attachError(name, -EBUSY)
  if (fd < 0) throw new TunError('system', `Cannot lock the TUN interface "${name}" (errno ${-fd}).`)
  return fd
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

function attach(fd: number, name: string, features: TunFeatures, isMulti: boolean, calls: TunSyscalls): number {
  const request = new Uint8Array(IFREQ_BYTES)
  new TextEncoder().encodeInto(name, request)
  const flags = IFF_TUN | IFF_NO_PI | (features.vnetHeader ? IFF_VNET_HDR : 0) | (isMulti ? IFF_MULTI_QUEUE : 0)
  new DataView(request.buffer).setUint16(IFNAMSIZ, flags, true)
  return calls.attachInterface(fd, request)
}

function attachError(name: string, result: number): TunError {
  if (result === -EPERM) {
    return new TunError('not_permitted', `Creating the TUN interface "${name}" needs CAP_NET_ADMIN in its namespace.`)
  }
  if (result === -EBUSY || result === -EINVAL) {
    return new TunError('name_in_use', `Interface "${name}" is held by another process or is not a TUN interface.`)
  }
  return new TunError('system', `Cannot create the TUN interface "${name}" (errno ${-result}).`)
}
