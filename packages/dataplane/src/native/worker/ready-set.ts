/**
 * The descriptors that one worker waits on (epoll), and which of them have something: the others are not read in vain, and how many
 * they are costs nothing.
 *
 *   struct epoll_event   x64: events:4 data:8   others: events:4 pad:4 data:8
 */
import { EPOLL_EVENT_BYTES, type PacketMemory, POLLIN, type Syscalls } from '../../foreign/index.ts'

const DATA_AT = EPOLL_EVENT_BYTES - 8

export type WaitingSyscalls = Pick<Syscalls, 'epollAdd' | 'epollWait'>

export class ReadySet {
  readonly #memory: PacketMemory
  readonly #syscalls: WaitingSyscalls
  readonly #epollFd: number
  readonly #answers: number
  /** By index, as in poll(2). */
  readonly #events: Uint32Array
  #count = 0

  /** @param epollFd fresh, of the owner */
  constructor(memory: PacketMemory, syscalls: WaitingSyscalls, epollFd: number, fds: readonly number[]) {
    this.#memory = memory
    this.#syscalls = syscalls
    this.#epollFd = epollFd
    this.#answers = memory.allocate(EPOLL_EVENT_BYTES * fds.length)
    this.#events = new Uint32Array(fds.length)
    const event = memory.allocate(EPOLL_EVENT_BYTES)
    for (const [index, fd] of fds.entries()) {
      memory.view.setUint32(event, POLLIN, true)
      memory.writeNumber(event + DATA_AT, index)
      const result = syscalls.epollAdd(epollFd, fd, event)
      if (result < 0) throw new Error(`cannot wait for a descriptor (errno ${-result})`)
    }
  }

  /** @param timeoutMs 0: only looks */
  wait(timeoutMs: number): void {
    const { view } = this.#memory
    for (let at = 0; at < this.#count; at++) this.#events[this.#indexOf(at)] = 0
    const count = this.#syscalls.epollWait(this.#epollFd, this.#answers, this.#events.length, timeoutMs)
    this.#count = count > 0 ? count : 0
    for (let at = 0; at < this.#count; at++) {
      this.#events[this.#indexOf(at)] = view.getUint32(this.#answers + EPOLL_EVENT_BYTES * at, true)
    }
  }

  /** @returns what the last `wait` found for the descriptor at this index, as in poll(2); 0 when nothing */
  eventsOf(index: number): number {
    return this.#events[index]!
  }

  /** @returns how many of the `count` descriptors from this index on have something */
  countReady(from: number, count: number): number {
    let ready = 0
    for (let at = 0; at < this.#count; at++) {
      const index = this.#indexOf(at)
      if (index >= from && index < from + count) ready++
    }
    return ready
  }

  #indexOf(at: number): number {
    return this.#memory.view.getUint32(this.#answers + EPOLL_EVENT_BYTES * at + DATA_AT, true)
  }
}
