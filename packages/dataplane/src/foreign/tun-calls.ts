/** What can be called on a TUN, and the entries that poll(2) is asked with. */
import { POLLIN } from './linux.ts'

export interface TunSyscalls {
  /** TUNSETIFF. @param request an ifreq of 40 bytes @returns 0, or -errno */
  attachInterface(fd: number, request: Uint8Array): number
  /** TUNSETPERSIST. @returns 0, or -errno */
  setPersistent(fd: number, isPersistent: boolean): number
  /** TUNSETOFFLOAD with no flag. @returns 0, or -errno */
  clearOffload(fd: number): number
  enterNetworkNamespace(fd: number): number
  /** Binds a fresh UNIX socket to a name of the abstract namespace, which every network namespace has its own of. @returns it, or -errno */
  bindAbstract(name: string): number
  /** @returns a non-blocking event counter, or -errno */
  eventfd(): number
  /** @param entries `pollEntries` @returns number of ready entries, or -errno */
  poll(entries: Uint8Array, count: number, timeoutMs: number): number
  /** @returns octets read, or -errno */
  read(fd: number, buffer: Uint8Array): number
  write(fd: number, buffer: Uint8Array): number
}

/** struct pollfd. */
export const POLL_ENTRY_BYTES = 8

/** struct pollfd for each descriptor: int fd, short events (readable), short revents. */
export function pollEntries(fds: readonly number[]): Uint8Array {
  const entries = new Uint8Array(fds.length * POLL_ENTRY_BYTES)
  const view = new DataView(entries.buffer)
  for (const [i, fd] of fds.entries()) {
    view.setInt32(i * POLL_ENTRY_BYTES, fd, true)
    view.setInt16(i * POLL_ENTRY_BYTES + 4, POLLIN, true)
  }
  return entries
}

/** What poll reported for entry `i`. */
export function pollResult(entries: Uint8Array, i: number): number {
  return entries[i * POLL_ENTRY_BYTES + 6]! | (entries[i * POLL_ENTRY_BYTES + 7]! << 8)
}
