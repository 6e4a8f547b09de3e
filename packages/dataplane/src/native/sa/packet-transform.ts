/**
 * One direction of an ESP SA working in place in packet memory: what `esp-transform` of packages/esp is for arrays, for offsets.
 *
 * AEAD, and AES-CBC with HMAC, run on OpenSSL through `evp.ts`; every other suite that the crypto provider knows runs through
 * `AdaptedOpener` and `AdaptedSealer`, slower but on the same path. The array methods (`open`, `seal`) exist so that a native
 * transform can stand wherever packages/esp wants one; they copy.
 */
import { ESP_HEADER_BYTES, type EspOpener, type EspSealer, type IvCounter, type RandomPool } from '@culvert/esp'
import type { Checksum } from '../superpackets/checksum.ts'
import {
  AeadContext,
  CbcContext,
  type Direction,
  HmacContext,
  type Openssl,
  type PacketMemory,
} from '../../foreign/index.ts'
import type { KeyVault } from './key-vault.ts'

/** What the transforms of one thread share. */
export interface TransformSite {
  readonly memory: PacketMemory
  readonly checksum: Checksum
  readonly openssl: Openssl
  readonly random: RandomPool
  readonly vault: KeyVault
  /** Two blocks of `SCRATCH_BYTES` for the array methods. */
  readonly scratchIn: number
  readonly scratchOut: number
}

export const SCRATCH_BYTES = 66_048

export abstract class NativeOpener implements EspOpener {
  abstract readonly ivBytes: number
  abstract readonly icvBytes: number
  abstract readonly alignBytes: number
  protected readonly site: TransformSite

  constructor(site: TransformSite) {
    this.site = site
  }

  /** Opens the packet of `length` bytes at `at`; puts the plaintext with its trailer at `to`. @returns whether it is authentic */
  abstract openAt(at: number, length: number, to: number, sequenceHigh: number): boolean
  abstract destroy(): void

  open(packet: Uint8Array, sequenceHigh: number): Uint8Array | null {
    const { memory, scratchIn, scratchOut } = this.site
    if (packet.length > SCRATCH_BYTES) return null
    memory.bytes.set(packet, scratchIn)
    if (!this.openAt(scratchIn, packet.length, scratchOut, sequenceHigh)) return null
    return memory.copyOut(scratchOut, packet.length - ESP_HEADER_BYTES - this.ivBytes - this.icvBytes)
  }
}

export abstract class NativeSealer implements EspSealer {
  abstract readonly ivBytes: number
  abstract readonly icvBytes: number
  abstract readonly alignBytes: number
  protected readonly site: TransformSite

  constructor(site: TransformSite) {
    this.site = site
  }

  /** Writes IV, ciphertext of [from, from + length) and ICV behind the ESP header at `at`. @returns false when no IV is left */
  abstract sealAt(at: number, from: number, length: number, sequenceHigh: number): boolean
  abstract destroy(): void

  seal(plaintext: Uint8Array, out: Uint8Array, at: number, sequenceHigh: number): boolean {
    const { memory, scratchIn, scratchOut } = this.site
    const total = ESP_HEADER_BYTES + this.ivBytes + plaintext.length + this.icvBytes
    if (total > SCRATCH_BYTES) return false
    memory.bytes.set(plaintext, scratchIn)
    memory.bytes.set(out.subarray(at, at + ESP_HEADER_BYTES), scratchOut)
    if (!this.sealAt(scratchOut, scratchIn, plaintext.length, sequenceHigh)) return false
    out.set(memory.bytes.subarray(scratchOut, scratchOut + total), at)
    return true
  }
}

export interface AeadMaterial {
  readonly algorithm: string
  /** Key, then 4 bytes of salt. */
  readonly material: Uint8Array
  readonly icvBytes: number
  readonly esn: boolean
}

/** An AEAD context that is made when it is first needed. */
class LazyAeadContext {
  readonly #site: TransformSite
  readonly #direction: Direction
  readonly #algorithm: string
  readonly #icvBytes: number
  readonly #materialBytes: number
  #slot: number
  #context: AeadContext | null = null

  constructor(site: TransformSite, direction: Direction, { algorithm, material, icvBytes }: AeadMaterial) {
    this.#site = site
    this.#direction = direction
    this.#algorithm = algorithm
    this.#icvBytes = icvBytes
    this.#materialBytes = material.length
    this.#slot = site.vault.put(material)
  }

  get(): AeadContext {
    return this.#context ?? this.#create()
  }

  /** Nothing can be sealed or opened any more: `get` throws. */
  free(): void {
    this.#wipe()
    this.#context?.free()
    this.#context = null
  }

  #create(): AeadContext {
    const { openssl, vault } = this.#site
    if (this.#slot === NO_SLOT) throw new Error('the keys of this SA are gone')
    const material = vault.get(this.#slot, this.#materialBytes)
    const key = material.subarray(0, this.#materialBytes - SALT_BYTES)
    const salt = new DataView(material.buffer, key.byteOffset + key.length, SALT_BYTES).getUint32(0)
    const spec = { algorithm: this.#algorithm, key, salt, icvBytes: this.#icvBytes }
    this.#context = new AeadContext(openssl, this.#direction, spec)
    this.#wipe()
    return this.#context
  }

  #wipe(): void {
    if (this.#slot !== NO_SLOT) this.#site.vault.wipe(this.#slot)
    this.#slot = NO_SLOT
  }
}

const SALT_BYTES = 4
const NO_SLOT = -1

/** SPI, high half, low half: the additional data with ESN (RFC 4106 5). */
function writeEsnAad({ memory, openssl }: TransformSite, at: number, sequenceHigh: number): number {
  memory.view.setUint32(openssl.aad, memory.view.getUint32(at))
  memory.view.setUint32(openssl.aad + 4, sequenceHigh)
  memory.view.setUint32(openssl.aad + 8, memory.view.getUint32(at + 4))
  return openssl.aad
}

export class AeadOpener extends NativeOpener {
  readonly ivBytes = 8
  readonly icvBytes: number
  readonly alignBytes = 4
  readonly #context: LazyAeadContext
  readonly #esn: boolean

  constructor(site: TransformSite, material: AeadMaterial) {
    super(site)
    this.icvBytes = material.icvBytes
    this.#esn = material.esn
    this.#context = new LazyAeadContext(site, 'open', material)
  }

  openAt(at: number, length: number, to: number, sequenceHigh: number): boolean {
    const textBytes = length - ESP_HEADER_BYTES - 8 - this.icvBytes
    const iv = at + ESP_HEADER_BYTES
    const context = this.#context.get()
    if (!this.#esn) return context.open(iv, at, ESP_HEADER_BYTES, iv + 8, to, textBytes)
    return context.open(iv, writeEsnAad(this.site, at, sequenceHigh), 12, iv + 8, to, textBytes)
  }

  destroy(): void {
    this.#context.free()
  }
}

export class AeadSealer extends NativeSealer {
  readonly ivBytes = 8
  readonly icvBytes: number
  readonly alignBytes = 4
  readonly #context: LazyAeadContext
  readonly #esn: boolean
  readonly #ivCounter: IvCounter

  constructor(site: TransformSite, material: AeadMaterial, ivCounter: IvCounter) {
    super(site)
    this.icvBytes = material.icvBytes
    this.#esn = material.esn
    this.#ivCounter = ivCounter
    this.#context = new LazyAeadContext(site, 'seal', material)
  }

  sealAt(at: number, from: number, length: number, sequenceHigh: number): boolean {
    const iv = at + ESP_HEADER_BYTES
    if (!this.#ivCounter.next(this.site.memory.bytes, iv)) return false
    const context = this.#context.get()
    if (!this.#esn) return context.seal(iv, at, ESP_HEADER_BYTES, from, iv + 8, length)
    return context.seal(iv, writeEsnAad(this.site, at, sequenceHigh), 12, from, iv + 8, length)
  }

  destroy(): void {
    this.#context.free()
  }
}

export interface CbcMaterial {
  readonly algorithm: string
  readonly digest: string
  readonly key: Uint8Array
  readonly integrityKey: Uint8Array
  readonly icvBytes: number
  readonly esn: boolean
}

const BLOCK_BYTES = 16

/** The ICV covers the ESP header, IV, ciphertext and, with ESN, the high half behind them (RFC 4303 2.2.1). */
function computeIcv(site: TransformSite, hmac: HmacContext, at: number, length: number, high: number | null): number {
  if (high === null) return hmac.compute(at, length, 0, 0)
  site.memory.view.setUint32(site.openssl.aad, high)
  return hmac.compute(at, length, site.openssl.aad, 4)
}

export class CbcOpener extends NativeOpener {
  readonly ivBytes = BLOCK_BYTES
  readonly icvBytes: number
  readonly alignBytes = BLOCK_BYTES
  readonly #cipher: CbcContext
  readonly #hmac: HmacContext
  readonly #esn: boolean

  constructor(site: TransformSite, material: CbcMaterial) {
    super(site)
    this.icvBytes = material.icvBytes
    this.#esn = material.esn
    this.#cipher = new CbcContext(site.openssl, 'open', material.algorithm, material.key)
    this.#hmac = new HmacContext(site.openssl, material.digest, material.integrityKey)
  }

  openAt(at: number, length: number, to: number, sequenceHigh: number): boolean {
    const { bytes } = this.site.memory
    const icvAt = at + length - this.icvBytes
    const icv = computeIcv(this.site, this.#hmac, at, icvAt - at, this.#esn ? sequenceHigh : null)
    if (icv === 0) return false
    let difference = 0
    for (let i = 0; i < this.icvBytes; i++) difference |= bytes[icv + i]! ^ bytes[icvAt + i]!
    if (difference !== 0) return false
    const iv = at + ESP_HEADER_BYTES
    const text = iv + BLOCK_BYTES
    return this.#cipher.run(iv, text, to, icvAt - text)
  }

  destroy(): void {
    this.#cipher.free()
    this.#hmac.free()
  }
}

export class CbcSealer extends NativeSealer {
  readonly ivBytes = BLOCK_BYTES
  readonly icvBytes: number
  readonly alignBytes = BLOCK_BYTES
  readonly #cipher: CbcContext
  readonly #hmac: HmacContext
  readonly #esn: boolean

  constructor(site: TransformSite, material: CbcMaterial) {
    super(site)
    this.icvBytes = material.icvBytes
    this.#esn = material.esn
    this.#cipher = new CbcContext(site.openssl, 'seal', material.algorithm, material.key)
    this.#hmac = new HmacContext(site.openssl, material.digest, material.integrityKey)
  }

  sealAt(at: number, from: number, length: number, sequenceHigh: number): boolean {
    const { bytes } = this.site.memory
    const iv = at + ESP_HEADER_BYTES
    const text = iv + BLOCK_BYTES
    this.site.random.fill(bytes, iv, BLOCK_BYTES)
    if (!this.#cipher.run(iv, from, text, length)) return false
    const icv = computeIcv(this.site, this.#hmac, at, text + length - at, this.#esn ? sequenceHigh : null)
    if (icv === 0) return false
    this.site.checksum.move(text + length, icv, this.icvBytes)
    return true
  }

  destroy(): void {
    this.#cipher.free()
    this.#hmac.free()
  }
}

/** A transform of packages/esp on the crypto provider. */
export class AdaptedOpener extends NativeOpener {
  readonly ivBytes: number
  readonly icvBytes: number
  readonly alignBytes: number
  readonly #opener: EspOpener

  constructor(site: TransformSite, opener: EspOpener) {
    super(site)
    this.ivBytes = opener.ivBytes
    this.icvBytes = opener.icvBytes
    this.alignBytes = opener.alignBytes
    this.#opener = opener
  }

  openAt(at: number, length: number, to: number, sequenceHigh: number): boolean {
    const { memory } = this.site
    const plaintext = this.#opener.open(memory.copyOut(at, length), sequenceHigh)
    if (plaintext === null) return false
    memory.bytes.set(plaintext, to)
    return true
  }

  destroy(): void {
    this.#opener.destroy()
  }
}

export class AdaptedSealer extends NativeSealer {
  readonly ivBytes: number
  readonly icvBytes: number
  readonly alignBytes: number
  readonly #sealer: EspSealer

  constructor(site: TransformSite, sealer: EspSealer) {
    super(site)
    this.ivBytes = sealer.ivBytes
    this.icvBytes = sealer.icvBytes
    this.alignBytes = sealer.alignBytes
    this.#sealer = sealer
  }

  sealAt(at: number, from: number, length: number, sequenceHigh: number): boolean {
    const { memory } = this.site
    const total = ESP_HEADER_BYTES + this.ivBytes + length + this.icvBytes
    const packet = new Uint8Array(total)
    packet.set(memory.bytes.subarray(at, at + ESP_HEADER_BYTES))
    if (!this.#sealer.seal(memory.copyOut(from, length), packet, 0, sequenceHigh)) return false
    memory.bytes.set(packet, at)
    return true
  }

  destroy(): void {
    this.#sealer.destroy()
  }
}
