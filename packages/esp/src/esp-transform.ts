/**
 * One direction of an ESP SA: keys bound to the algorithms, and the packet layout that follows from them (RFC 4303 2).
 *
 *   | SPI 4 | sequence 4 | IV | payload, padding, pad length, next header | ICV |
 *   |<------ additional data ->|<------------- plaintext ----------------->|
 *
 * With ESN the high half of the sequence number is authenticated but not sent: between SPI and low half for AEAD (RFC 4106 5),
 * behind the ciphertext for a separate integrity algorithm (RFC 4303 2.2.1). Encryption without integrity does not exist here.
 */
import { constantTimeEqual } from '@culvert/bytes'
import type { AeadCipher, BlockCipher, Integrity } from '@culvert/crypto'
import type { IvCounter } from './iv-counter.ts'
import { copyOctets, writeUint32 } from './octets.ts'
import type { RandomPool } from './random-pool.ts'

export const ESP_HEADER_BYTES = 8

export interface EspLayout {
  readonly ivBytes: number
  readonly icvBytes: number
  /** The plaintext is padded to a multiple of this; at least 4 (RFC 4303 2.4). */
  readonly alignBytes: number
}

export interface EspOpener extends EspLayout {
  /**
   * @param packet whole ESP packet, at least header, IV and ICV long; borrowed
   * @param sequenceHigh high half with ESN, else ignored
   * @returns fresh plaintext with the trailer still on, or null when the ICV does not match
   */
  open(packet: Uint8Array, sequenceHigh: number): Uint8Array | null
  /** Zeroes the keys; the opener is dead afterwards. */
  destroy(): void
}

export interface EspSealer extends EspLayout {
  /**
   * Writes IV, ciphertext and ICV behind the 8 octets of header already at `at`.
   * @param plaintext padded, with trailer; borrowed
   * @param out must hold header, IV, plaintext and ICV from `at` on; must not overlap `plaintext`
   * @returns false when the IVs of this key are used up
   */
  seal(plaintext: Uint8Array, out: Uint8Array, at: number, sequenceHigh: number): boolean
  destroy(): void
}

export class AeadTransform implements EspOpener, EspSealer {
  readonly ivBytes: number
  readonly icvBytes: number
  readonly alignBytes = 4
  readonly #cipher: AeadCipher
  readonly #key: Uint8Array
  readonly #nonce: Uint8Array
  readonly #esnAad: Uint8Array | null
  readonly #ivCounter: IvCounter
  /** The keys are zero: sealing with them would send plaintext to whoever can guess that. */
  #isDestroyed = false

  /** @param keyMaterial key then salt; copied @param ivCounter used by `seal` only */
  constructor(cipher: AeadCipher, keyMaterial: Uint8Array, esn: boolean, ivCounter: IvCounter) {
    this.ivBytes = cipher.ivBytes
    this.icvBytes = cipher.icvBytes
    this.#cipher = cipher
    this.#key = keyMaterial.slice(0, cipher.keyBytes)
    this.#nonce = new Uint8Array(cipher.saltBytes + cipher.ivBytes)
    this.#nonce.set(keyMaterial.subarray(cipher.keyBytes))
    this.#esnAad = esn ? new Uint8Array(12) : null
    this.#ivCounter = ivCounter
  }

  open(packet: Uint8Array, sequenceHigh: number): Uint8Array | null {
    if (this.#isDestroyed) return null
    copyOctets(packet, ESP_HEADER_BYTES, this.#nonce, this.#cipher.saltBytes, this.ivBytes)
    const aad = this.#additionalData(packet, 0, sequenceHigh)
    return this.#cipher.open(this.#key, this.#nonce, aad, packet.subarray(ESP_HEADER_BYTES + this.ivBytes))
  }

  seal(plaintext: Uint8Array, out: Uint8Array, at: number, sequenceHigh: number): boolean {
    const ivAt = at + ESP_HEADER_BYTES
    if (this.#isDestroyed || !this.#ivCounter.next(out, ivAt)) return false
    copyOctets(out, ivAt, this.#nonce, this.#cipher.saltBytes, this.ivBytes)
    const aad = this.#additionalData(out, at, sequenceHigh)
    out.set(this.#cipher.seal(this.#key, this.#nonce, aad, plaintext), ivAt + this.ivBytes)
    return true
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#key.fill(0)
    this.#nonce.fill(0)
  }

  #additionalData(packet: Uint8Array, at: number, sequenceHigh: number): Uint8Array {
    const aad = this.#esnAad
    if (aad === null) return packet.subarray(at, at + ESP_HEADER_BYTES)
    copyOctets(packet, at, aad, 0, 4)
    writeUint32(aad, 4, sequenceHigh)
    copyOctets(packet, at + 4, aad, 8, 4)
    return aad
  }
}

/** AES-CBC, or ENCR_NULL (`cipher` null), with a separate integrity algorithm. */
export class CipherAndMacTransform implements EspOpener, EspSealer {
  readonly ivBytes: number
  readonly icvBytes: number
  readonly alignBytes: number
  readonly #cipher: BlockCipher | null
  readonly #integrity: Integrity
  readonly #key: Uint8Array
  readonly #integrityKey: Uint8Array
  readonly #sequenceHigh: Uint8Array | null
  readonly #random: RandomPool
  #isDestroyed = false

  /** @param key, integrityKey copied @param random source of IVs (RFC 3602 3: unpredictable), used by `seal` only */
  constructor(
    cipher: BlockCipher | null,
    integrity: Integrity,
    keys: { readonly key: Uint8Array; readonly integrityKey: Uint8Array; readonly esn: boolean },
    random: RandomPool,
  ) {
    this.ivBytes = cipher?.ivBytes ?? 0
    this.icvBytes = integrity.icvBytes
    this.alignBytes = cipher?.blockBytes ?? 4
    this.#cipher = cipher
    this.#integrity = integrity
    this.#key = keys.key.slice()
    this.#integrityKey = keys.integrityKey.slice()
    this.#sequenceHigh = keys.esn ? new Uint8Array(4) : null
    this.#random = random
  }

  open(packet: Uint8Array, sequenceHigh: number): Uint8Array | null {
    if (this.#isDestroyed) return null
    const icvAt = packet.length - this.icvBytes
    const icv = this.#icvOf(packet.subarray(0, icvAt), sequenceHigh)
    if (!constantTimeEqual(icv, packet.subarray(icvAt))) return null
    const textAt = ESP_HEADER_BYTES + this.ivBytes
    if (this.#cipher === null) return packet.slice(textAt, icvAt)
    return this.#cipher.decrypt(this.#key, packet.subarray(ESP_HEADER_BYTES, textAt), packet.subarray(textAt, icvAt))
  }

  seal(plaintext: Uint8Array, out: Uint8Array, at: number, sequenceHigh: number): boolean {
    if (this.#isDestroyed) return false
    const ivAt = at + ESP_HEADER_BYTES
    const textAt = ivAt + this.ivBytes
    const icvAt = textAt + plaintext.length
    if (this.#cipher === null) out.set(plaintext, textAt)
    else {
      this.#random.fill(out, ivAt, this.ivBytes)
      out.set(this.#cipher.encrypt(this.#key, out.subarray(ivAt, textAt), plaintext), textAt)
    }
    out.set(this.#icvOf(out.subarray(at, icvAt), sequenceHigh), icvAt)
    return true
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#key.fill(0)
    this.#integrityKey.fill(0)
  }

  #icvOf(authenticated: Uint8Array, sequenceHigh: number): Uint8Array {
    if (this.#sequenceHigh === null) return this.#integrity.compute(this.#integrityKey, authenticated)
    writeUint32(this.#sequenceHigh, 0, sequenceHigh)
    return this.#integrity.compute(this.#integrityKey, authenticated, this.#sequenceHigh)
  }
}
