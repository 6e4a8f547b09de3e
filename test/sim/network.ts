/**
 * A network in virtual time: datagrams travel between addresses, through NATs, and are lost, doubled, delayed or cut down as a
 * test wants. Events at the same millisecond happen in the order in which they were scheduled, so every run can be repeated.
 */
import type { SocketAddress } from '@culvert/ikev2'
import { seededRandom, type SeededRandom } from '../fuzz/random.ts'

export interface Packet {
  readonly from: SocketAddress
  readonly to: SocketAddress
  readonly bytes: Uint8Array
}

/** What happens to a packet: nothing left out means it arrives once after the usual delay. */
export interface Fate {
  readonly copies?: number
  readonly extraDelayMs?: number
  /** Arrives in place of what was sent. */
  readonly bytes?: Uint8Array
}

export interface Receiver {
  readonly address: string
  receive(packet: Packet): void
}

export class Network {
  nowMs = 0
  delayMs = 10
  /** Decides about every packet; a test replaces it. */
  fate: (packet: Packet) => Fate = () => ({})
  /** Takes every packet in place of the network, which carries none then; null for none. See `ByHand`. */
  courier: ((packet: Packet) => void) | null = null
  /** Largest datagram that arrives, in bytes of UDP payload; anything above is lost without a word. */
  mtuBytes = Infinity
  readonly random: SeededRandom
  readonly #receivers = new Map<string, Receiver>()
  /** A heap: each event comes before those at twice its place and the one behind. */
  readonly #events: Scheduled[] = []
  #order = 0

  constructor(seed = 1) {
    this.random = seededRandom(seed)
  }

  attach(receiver: Receiver): void {
    this.#receivers.set(receiver.address, receiver)
  }

  detach(address: string): void {
    this.#receivers.delete(address)
  }

  send(packet: Packet): void {
    if (this.courier !== null) {
      this.courier(packet)
      return
    }
    if (packet.bytes.length > this.mtuBytes) return
    const { copies = 1, extraDelayMs = 0, bytes = packet.bytes } = this.fate(packet)
    for (let copy = 0; copy < copies; copy += 1) {
      this.at(this.nowMs + this.delayMs + extraDelayMs + copy, () => {
        this.deliver({ ...packet, bytes })
      })
    }
  }

  /** The packet arrives now. */
  deliver(packet: Packet): void {
    this.#receivers.get(packet.to.address)?.receive(packet)
  }

  at(atMs: number, run: () => void): void {
    const events = this.#events
    const added: Scheduled = { atMs, order: this.#order++, run }
    let place = events.length
    while (place > 0) {
      const above = (place - 1) >>> 1
      const parent = events[above] as Scheduled
      if (!isEarlier(added, parent)) break
      events[place] = parent
      place = above
    }
    events[place] = added
  }

  /** Events still to come. */
  get scheduled(): number {
    return this.#events.length
  }

  /** Lets everything happen that is due within `durationMs`. */
  run(durationMs: number): void {
    this.#runTo(this.nowMs + durationMs, () => false)
  }

  /** Runs until the predicate holds. @throws when it does not within `limitMs`. */
  runUntil(holds: () => boolean, limitMs = 600_000): void {
    if (holds()) return
    if (!this.#runTo(this.nowMs + limitMs, holds)) throw new Error(`not reached within ${limitMs} ms of virtual time`)
  }

  #runTo(endMs: number, holds: () => boolean): boolean {
    for (;;) {
      const next = this.#takeNext(endMs)
      if (next === null) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
      if (holds()) return true
    }
    this.nowMs = endMs
    return holds()
  }

  #takeNext(endMs: number): Scheduled | null {
    const events = this.#events
    const [first] = events
    if (first === undefined || first.atMs > endMs) return null
    const last = events.pop() as Scheduled
    if (events.length > 0) sink(events, last)
    return first
  }
}

interface Scheduled {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Puts `event` in place of the first one. */
function sink(events: Scheduled[], event: Scheduled): void {
  let place = 0
  for (;;) {
    let below = 2 * place + 1
    if (below >= events.length) break
    if (below + 1 < events.length && isEarlier(events[below + 1] as Scheduled, events[below] as Scheduled)) below += 1
    const child = events[below] as Scheduled
    if (!isEarlier(child, event)) break
    events[place] = child
    place = below
  }
  events[place] = event
}

function isEarlier(a: Scheduled, b: Scheduled): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
