/**
 * What is decided per device and not per SA: rates, a quota of octets, and whom the device may reach.
 *
 * One line of doubles per subject in memory of the caller. Cost per packet is a few reads and at most three writes, whatever the
 * number of subjects. Rates are token buckets in the form of the generic cell rate algorithm (virtual scheduling): instead of
 * tokens and the time of their last refill, a bucket is the one moment at which it will be full again, so every update writes a
 * single field. A packet passes when the bucket would not be due later than its burst allows.
 *
 * Shared memory and several threads: each has its own instance over the same buffer and the same clock. Fields are aligned doubles
 * that are read and written whole. What passed is counted by each thread for itself and added up, so nothing is ever lost of it; a
 * quota may be passed by one packet per thread. The buckets of one direction are read and written under a lock of their own, for the
 * few instructions that takes, so a rate holds for all threads together. A thread that finds it taken tries `MOST_TRIES` times, some
 * microseconds: if the system has put the other one to sleep within those instructions, the packet is refused. Nothing waits.
 */
import { DropCode } from './drop-code.ts'

export interface Rate {
  /** Inner octets per second, and how many may come at once; a packet longer than the burst never passes. Null: any. */
  readonly bytes: { readonly perSec: number; readonly burst: number } | null
  readonly packets: { readonly perSec: number; readonly burst: number } | null
}

export interface SubjectPolicy {
  /** Subjects of one group may reach each other where each of them may; 0: belongs to none. */
  readonly group: number
  readonly mayReachGroup: boolean
  /** From the device. */
  readonly rateIn: Rate | null
  /** To the device. */
  readonly rateOut: Rate | null
  /** Inner octets of both directions that may still pass, counted from now on; null: no end. */
  readonly quotaBytes: number | null
}

export const UNLIMITED_POLICY: SubjectPolicy = {
  group: 0,
  mayReachGroup: false,
  rateIn: null,
  rateOut: null,
  quotaBytes: null,
}

export const Direction = { in: 0, out: 1 } as const
export type Direction = (typeof Direction)[keyof typeof Direction]

const FLAGS = 0
const GROUP = 1
/** Of the octets that ever passed in this line, those of subjects that were removed. */
const BASE = 2
/** Of the octets that ever passed in this line, where the quota ends. */
const LIMIT = 3
/** Six fields for each direction. */
const BUCKETS = [4, 10] as const
const BYTE_COST = 0
const BYTE_TOLERANCE = 1
const BYTE_DUE = 2
const PACKET_COST = 3
const PACKET_TOLERANCE = 4
const PACKET_DUE = 5
/** 128 octets: two cache lines. */
const LINE_FIELDS = 16

/** One word for each direction, 0 while nobody has it. */
const LOCK_WORDS = 2
const MOST_TRIES = 200
const TELL_MS = 60_000
/** A due time is a sum with a clock that has run for long: what rounding adds to it must not cost the last packet of a burst. */
const ROUNDING_MS = 0.001

const REACHES_GROUP = 1
const HAS_QUOTA = 2
const HAS_RATE = [4, 8] as const

/** Octets of memory for subjects 1 to `maxSubjects`: their lines, their locks, then the counters of each thread that admits packets. */
export function subjectPolicyBytes(maxSubjects: number, threads: number = 1): number {
  return (maxSubjects + 1) * (LINE_FIELDS + 1 + threads) * 8
}

export interface PolicyThreads {
  /** How many admit packets. */
  readonly threads: number
  /** Which of them this instance is; one that only sets and reads may be any. */
  readonly thread: number
}

export class SubjectPolicies {
  /** Milliseconds of a clock that all threads share; the caller sets it before packets come. */
  nowMs = 0
  readonly maxSubjects: number
  readonly #lines: Float64Array
  /** By subject and direction; null: one thread alone needs none. */
  readonly #locks: Int32Array | null
  readonly #onQuota: (subject: number) => void
  readonly #toldMs: Float64Array
  /** Where this thread's counter of subject 0 would be. */
  readonly #counters: number

  /**
   * @param memory zeroed when it was made, `subjectPolicyBytes` long; the caller keeps it
   * @param onQuota called from `admit` for a packet that a quota stops, at most once a minute for one subject
   */
  constructor(
    memory: ArrayBufferLike,
    onQuota: (subject: number) => void = () => {},
    { threads, thread }: PolicyThreads = { threads: 1, thread: 0 },
  ) {
    this.#lines = new Float64Array(memory)
    const count = this.#lines.length / (LINE_FIELDS + 1 + threads)
    this.maxSubjects = count - 1
    this.#counters = count * (LINE_FIELDS + 1 + thread)
    this.#locks = threads === 1 ? null : new Int32Array(memory, count * LINE_FIELDS * 8, count * LOCK_WORDS)
    this.#onQuota = onQuota
    this.#toldMs = new Float64Array(this.maxSubjects + 1).fill(-Infinity)
  }

  /** Acts on the next packet. Buckets keep their level unless their rate is another now. Unknown subjects are ignored. */
  set(subject: number, policy: SubjectPolicy): void {
    if (!this.#isKnown(subject)) return
    const { group, mayReachGroup, rateIn, rateOut, quotaBytes } = policy
    const lines = this.#lines
    const line = subject * LINE_FIELDS
    this.#setRate(line + BUCKETS[Direction.in], rateIn)
    this.#setRate(line + BUCKETS[Direction.out], rateOut)
    lines[line + GROUP] = group
    lines[line + LIMIT] = this.#passed(subject) + Math.max(0, quotaBytes ?? 0)
    lines[line + FLAGS] =
      (mayReachGroup ? REACHES_GROUP : 0) |
      (quotaBytes === null ? 0 : HAS_QUOTA) |
      (rateIn === null ? 0 : HAS_RATE[Direction.in]) |
      (rateOut === null ? 0 : HAS_RATE[Direction.out])
  }

  /** The subject is free for another device: no policy, empty counter, full buckets. */
  remove(subject: number): void {
    if (!this.#isKnown(subject)) return
    const line = subject * LINE_FIELDS
    this.#lines.fill(0, line, line + LINE_FIELDS)
    this.#lines[line + BASE] = this.#passed(subject) // a counter has one writer, its thread
  }

  /** Inner octets of both directions that were admitted since the subject was removed last. */
  usedBytes(subject: number): number {
    return this.#isKnown(subject) ? this.#passed(subject) - this.#lines[subject * LINE_FIELDS + BASE]! : 0
  }

  /**
   * May one packet pass? Counts it when it may.
   *
   * @param subject of an SA: 1 to `maxSubjects`
   * @param bytes inner octets
   * @returns `none`, `quotaExceeded` or `rateLimited`
   */
  admit(subject: number, direction: Direction, bytes: number): DropCode {
    const lines = this.#lines
    const line = subject * LINE_FIELDS
    const flags = lines[line]! | 0
    if ((flags & HAS_QUOTA) !== 0 && this.#passed(subject) + bytes > lines[line + LIMIT]!) {
      this.#tell(subject)
      return DropCode.quotaExceeded
    }
    if ((flags & HAS_RATE[direction]) !== 0 && !this.#takes(subject, direction, bytes)) return DropCode.rateLimited
    lines[this.#counters + subject]! += bytes
    return DropCode.none
  }

  /** Whether packets from one subject to another need not go through a dial address. */
  mayPair(from: number, to: number): boolean {
    const lines = this.#lines
    const group = lines[from * LINE_FIELDS + GROUP]
    return (
      from !== to &&
      this.mayReachGroup(from) &&
      this.mayReachGroup(to) &&
      group !== 0 &&
      group === lines[to * LINE_FIELDS + GROUP]
    )
  }

  mayReachGroup(subject: number): boolean {
    return (this.#lines[subject * LINE_FIELDS]! & REACHES_GROUP) !== 0
  }

  /** Octets that ever passed under this number, of all threads. */
  #passed(subject: number): number {
    const lines = this.#lines
    const step = this.maxSubjects + 1
    let sum = 0
    for (let at = step * (LINE_FIELDS + 1) + subject; at < lines.length; at += step) sum += lines[at]!
    return sum
  }

  #isKnown(subject: number): boolean {
    return Number.isSafeInteger(subject) && subject > 0 && subject <= this.maxSubjects
  }

  #setRate(at: number, rate: Rate | null): void {
    this.#setBucket(at + BYTE_COST, rate?.bytes ?? null)
    this.#setBucket(at + PACKET_COST, rate?.packets ?? null)
  }

  #setBucket(at: number, bucket: Rate['bytes']): void {
    const lines = this.#lines
    const cost = bucket === null ? 0 : 1000 / bucket.perSec
    const tolerance = bucket === null ? Infinity : bucket.burst * cost + ROUNDING_MS
    if (lines[at] === cost && lines[at + 1] === tolerance) return
    lines[at] = cost
    lines[at + 1] = tolerance
    lines[at + 2] = 0
  }

  #takes(subject: number, direction: Direction, bytes: number): boolean {
    const buckets = subject * LINE_FIELDS + BUCKETS[direction]
    const locks = this.#locks
    if (locks === null) return this.#fits(buckets, bytes)
    const lock = LOCK_WORDS * subject + direction
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (Atomics.compareExchange(locks, lock, 0, 1) !== 0) continue
      const fits = this.#fits(buckets, bytes)
      Atomics.store(locks, lock, 0)
      return fits
    }
    return false
  }

  /** Takes octets and one packet from the buckets, or nothing. */
  #fits(at: number, bytes: number): boolean {
    const lines = this.#lines
    const { nowMs } = this
    const byteDue = Math.max(lines[at + BYTE_DUE]!, nowMs) + bytes * lines[at + BYTE_COST]!
    if (byteDue - nowMs > lines[at + BYTE_TOLERANCE]!) return false
    const packetDue = Math.max(lines[at + PACKET_DUE]!, nowMs) + lines[at + PACKET_COST]!
    if (packetDue - nowMs > lines[at + PACKET_TOLERANCE]!) return false
    lines[at + BYTE_DUE] = byteDue
    lines[at + PACKET_DUE] = packetDue
    return true
  }

  #tell(subject: number): void {
    if (this.nowMs - this.#toldMs[subject]! < TELL_MS) return
    this.#toldMs[subject] = this.nowMs
    this.#onQuota(subject)
  }
}
