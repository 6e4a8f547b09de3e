/**
 * One direction of an AH SA: a key bound to its integrity algorithm (RFC 4302 3.3.3, RFC 4868, RFC 2404).
 *
 * The ICV covers the packet with its mutable fields zero and, with ESN, the high half of the sequence number behind it
 * (RFC 4302 3.3.3.2.2).
 */
import { constantTimeEqual } from '@culvert/bytes'
import type { Integrity } from '@culvert/crypto'
import { writeUint32 } from '../octets.ts'
import { AH_FIXED_BYTES, type AhPlace } from './ah-header.ts'
import { zeroMutableFields } from './mutable-fields.ts'

export class AhTransform {
  readonly icvBytes: number
  readonly #integrity: Integrity
  readonly #key: Uint8Array
  readonly #sequenceHigh: Uint8Array | null
  #isDestroyed = false

  /** @param key copied */
  constructor(integrity: Integrity, key: Uint8Array, esn: boolean) {
    this.icvBytes = integrity.icvBytes
    this.#integrity = integrity
    this.#key = key.slice()
    this.#sequenceHigh = esn ? new Uint8Array(4) : null
  }

  /** @param packet whole IP packet in which `findAh` found `place`; borrowed */
  verify(packet: Uint8Array, place: AhPlace, sequenceHigh: number): boolean {
    const icv = this.#icvOf(packet, place, sequenceHigh)
    const at = place.offset + AH_FIXED_BYTES
    return icv !== null && constantTimeEqual(icv, packet.subarray(at, at + this.icvBytes))
  }

  /** Writes the ICV into a packet that is complete but for it. @returns false when the packet cannot be authenticated */
  sign(packet: Uint8Array, place: AhPlace, sequenceHigh: number): boolean {
    const icv = this.#icvOf(packet, place, sequenceHigh)
    if (icv === null) return false
    packet.set(icv, place.offset + AH_FIXED_BYTES)
    return true
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#key.fill(0)
  }

  #icvOf(packet: Uint8Array, place: AhPlace, sequenceHigh: number): Uint8Array | null {
    if (this.#isDestroyed) return null
    const image = packet.slice(0, place.totalBytes)
    if (!zeroMutableFields(image, place, this.icvBytes)) return null
    if (this.#sequenceHigh === null) return this.#integrity.compute(this.#key, image)
    writeUint32(this.#sequenceHigh, 0, sequenceHigh)
    return this.#integrity.compute(this.#key, image, this.#sequenceHigh)
  }
}
