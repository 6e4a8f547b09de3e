/**
 * A ring by which one worker hands ESP packets to the one that keeps their SA's replay window; one writer, one reader.
 *
 * Packets come to the wrong worker when the kernel could not be taught to choose, or joined packets of several SAs into one buffer.
 * They are copied twice: this is the exception, and the ring is small.
 *
 *   written:4 at 0 | read:4 at 64 | records from 128 on, each at a multiple of 8
 *   record: length:4 | socket:1 ECN:1 zero:2 | sender's socket address:32 | packet      length `WRAP`: go on at the start
 *
 * `written` and `read` count octets modulo 2^32; the ring holds what lies between them.
 */
import { SOCKADDR_BYTES } from '../sockets/socket-address.ts'

const RECORDS_BYTES = 1 << 18
const RECORDS_AT = 128
const WRITTEN = 0
const READ = 16
const HEADER_BYTES = 8 + SOCKADDR_BYTES
const WRAP = 0xffff_ffff

export const HANDOFF_RING_BYTES: number = RECORDS_AT + RECORDS_BYTES
/** The longest packet it takes. */
export const LARGEST_HANDOFF = 65_535

/** Where a packet lies, or shall lie. */
export interface HandedPacket {
  data: number
  length: number
  /** Offset of the sender's socket address. */
  source: number
  ecn: number
  /** Index of the socket it came over. */
  socket: number
}

export class HandoffRing {
  readonly #words: Int32Array
  readonly #view: DataView

  /** @param buffer `HANDOFF_RING_BYTES`, shared by both workers */
  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, RECORDS_AT / 4)
    this.#view = new DataView(buffer, RECORDS_AT, RECORDS_BYTES)
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#words, WRITTEN) === Atomics.load(this.#words, READ)
  }

  /** @param memory that `packet` lies in @returns false when there is no room */
  put(memory: DataView, packet: HandedPacket): boolean {
    const { data, length, source } = packet
    const recordBytes = (HEADER_BYTES + length + 7) & ~7
    const written = Atomics.load(this.#words, WRITTEN) >>> 0
    const room = RECORDS_BYTES - ((written - (Atomics.load(this.#words, READ) >>> 0)) >>> 0)
    let at = written % RECORDS_BYTES
    const skipped = RECORDS_BYTES - at < recordBytes ? RECORDS_BYTES - at : 0
    if (length > LARGEST_HANDOFF || skipped + recordBytes > room) return false
    if (skipped > 0) {
      this.#view.setUint32(at, WRAP, true)
      at = 0
    }
    this.#view.setUint32(at, length, true)
    this.#view.setUint8(at + 4, packet.socket)
    this.#view.setUint8(at + 5, packet.ecn)
    copy(memory, source, this.#view, at + 8, SOCKADDR_BYTES)
    copy(memory, data, this.#view, at + HEADER_BYTES, length)
    Atomics.store(this.#words, WRITTEN, (written + skipped + recordBytes) | 0)
    return true
  }

  /** @param into its blocks of `memory` take `LARGEST_HANDOFF` and a socket address @returns false when nothing waits */
  take(memory: DataView, into: HandedPacket): boolean {
    let read = Atomics.load(this.#words, READ) >>> 0
    if (read === Atomics.load(this.#words, WRITTEN) >>> 0) return false
    let at = read % RECORDS_BYTES
    let length = this.#view.getUint32(at, true)
    if (length === WRAP) {
      read += RECORDS_BYTES - at
      at = 0
      length = this.#view.getUint32(at, true)
    }
    if (length > LARGEST_HANDOFF) throw new RangeError('the hand-off ring is damaged')
    into.length = length
    into.socket = this.#view.getUint8(at + 4)
    into.ecn = this.#view.getUint8(at + 5)
    copy(this.#view, at + 8, memory, into.source, SOCKADDR_BYTES)
    copy(this.#view, at + HEADER_BYTES, memory, into.data, length)
    Atomics.store(this.#words, READ, (read + ((HEADER_BYTES + length + 7) & ~7)) | 0)
    return true
  }
}

/** By words: views of typed arrays would be garbage for each packet. */
function copy(from: DataView, fromAt: number, to: DataView, toAt: number, length: number): void {
  const words = length & ~3
  for (let i = 0; i < words; i += 4) to.setInt32(toAt + i, from.getInt32(fromAt + i))
  for (let i = words; i < length; i++) to.setUint8(toAt + i, from.getUint8(fromAt + i))
}
