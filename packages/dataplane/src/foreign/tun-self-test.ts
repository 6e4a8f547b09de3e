/**
 * Known answers of the system calls for a TUN, asked of an event counter: without privileges, and nothing of it stays.
 */
import { randomUUID } from 'node:crypto'
import { closeSync } from 'node:fs'
import { EADDRINUSE, EAGAIN, ENOTTY, IFREQ_BYTES } from './linux.ts'
import { pollEntries, pollResult, type TunSyscalls } from './tun-calls.ts'
import { NativeUnavailableError } from './unavailable.ts'

/** Throws `NativeUnavailableError` with the call that gave a wrong answer. */
export function proveTunSyscalls(calls: TunSyscalls): void {
  const fd = calls.eventfd()
  if (fd < 0) throw new NativeUnavailableError(`eventfd gives a wrong answer (${fd})`)
  try {
    for (const [name, isRight] of answersOf(calls, fd)) {
      if (!isRight()) throw new NativeUnavailableError(`${name} gives a wrong answer`)
    }
  } finally {
    closeSync(fd)
  }
}

function answersOf(calls: TunSyscalls, fd: number): readonly (readonly [name: string, isRight: () => boolean])[] {
  const counter = Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0)
  const got = new Uint8Array(8)
  const entries = pollEntries([fd])
  return [
    ['poll', () => calls.poll(entries, 1, 0) === 0],
    ['read', () => calls.read(fd, got) === -EAGAIN],
    ['write', () => calls.write(fd, counter) === 8],
    ['poll', () => calls.poll(entries, 1, 0) === 1 && pollResult(entries, 0) === 1],
    ['read', () => calls.read(fd, got) === 8 && got[0] === 3 && got[1] === 1],
    ['ioctl', () => calls.attachInterface(fd, new Uint8Array(IFREQ_BYTES)) === -ENOTTY],
    ['ioctl', () => calls.setPersistent(fd, true) === -ENOTTY && calls.clearOffload(fd) === -ENOTTY],
    ['setns', () => calls.enterNetworkNamespace(fd) < 0],
    ['bind', () => isBoundOnce(calls)],
  ]
}

/** A name of the abstract namespace can be had once. */
function isBoundOnce(calls: TunSyscalls): boolean {
  const name = `culvert/self-test/${randomUUID()}`
  const fd = calls.bindAbstract(name)
  if (fd < 0) return false
  const again = calls.bindAbstract(name)
  closeSync(fd)
  if (again >= 0) closeSync(again)
  return again === -EADDRINUSE
}
