/**
 * Known answers of the system calls, asked of UNIX sockets and an event counter: without privileges, without an interface, and nothing
 * of it stays. Batches must come back octet for octet, from and to the blocks that were said.
 */
import {
  AF_UNIX,
  EAGAIN,
  ENOTTY,
  EPOLL_EVENT_BYTES,
  POLLIN,
  SO_ATTACH_FILTER,
  SO_SNDBUF,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from './linux.ts'
import { MessageHeaders } from './message-headers.ts'
import type { PacketMemory } from './packet-memory.ts'
import { closeFile, epoll, eventfd, setTunOffload, socket, type Syscalls } from './syscalls.ts'
import { NativeUnavailableError } from './unavailable.ts'

/** Family and an abstract name of a zero octet and five that the kernel chooses. */
const NAME_BYTES = 8
const ROOM_BYTES = 32
const TEXT_BYTES = 48
const BATCH = 4
/** Returned by a program: nothing of the packet. */
const REFUSE_ALL = [0x06, 0, 0, 0, 0, 0, 0, 0] as const

interface Bench {
  readonly memory: PacketMemory
  readonly calls: Syscalls
  readonly sender: number
  readonly receiver: number
  readonly counter: number
  readonly waiting: number
  readonly name: number
  readonly text: number
  readonly got: number
  readonly scratch: number
}

/** Throws `NativeUnavailableError` with the call that gave a wrong answer. */
export function proveSyscalls(memory: PacketMemory, calls: Syscalls): void {
  const fds: number[] = []
  const open = (name: string, fd: number): number => {
    if (fd < 0) throw new NativeUnavailableError(`${name} gives a wrong answer (${fd})`)
    fds.push(fd)
    return fd
  }
  try {
    const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC
    const bench: Bench = {
      memory,
      calls,
      sender: open('socket', socket(AF_UNIX, type)),
      receiver: open('socket', socket(AF_UNIX, type)),
      counter: open('eventfd', eventfd()),
      waiting: open('epoll_create1', epoll()),
      name: memory.allocate(ROOM_BYTES),
      text: memory.allocate(TEXT_BYTES),
      got: memory.allocate(BATCH * TEXT_BYTES),
      scratch: memory.allocate(64),
    }
    for (let at = 0; at < TEXT_BYTES; at++) memory.bytes[bench.text + at] = 7 * at + 1
    for (const [name, isRight] of ANSWERS) {
      if (!isRight(bench)) throw new NativeUnavailableError(`${name} gives a wrong answer`)
    }
  } finally {
    for (const fd of fds) closeFile(fd)
  }
}

/** In this order: each begins where the one before it left off. */
const ANSWERS: readonly (readonly [name: string, isRight: (bench: Bench) => boolean])[] = [
  ['bind', isBound],
  ['getsockopt', ({ calls, sender }) => calls.getIntOption(sender, SOL_SOCKET, SO_TYPE) === SOCK_DGRAM],
  ['setsockopt', ({ calls, sender }) => calls.setIntOption(sender, SOL_SOCKET, SO_SNDBUF, 65_536) === 0],
  ['sendto', isSentTo],
  ['sendmsg', isSentAndReceived],
  ['epoll_wait', isWaitedFor],
  ['connect', ({ calls, sender, name }) => calls.connect(sender, name, NAME_BYTES) === 0],
  ['write', isWritten],
  ['eventfd', isCounted],
  ['ioctl', ({ counter }) => setTunOffload(counter, 0) === -ENOTTY],
  ['setsockopt', isFiltered],
]

function isBound({ memory, calls, receiver, name }: Bench): boolean {
  memory.view.setUint16(name, AF_UNIX, true)
  const isNamed = calls.bind(receiver, name, 2) === 0 && calls.getsockname(receiver, name) === 0
  return isNamed && memory.view.getUint16(name, true) === AF_UNIX && memory.bytes[name + 3] !== 0
}

function isSentTo({ memory, calls, sender, receiver, name, text, got }: Bench): boolean {
  if (calls.read(receiver, got, TEXT_BYTES) !== -EAGAIN) return false
  if (calls.sendto(sender, text, TEXT_BYTES, name, NAME_BYTES) !== TEXT_BYTES) return false
  return calls.read(receiver, got, TEXT_BYTES) === TEXT_BYTES && isSame(memory, got, text, TEXT_BYTES)
}

/** One message, then two, shorter and shorter; they come in one batch. */
function isSentAndReceived({ memory, calls, sender, receiver, name, text, got }: Bench): boolean {
  const out = new MessageHeaders(memory, BATCH)
  const back = new MessageHeaders(memory, BATCH)
  for (let index = 0; index < BATCH; index++) {
    out.setData(index, text + index, TEXT_BYTES - index)
    out.setName(index, name, NAME_BYTES)
    back.setData(index, got + TEXT_BYTES * index, TEXT_BYTES)
  }
  if (calls.sendmsg(sender, out, 0) !== TEXT_BYTES || calls.sendmmsg(sender, out, 1, 2) !== 2) return false
  if (calls.recvmmsg(receiver, back, BATCH) !== 3) return false
  for (let index = 0; index < 3; index++) {
    const length = TEXT_BYTES - index
    if (back.lengthOf(index) !== length) return false
    if (!isSame(memory, got + TEXT_BYTES * index, text + index, length)) return false
  }
  return calls.recvmmsg(receiver, back, BATCH) === -EAGAIN
}

function isWaitedFor({ memory, calls, sender, receiver, waiting, name, text, got, scratch }: Bench): boolean {
  memory.view.setUint32(scratch, POLLIN, true)
  memory.writeNumber(scratch + EPOLL_EVENT_BYTES - 8, 77)
  if (calls.epollAdd(waiting, receiver, scratch) !== 0 || calls.epollWait(waiting, scratch, 2, 0) !== 0) return false
  memory.view.setInt32(scratch + 48, receiver, true)
  memory.view.setInt16(scratch + 52, POLLIN, true)
  if (calls.poll(scratch + 48, 1, 0) !== 0) return false
  calls.sendto(sender, text, 1, name, NAME_BYTES)
  const isReady = calls.epollWait(waiting, scratch, 2, 0) === 1 && calls.poll(scratch + 48, 1, 0) === 1
  const isTold = memory.view.getUint32(scratch + EPOLL_EVENT_BYTES - 8, true) === 77
  return calls.read(receiver, got, 1) === 1 && isReady && isTold
}

function isWritten({ memory, calls, sender, receiver, text, got }: Bench): boolean {
  if (calls.write(sender, text, 5) !== 5) return false
  return calls.read(receiver, got, TEXT_BYTES) === 5 && isSame(memory, got, text, 5)
}

function isCounted({ memory, calls, counter, got }: Bench): boolean {
  calls.signalEventfd(counter)
  calls.signalEventfd(counter)
  if (calls.read(counter, got, 8) !== 8 || memory.view.getUint32(got, true) !== 2) return false
  calls.signalEventfd(counter)
  calls.drainEventfd(counter)
  return calls.read(counter, got, 8) === -EAGAIN
}

/** A program that refuses everything is obeyed. */
function isFiltered({ memory, calls, sender, receiver, text, got, scratch }: Bench): boolean {
  memory.bytes.set(REFUSE_ALL, scratch)
  if (calls.attachFilter(receiver, SO_ATTACH_FILTER, scratch, 1) !== 0) return false
  calls.write(sender, text, 5)
  return calls.read(receiver, got, TEXT_BYTES) === -EAGAIN
}

function isSame({ bytes }: PacketMemory, a: number, b: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (bytes[a + at] !== bytes[b + at]) return false
  return true
}
