/**
 * Flows that were opened from a dial address towards a device; the memory behind "a device only ever answers".
 *
 * Set-associative hash of typed arrays: a flow lives in one of the `WAYS` entries of its bucket, so every operation reads at most
 * one bucket and nothing is ever swept. A full bucket loses a flow that is closing or that nobody answered, else its oldest: who opens
 * many connections to where nobody is takes no quiet stream of others away. Only outbound packets insert or refresh; a device can
 * neither fill the table nor keep a flow alive. The first words of IPv6 addresses lie in an array of their own that IPv4 flows
 * never touch.
 *
 * Threads may share one table: a word of state per entry says whose it is and how often it changed hands. An entry changes hands in
 * three steps (busy, key, done), and who looks for a flow reads the state again after the key: a key half of one flow and half of
 * another matches nothing. All of it is atomic, because the order counts; a table of one thread reads plainly. Threads that open
 * flows in one bucket at the same moment may enter a flow twice; the first entry is the one that is looked at.
 *
 *   state: | changes of hands:16 | not answered yet:1 | busy:1 | RST, FIN of the device, FIN of the dialer:3 | version:3 | protocol:8 |; 0 is free
 *
 *   key: device address | device port << 16 | dial port | dial address | version << 8 | protocol | six words of IPv6
 */
const WAYS = 8
const HIGH_WORDS = 6

export interface FlowTableOptions {
  /** Rounded up to a power of two. */
  readonly maxFlows: number
  /** Odd or even, any 32 bits; spreads the buckets differently in each process, and the same in all threads of a table. */
  readonly hashSeed: number
  /** `flowTableBytes(maxFlows)` zero bytes; memory of its own when left out. */
  readonly memory?: ArrayBufferLike
  /** Several threads use that memory, as is taken for granted of shared memory: reads are atomic, at a cost for every packet. */
  readonly isShared?: boolean
}

export const FLOW_IDLE_SEC = 15 * 60
export const FLOW_CLOSING_SEC = 2 * 60

/** Who is on which side; ports are 0 and the echo identifier for ICMP. Numbers are unsigned. */
export interface FlowKey {
  version: 4 | 6
  /** The IPv4 address, or the last word of the IPv6 address. */
  deviceAddress: number
  devicePort: number
  /** As `deviceAddress`. */
  dialAddress: number
  dialPort: number
  protocol: number
  /** IPv6: the first three words of the device's address, then those of the dial address. Not looked at for IPv4. */
  readonly high: Uint32Array
}

export function createFlowKey(): FlowKey {
  return {
    version: 4,
    deviceAddress: 0,
    devicePort: 0,
    dialAddress: 0,
    dialPort: 0,
    protocol: 0,
    high: new Uint32Array(HIGH_WORDS),
  }
}

export const FlowEnd = { dial: 1, device: 2 } as const
export type FlowEnd = (typeof FlowEnd)[keyof typeof FlowEnd]

const FIN_FROM_BOTH = FlowEnd.dial | FlowEnd.device
const RESET = 4

const KIND_MASK = 0x7ff
const CLOSING_SHIFT = 11
const CLOSING_MASK = 7 << CLOSING_SHIFT
const BUSY = 1 << 14
/** Opened by a SYN, and nothing but SYNs went to the device since: it has not answered. */
const UNANSWERED = 1 << 15
const STAMP_STEP = 1 << 16
/** What may change while an entry stays with its flow. */
const CHANGING_MASK = CLOSING_MASK | UNANSWERED
/** State, device, ports, dial, last second. */
const ENTRY_WORDS = 5

export function flowTableBytes(maxFlows: number): number {
  return entriesFor(maxFlows) * (ENTRY_WORDS + HIGH_WORDS) * 4
}

function entriesFor(maxFlows: number): number {
  let buckets = 1
  while (buckets * WAYS < maxFlows) buckets *= 2
  return buckets * WAYS
}

export class FlowTable {
  readonly #state: Int32Array
  readonly #device: Uint32Array
  readonly #ports: Uint32Array
  readonly #dial: Uint32Array
  readonly #lastSec: Uint32Array
  /** Six words for each entry; stale where an IPv4 flow lives. */
  readonly #high: Uint32Array
  readonly #bucketMask: number
  readonly #seed: number
  readonly #isShared: boolean
  #nowSec = 0
  /** State of the entry that `#find` found. */
  #found = 0

  constructor(options: FlowTableOptions) {
    const { maxFlows, hashSeed } = options
    const memory = options.memory ?? new ArrayBuffer(flowTableBytes(maxFlows))
    const entries = entriesFor(maxFlows)
    const column = (index: number): Uint32Array => new Uint32Array(memory, 4 * entries * index, entries)
    this.#state = new Int32Array(memory, 0, entries)
    this.#device = column(1)
    this.#ports = column(2)
    this.#dial = column(3)
    this.#lastSec = column(4)
    this.#high = new Uint32Array(memory, 4 * entries * ENTRY_WORDS, entries * HIGH_WORDS)
    this.#bucketMask = entries / WAYS - 1
    this.#seed = hashSeed | 0
    this.#isShared = options.isShared ?? memory instanceof SharedArrayBuffer
  }

  get capacity(): number {
    return this.#state.length
  }

  /** Moves the table's clock, in seconds of any monotonic origin; a few seconds late does not matter. */
  advanceTo(nowSec: number): void {
    this.#nowSec = nowSec
  }

  /** An outbound packet that may open: inserts or refreshes. A closing flow opens again when `isFresh` (TCP SYN). */
  open(key: FlowKey, isFresh: boolean): void {
    const entry = this.#find(key)
    if (entry === -1) return this.#claim(key, isFresh)
    if (isFresh) this.#setClosing(entry, 0)
    else if ((this.#found & UNANSWERED) !== 0) Atomics.and(this.#state, entry, ~UNANSWERED)
    this.#touch(entry)
  }

  /** An outbound packet that may not open. @returns whether the flow exists */
  refresh(key: FlowKey): boolean {
    const entry = this.#find(key)
    if (entry === -1) return false
    this.#touch(entry)
    return true
  }

  has(key: FlowKey): boolean {
    return this.#find(key) !== -1
  }

  noteFin(key: FlowKey, from: FlowEnd): void {
    this.#noteClosing(key, from)
  }

  noteReset(key: FlowKey): void {
    this.#noteClosing(key, RESET)
  }

  #noteClosing(key: FlowKey, bits: number): void {
    const entry = this.#find(key)
    if (entry !== -1) this.#setClosing(entry, closingOf(this.#found) | bits)
  }

  /** Of the entry just found. Another thread may have been faster: with its own bits, or with a new flow, which stays as it is. */
  #setClosing(entry: number, bits: number): void {
    for (let state = this.#found; ;) {
      const changed = (state & ~CLOSING_MASK) | (bits << CLOSING_SHIFT)
      const before = Atomics.compareExchange(this.#state, entry, state, changed)
      if (before === state || ((before ^ state) & ~CHANGING_MASK) !== 0) return
      state = before
      bits |= closingOf(before)
    }
  }

  #touch(entry: number): void {
    // Most packets come in the same second as the one before: no need to take the line from other threads.
    if (this.#lastSec[entry] !== this.#nowSec) Atomics.store(this.#lastSec, entry, this.#nowSec)
  }

  /** @returns the entry of a living flow, or -1 */
  #find(key: FlowKey): number {
    const first = this.#bucketOf(key)
    const kind = kindOf(key)
    for (let entry = first; entry < first + WAYS; entry++) {
      const state = this.#read(this.#state, entry)
      if ((state & (KIND_MASK | BUSY)) !== kind || !this.#isSame(entry, key)) continue
      const isLive = this.#isLive(entry, state)
      if (((this.#read(this.#state, entry) ^ state) & ~CHANGING_MASK) !== 0) continue // it changed hands meanwhile
      this.#found = state
      return isLive ? entry : -1
    }
    return -1
  }

  /** Takes the entry of a dead flow, of one that can be spared, or else of the one that was quiet for longest. */
  #claim(key: FlowKey, isFresh: boolean): void {
    const first = this.#bucketOf(key)
    for (let attempt = 0; attempt < WAYS; attempt++) {
      const entry = this.#chooseIn(first, key)
      const state = Atomics.load(this.#state, entry)
      const taken = (state & -STAMP_STEP) + STAMP_STEP
      if ((state & BUSY) !== 0 || Atomics.compareExchange(this.#state, entry, state, taken | BUSY) !== state) continue
      Atomics.store(this.#device, entry, key.deviceAddress)
      Atomics.store(this.#ports, entry, portsOf(key))
      Atomics.store(this.#dial, entry, key.dialAddress)
      if (key.version === 6) {
        for (let i = 0; i < HIGH_WORDS; i++) Atomics.store(this.#high, entry * HIGH_WORDS + i, key.high[i]!)
      }
      Atomics.store(this.#lastSec, entry, this.#nowSec)
      Atomics.store(this.#state, entry, taken | kindOf(key) | (isFresh ? UNANSWERED : 0))
      return
    }
  }

  #chooseIn(first: number, key: FlowKey): number {
    let chosen = first
    let least = Infinity
    for (let entry = first; entry < first + WAYS; entry++) {
      const state = Atomics.load(this.#state, entry)
      if ((state & BUSY) !== 0) continue
      const isSame = (state & KIND_MASK) === kindOf(key) && this.#isSame(entry, key)
      if (isSame || !this.#isLive(entry, state)) return entry
      const isSpare = (state & UNANSWERED) !== 0 || isClosing(state)
      const rank = this.#lastSec[entry]! + (isSpare ? 0 : 2 ** 32)
      if (rank >= least) continue
      chosen = entry
      least = rank
    }
    return chosen
  }

  #isSame(entry: number, key: FlowKey): boolean {
    return (
      this.#read(this.#ports, entry) === portsOf(key) &&
      this.#read(this.#device, entry) === key.deviceAddress &&
      this.#read(this.#dial, entry) === key.dialAddress &&
      (key.version === 4 || this.#isSameHigh(entry, key.high))
    )
  }

  #isSameHigh(entry: number, high: Uint32Array): boolean {
    const at = entry * HIGH_WORDS
    for (let i = 0; i < HIGH_WORDS; i++) {
      if (this.#read(this.#high, at + i) !== high[i]) return false
    }
    return true
  }

  #isLive(entry: number, state: number): boolean {
    if ((state & KIND_MASK) === 0) return false
    const quietSec = this.#nowSec - this.#read(this.#lastSec, entry)
    return quietSec <= (isClosing(state) ? FLOW_CLOSING_SEC : FLOW_IDLE_SEC)
  }

  #read(words: Int32Array | Uint32Array, index: number): number {
    return this.#isShared ? Atomics.load(words, index) : words[index]!
  }

  #bucketOf(key: FlowKey): number {
    let hash = this.#seed ^ key.deviceAddress
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
    hash ^= (key.devicePort << 16) | key.dialPort
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
    hash ^= Math.imul(key.dialAddress ^ key.protocol, 0x9e3779b1)
    if (key.version === 6) {
      for (let i = 0; i < HIGH_WORDS; i++) hash = Math.imul(hash ^ (hash >>> 15) ^ key.high[i]!, 0x7feb352d)
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad)
    return ((hash ^ (hash >>> 15)) & this.#bucketMask) * WAYS
  }
}

/** IP version and protocol as in the state; the protocol has 8 bits, the version 4 or 6. */
function kindOf(key: FlowKey): number {
  return (key.version << 8) | key.protocol
}

function portsOf(key: FlowKey): number {
  return ((key.devicePort << 16) | key.dialPort) >>> 0
}

function isClosing(state: number): boolean {
  const closing = closingOf(state)
  return (closing & RESET) !== 0 || (closing & FIN_FROM_BOTH) === FIN_FROM_BOTH
}

function closingOf(state: number): number {
  return (state & CLOSING_MASK) >>> CLOSING_SHIFT
}
