/**
 * Packet ciphers on the OpenSSL inside Node, through koffi: AEAD (RFC 4106, RFC 7634) and AES-CBC with HMAC (RFC 3602, 4868).
 *
 * A context is created and keyed once per SA and direction. With an AEAD a packet costs one Init (nonce, and the tag to be
 * compared), two updates, Final and, when sealing, the tag: calls from JavaScript are dearer than what most of them do, so they are
 * few and short. A packet is authentic only if Final returned exactly 1: after a forged one the output block holds garbage that nobody
 * may read. Blocks are checked once per packet.
 * Contexts are memory outside the heap: whoever creates one calls `free`.
 */
import { bindFunctions, type Call, type Fetch, type Functions } from './evp-functions.ts'
import type { PacketMemory } from './packet-memory.ts'
import { NativeUnavailableError } from './unavailable.ts'

const PARAM_UTF8_STRING = 4
const PARAM_OCTET_STRING = 5
/** Of an OSSL_PARAM. */
const PARAM_BYTES = 40
const PARAM_DATA_AT = 16
const PARAM_LENGTH_AT = 24
const FREED = 'the cipher context of this SA is gone'

export type Direction = 'seal' | 'open'

/** OpenSSL bound to one packet memory. Throws `NativeUnavailableError` when this Node has none that can be used. */
export class Openssl {
  readonly memory: PacketMemory
  readonly functions: Functions
  /** Scratch: where OpenSSL writes lengths nobody reads. */
  readonly sink: number
  readonly nonce: number
  readonly aad: number
  readonly mac: number
  /** A list with the one parameter `tag`, whose data are yet to be set. */
  readonly tag: number
  readonly #key: number
  readonly #params: number
  readonly #handles = new Map<string, number>()

  constructor(memory: PacketMemory) {
    this.memory = memory
    this.functions = bindFunctions()
    this.sink = memory.allocate(16)
    this.nonce = memory.allocate(16)
    this.aad = memory.allocate(16)
    this.mac = memory.allocate(64)
    this.#key = memory.allocate(128)
    this.#params = memory.allocate(128)
    this.tag = this.#tagParameter()
  }

  cipher(name: string): number {
    return this.#handle(name, this.functions.fetchCipher)
  }

  macAlgorithm(name: string): number {
    return this.#handle(name, this.functions.fetchMac)
  }

  digest(name: string): number {
    return this.#handle(name, this.functions.fetchDigest)
  }

  /** Runs `use` with the address of a copy of `key`, which is gone afterwards. */
  withKey<T>(key: Uint8Array, use: (address: number) => T): T {
    if (key.length > 128) throw new RangeError(`a key of ${key.length} bytes`)
    this.memory.bytes.set(key, this.#key)
    try {
      return use(this.memory.address(this.#key, 128))
    } finally {
      this.memory.bytes.fill(0, this.#key, this.#key + 128)
    }
  }

  /** @returns address of an OSSL_PARAM list with the one text parameter `digest` */
  digestParameter(digest: string): number {
    const { memory } = this
    const [list, name, value] = [this.#params, this.#params + 80, this.#params + 96]
    memory.bytes.fill(0, list, list + 128)
    memory.bytes.set(new TextEncoder().encode('digest'), name)
    memory.bytes.set(new TextEncoder().encode(digest), value)
    memory.writePointer(list, name, 16)
    memory.view.setUint32(list + 8, PARAM_UTF8_STRING, true)
    memory.writePointer(list + 16, value, 32)
    memory.writeNumber(list + 24, digest.length)
    return memory.address(list, 80)
  }

  #tagParameter(): number {
    const { memory } = this
    const list = memory.allocate(2 * PARAM_BYTES)
    const name = memory.allocate(8)
    memory.bytes.set(new TextEncoder().encode('tag'), name)
    memory.writePointer(list, name, 8)
    memory.view.setUint32(list + 8, PARAM_OCTET_STRING, true)
    return list
  }

  #handle(name: string, fetch: Fetch): number {
    const known = this.#handles.get(name)
    if (known !== undefined) return known
    const handle = Number(fetch(0, name, 0) ?? 0)
    if (handle === 0) throw new NativeUnavailableError(`OpenSSL has no ${name}`)
    this.#handles.set(name, handle)
    return handle
  }
}

export interface AeadKey {
  readonly algorithm: string
  readonly key: Uint8Array
  /** First 4 bytes of the nonce, big-endian. */
  readonly salt: number
  readonly icvBytes: number
}

/** One direction of one SA with an AEAD: nonce is salt (4) and IV (8). */
export class AeadContext {
  readonly #openssl: Openssl
  readonly #functions: Functions
  readonly #salt: number
  readonly #icvBytes: number
  readonly #base: number
  readonly #sink: number
  readonly #nonce: number
  readonly #tagList: number
  #context: number

  constructor(openssl: Openssl, direction: Direction, { algorithm, key, salt, icvBytes }: AeadKey) {
    const { functions, memory } = openssl
    this.#openssl = openssl
    this.#functions = functions
    this.#salt = salt
    this.#icvBytes = icvBytes
    this.#base = memory.base
    this.#sink = memory.address(openssl.sink, 16)
    this.#nonce = memory.address(openssl.nonce, 12)
    this.#tagList = memory.address(openssl.tag, 2 * PARAM_BYTES)
    const init = direction === 'seal' ? functions.encryptInit : functions.decryptInit
    const cipher = openssl.cipher(algorithm)
    this.#context = Number(functions.newContext())
    const ok = openssl.withKey(key, (address) => init(this.#context, cipher, 0, address, this.#nonce))
    if (ok !== 1) {
      this.free()
      throw new Error(`${algorithm} refused its key`)
    }
  }

  /** Takes the IV at `iv`, encrypts [from, from + length) to `to` and puts the ICV behind it. @returns false on failure */
  seal(iv: number, aad: number, aadBytes: number, from: number, to: number, length: number): boolean {
    const { memory } = this.#openssl
    memory.check(from, length)
    memory.check(to, length + this.#icvBytes)
    memory.check(aad, aadBytes)
    this.#setNonce(iv)
    this.#setTag(to + length)
    const { encryptInit, cipherUpdate, encryptFinal, getParameters } = this.#functions
    const context = this.#context
    const base = this.#base
    const sink = this.#sink
    return (
      encryptInit(context, 0, 0, 0, this.#nonce) === 1 &&
      cipherUpdate(context, 0, base + aad, aadBytes) === aadBytes &&
      cipherUpdate(context, base + to, base + from, length) === length &&
      encryptFinal(context, sink, sink) === 1 &&
      getParameters(context, this.#tagList) === 1
    )
  }

  /** Decrypts [from, from + length) to `to`; the ICV stands behind the input. @returns whether it is authentic */
  open(iv: number, aad: number, aadBytes: number, from: number, to: number, length: number): boolean {
    const { memory } = this.#openssl
    memory.check(from, length + this.#icvBytes)
    memory.check(to, length)
    memory.check(aad, aadBytes)
    this.#setNonce(iv)
    this.#setTag(from + length)
    const { decryptInit2, cipherUpdate, decryptFinal } = this.#functions
    const context = this.#context
    const base = this.#base
    const sink = this.#sink
    return (
      decryptInit2(context, 0, 0, this.#nonce, this.#tagList) === 1 &&
      cipherUpdate(context, 0, base + aad, aadBytes) === aadBytes &&
      cipherUpdate(context, base + to, base + from, length) === length &&
      decryptFinal(context, sink, sink) === 1
    )
  }

  free(): void {
    if (this.#context !== 0) this.#functions.freeContext(this.#context)
    this.#context = 0
  }

  /** The ICV is taken from, or put at, this checked block. */
  #setTag(offset: number): void {
    const { memory, tag } = this.#openssl
    memory.writePointer(tag + PARAM_DATA_AT, offset, this.#icvBytes)
    memory.view.setUint32(tag + PARAM_LENGTH_AT, this.#icvBytes, true)
  }

  #setNonce(iv: number): void {
    const { memory, nonce } = this.#openssl
    memory.check(iv, 8)
    memory.view.setUint32(nonce, this.#salt)
    memory.view.setUint32(nonce + 4, memory.view.getUint32(iv))
    memory.view.setUint32(nonce + 8, memory.view.getUint32(iv + 4))
  }
}

/** One direction of one SA with a block cipher in CBC mode; blocks only, no padding of its own. */
export class CbcContext {
  readonly #openssl: Openssl
  readonly #init: Call
  readonly #update: Call
  readonly #final: Call
  #context: number

  constructor(openssl: Openssl, direction: Direction, algorithm: string, key: Uint8Array) {
    const { functions, memory } = openssl
    const sealing = direction === 'seal'
    this.#openssl = openssl
    this.#init = sealing ? functions.encryptInit : functions.decryptInit
    this.#update = sealing ? functions.encryptUpdate : functions.decryptUpdate
    this.#final = sealing ? functions.encryptFinal : functions.decryptFinal
    const cipher = openssl.cipher(algorithm)
    this.#context = Number(functions.newContext())
    const iv = memory.address(openssl.nonce, 16)
    const ok = openssl.withKey(key, (address) => this.#init(this.#context, cipher, 0, address, iv))
    if (ok !== 1) {
      this.free()
      throw new Error(`${algorithm} refused its key`)
    }
  }

  /** `length` is a multiple of the block; the IV has the length of one block. */
  run(iv: number, from: number, to: number, length: number): boolean {
    const { memory, functions, sink } = this.#openssl
    if (this.#context === 0) throw new Error(FREED)
    const unused = memory.address(sink, 16)
    return (
      this.#init(this.#context, 0, 0, 0, memory.address(iv, 16)) === 1 &&
      functions.setPadding(this.#context, 0) === 1 &&
      this.#update(this.#context, memory.address(to, length), unused, memory.address(from, length), length) === 1 &&
      this.#final(this.#context, unused, unused) === 1
    )
  }

  free(): void {
    if (this.#context !== 0) this.#openssl.functions.freeContext(this.#context)
    this.#context = 0
  }
}

/** HMAC over blocks of packet memory. */
export class HmacContext {
  readonly #openssl: Openssl
  #context: number

  constructor(openssl: Openssl, digest: string, key: Uint8Array) {
    const { functions } = openssl
    this.#openssl = openssl
    this.#context = Number(functions.newMac(openssl.macAlgorithm('HMAC')))
    const params = openssl.digestParameter(digest)
    const ok = openssl.withKey(key, (address) => functions.macInit(this.#context, address, key.length, params))
    if (ok !== 1) {
      this.free()
      throw new Error(`HMAC with ${digest} refused its key`)
    }
  }

  /** MAC of one block, followed by another when `tailBytes` is not 0. @returns offset of the full MAC, 0 on failure */
  compute(offset: number, length: number, tail: number, tailBytes: number): number {
    const { memory, functions, mac, sink } = this.#openssl
    if (this.#context === 0) throw new Error(FREED)
    const ok =
      functions.macInit(this.#context, 0, 0, 0) === 1 &&
      functions.macUpdate(this.#context, memory.address(offset, length), length) === 1 &&
      (tailBytes === 0 || functions.macUpdate(this.#context, memory.address(tail, tailBytes), tailBytes) === 1) &&
      functions.macFinal(this.#context, memory.address(mac, 64), memory.address(sink, 16), 64) === 1
    return ok ? mac : 0
  }

  free(): void {
    if (this.#context !== 0) this.#openssl.functions.freeMac(this.#context)
    this.#context = 0
  }
}
