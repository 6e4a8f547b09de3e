/**
 * Flows that were opened from a dial address towards a device; the memory behind "a device only ever answers".
 *
 * Set-associative hash of typed arrays: a flow lives in one of the `WAYS` entries of its bucket, so every operation reads at most
 * one bucket and nothing is ever swept. A full bucket loses its oldest flow. Only outbound packets insert or refresh; a device can
 * neither fill the table nor keep a flow alive. The first words of IPv6 addresses lie in an array of their own that IPv4 flows
 * never touch.
 *
 *   key: device address | device port << 16 | dial port | dial address | version << 8 | protocol | six words of IPv6
 */
const WAYS = 8
const HIGH_WORDS = 6

export interface FlowTableOptions {
  /** Rounded up to a power of two. */
  readonly maxFlows: number
  /** Odd or even, any 32 bits; spreads the buckets differently in each process. */
  readonly hashSeed: number
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

export class FlowTable {
  readonly #device: Uint32Array
  readonly #ports: Uint32Array
  readonly #dial: Uint32Array
  /** IP version << 8 | protocol; 0 marks a free entry. */
  readonly #kind: Uint16Array
  /** Six words for each entry; stale where an IPv4 flow lives. */
  readonly #high: Uint32Array
  /** FIN seen from dial (1), from device (2), RST (4). */
  readonly #closing: Uint8Array
  readonly #lastSec: Uint32Array
  readonly #bucketMask: number
  readonly #seed: number
  #nowSec = 0

  constructor(options: FlowTableOptions) {
    let buckets = 1
    while (buckets * WAYS < options.maxFlows) buckets *= 2
    const entries = buckets * WAYS
    this.#device = new Uint32Array(entries)
    this.#ports = new Uint32Array(entries)
    this.#dial = new Uint32Array(entries)
    this.#kind = new Uint16Array(entries)
    this.#high = new Uint32Array(entries * HIGH_WORDS)
    this.#closing = new Uint8Array(entries)
    this.#lastSec = new Uint32Array(entries)
    this.#bucketMask = buckets - 1
    this.#seed = options.hashSeed | 0
  }

  get capacity(): number {
    return this.#kind.length
  }

  /** Moves the table's clock, in seconds of any monotonic origin; a few seconds late does not matter. */
  advanceTo(nowSec: number): void {
    this.#nowSec = nowSec
  }

  /** An outbound packet that may open: inserts or refreshes. A closing flow opens again when `isFresh` (TCP SYN). */
  open(key: FlowKey, isFresh: boolean): void {
    let entry = this.#find(key)
    if (entry === -1) entry = this.#claim(key)
    else if (isFresh) this.#closing[entry] = 0
    this.#lastSec[entry] = this.#nowSec
  }

  /** An outbound packet that may not open. @returns whether the flow exists */
  refresh(key: FlowKey): boolean {
    const entry = this.#find(key)
    if (entry === -1) return false
    this.#lastSec[entry] = this.#nowSec
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
    if (entry !== -1) this.#closing[entry] = this.#closing[entry]! | bits
  }

  #find(key: FlowKey): number {
    const first = this.#bucketOf(key)
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#isSame(entry, key)) return this.#isLive(entry) ? entry : -1
    }
    return -1
  }

  /** Takes the entry of a dead flow, or else of the one that was quiet for longest. */
  #claim(key: FlowKey): number {
    const first = this.#bucketOf(key)
    let chosen = first
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#isSame(entry, key) || !this.#isLive(entry)) {
        chosen = entry
        break
      }
      if (this.#lastSec[entry]! < this.#lastSec[chosen]!) chosen = entry
    }
    this.#device[chosen] = key.deviceAddress
    this.#ports[chosen] = (key.devicePort << 16) | key.dialPort
    this.#dial[chosen] = key.dialAddress
    this.#kind[chosen] = (key.version << 8) | key.protocol
    if (key.version === 6) this.#high.set(key.high, chosen * HIGH_WORDS)
    this.#closing[chosen] = 0
    return chosen
  }

  #isSame(entry: number, key: FlowKey): boolean {
    return (
      this.#ports[entry] === ((key.devicePort << 16) | key.dialPort) >>> 0 &&
      this.#device[entry] === key.deviceAddress &&
      this.#kind[entry] === ((key.version << 8) | key.protocol) &&
      this.#dial[entry] === key.dialAddress &&
      (key.version === 4 || this.#isSameHigh(entry, key.high))
    )
  }

  #isSameHigh(entry: number, high: Uint32Array): boolean {
    const at = entry * HIGH_WORDS
    for (let i = 0; i < HIGH_WORDS; i++) {
      if (this.#high[at + i] !== high[i]) return false
    }
    return true
  }

  #isLive(entry: number): boolean {
    if (this.#kind[entry] === 0) return false
    const closing = this.#closing[entry]!
    const isClosing = (closing & RESET) !== 0 || (closing & FIN_FROM_BOTH) === FIN_FROM_BOTH
    return this.#nowSec - this.#lastSec[entry]! <= (isClosing ? FLOW_CLOSING_SEC : FLOW_IDLE_SEC)
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
