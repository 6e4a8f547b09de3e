/** How one worker gives packets to the worker that keeps their replay window, and takes those meant for itself. */
import type { HandedPacket } from '../shared-memory/handoff-ring.ts'
import { HandoffRing, LARGEST_HANDOFF } from '../shared-memory/handoff-ring.ts'
import type { PacketMemory } from '../../foreign/index.ts'
import { ControlWord } from '../shared-memory/shared-state.ts'
import { SOCKADDR_BYTES } from '../sockets/socket-address.ts'
import { workerOf } from './spi-steering.ts'

export interface HandoffSite {
  readonly memory: PacketMemory
  readonly thread: number
  readonly threads: number
  /** By receiving, then by handing worker. */
  readonly rings: readonly (readonly (SharedArrayBuffer | null)[])[]
  /** Control words of all workers. */
  readonly controls: readonly Int32Array[]
  /** Ends the sleep of another worker. */
  wake(thread: number): void
}

export class Handoff {
  /** Where `take` puts a packet. */
  readonly taken: HandedPacket
  readonly #site: HandoffSite
  /** To each other worker, and from each; null for oneself. */
  readonly #to: readonly (HandoffRing | null)[]
  readonly #from: readonly (HandoffRing | null)[]
  /** Bit by worker: has something since the last `flush`. */
  #given = 0

  constructor(site: HandoffSite) {
    const { memory, thread, rings } = site
    this.#site = site
    this.#to = rings.map((from) => ringOver(from[thread]))
    this.#from = (rings[thread] ?? []).map(ringOver)
    const source = memory.allocate(SOCKADDR_BYTES)
    this.taken = { data: memory.allocate(LARGEST_HANDOFF), length: 0, source, ecn: 0, socket: 0 }
  }

  /** Whether packets with this SPI are another worker's. */
  isForeign(spi: number): boolean {
    const { thread, threads } = this.#site
    return threads > 1 && workerOf(spi, threads) !== thread
  }

  /** @param packet with an SPI that is foreign @returns false when its worker has no room for it */
  give(spi: number, packet: HandedPacket): boolean {
    const owner = workerOf(spi, this.#site.threads)
    if (this.#to[owner]?.put(this.#site.memory.view, packet) !== true) return false
    this.#given |= 1 << owner
    return true
  }

  /** Wakes those that were given something and sleep. */
  flush(): void {
    if (this.#given === 0) return
    for (let thread = 0; thread < this.#site.threads; thread++) {
      if ((this.#given & (1 << thread)) === 0) continue
      if (Atomics.load(this.#site.controls[thread]!, ControlWord.asleep) === 1) this.#site.wake(thread)
    }
    this.#given = 0
  }

  /** @returns whether there was a packet, now in `taken` */
  take(): boolean {
    for (let from = 0; from < this.#from.length; from++) {
      if (this.#from[from]?.take(this.#site.memory.view, this.taken) === true) return true
    }
    return false
  }

  get isEmpty(): boolean {
    for (let from = 0; from < this.#from.length; from++) if (this.#from[from]?.isEmpty === false) return false
    return true
  }
}

/** Packet memory that it takes. */
export const HANDOFF_BYTES: number = LARGEST_HANDOFF + SOCKADDR_BYTES + 128

function ringOver(buffer: SharedArrayBuffer | null | undefined): HandoffRing | null {
  return buffer ? new HandoffRing(buffer) : null
}
