/**
 * Packet ciphers on the OpenSSL inside Node: AEAD (RFC 4106, RFC 7634) and AES-CBC with HMAC (RFC 3602, 4868).
 *
 * A context is created and keyed once per SA and direction. With an AEAD a packet costs two updates, Final, one call for the nonce,
 * and one for the tag. When opening, nonce and tag are said at once. When sealing, AES-GCM takes the nonce of the next packet as it
 * gives the tag: OpenSSL counts on as `IvCounter` does, and is told the nonce wherever the two differ. Calls from JavaScript are
 * dearer than what most of them do: where there are lists they go as one (`aead-list.ts`), but for the nonce of a packet to seal that
 * OpenSSL has to be told. CBC with HMAC goes call by call. A packet is authentic only if Final returned exactly 1: after a forged one the
 * output block holds garbage that nobody may read. Blocks are checked once per packet.
 * Contexts are memory outside the heap: whoever creates one calls `free`.
 */
import { AeadList, type AeadListKind, type AeadListOwner } from './aead-list.ts'
import { type Call, type Fetch, type OpensslFunctions, opensslFunctions } from './library.ts'
import { OutsideMemoryError } from './outside-memory-error.ts'
import { addressIn, baseAddress, type PacketMemory } from './packet-memory.ts'
import { Structure } from './structure.ts'
import { NativeUnavailableError } from './unavailable.ts'

const PARAM_UTF8_STRING = 4
const PARAM_OCTET_STRING = 5
/** EVP_CTRL_AEAD_SET_IV_FIXED; of this length it is the whole nonce of GCM, of which IVs are changed and counted from then on. */
const SET_FIXED_NONCE = 0x12
const WHOLE = -1
/** What no half of an IV is. */
const NONE = -1
const IV_BYTES = 8
/** Of an OSSL_PARAM. */
const PARAM_BYTES = 40
const PARAM_DATA_AT = 16
const PARAM_LENGTH_AT = 24
/** What names of parameters take, with the zero behind them. */
const NAME_BYTES = 16
const MOST_DIGEST_BYTES = 32
const MOST_KEY_BYTES = 128
/** Also the last block of a cipher fits in. */
const SINK_BYTES = 64
const MOST_ICV_BYTES = 16
const MOST_MAC_BYTES = 64
const CBC_IV_BYTES = 16
const FREED = 'the cipher context of this SA is gone'

export type Direction = 'seal' | 'open'

/** OpenSSL bound to one packet memory. Throws `NativeUnavailableError` when this Node has none that can be used. */
export class Openssl {
  readonly memory: PacketMemory
  /** Scratch: where OpenSSL writes lengths nobody reads. */
  readonly sink: number
  readonly nonce: number
  readonly aad: number
  readonly mac: number
  /** Lists of parameters whose data are yet to be set: `tag` alone, for GCM with the IV to be used, or to be counted on to. */
  readonly tag: Structure
  readonly tagAndIv: Structure
  readonly tagAndNextIv: Structure
  /** Where in `tagAndNextIv` OpenSSL says which IV it has counted on to. */
  readonly nextIvAt: number = 3 * PARAM_BYTES + 2 * NAME_BYTES
  readonly #key: number
  readonly #params: Structure
  readonly #handles = new Map<string, number>()
  /** Of the calls for a packet with an AEAD; null where they are made one by one. */
  readonly #lists: Readonly<Record<AeadListKind, AeadList>> | null

  /** @param callLists true: the calls for a packet with an AEAD go as one list. Throws `NativeUnavailableError` where that cannot be had. */
  constructor(memory: PacketMemory, { callLists = false }: { readonly callLists?: boolean } = {}) {
    this.memory = memory
    this.sink = memory.allocate(SINK_BYTES)
    this.nonce = memory.allocate(16)
    this.aad = memory.allocate(16)
    this.mac = memory.allocate(MOST_MAC_BYTES)
    this.#key = memory.allocate(MOST_KEY_BYTES)
    this.#params = new Structure(memory, 2 * PARAM_BYTES + NAME_BYTES + MOST_DIGEST_BYTES)
    this.tag = this.#octets('tag')
    this.tagAndIv = this.#octets('tag', 'tlsivinv')
    this.tagAndIv.writeNumber(PARAM_BYTES + PARAM_LENGTH_AT, IV_BYTES)
    this.tagAndNextIv = this.#octets('tag', 'tlsivgen')
    this.tagAndNextIv.pointIn(PARAM_BYTES + PARAM_DATA_AT, this.nextIvAt, IV_BYTES)
    this.tagAndNextIv.writeNumber(PARAM_BYTES + PARAM_LENGTH_AT, IV_BYTES)
    opensslFunctions()
    const sink = addressIn(memory, this.sink, SINK_BYTES)
    const list = (kind: AeadListKind): AeadList => new AeadList(memory, kind, sink)
    this.#lists = callLists ? { seal: list('seal'), open: list('open'), openAnew: list('openAnew') } : null
  }

  list(kind: AeadListKind): AeadList | null {
    return this.#lists === null ? null : this.#lists[kind]
  }

  cipher(name: string): number {
    return this.#handle(name, opensslFunctions().fetchCipher)
  }

  macAlgorithm(name: string): number {
    return this.#handle(name, opensslFunctions().fetchMac)
  }

  digest(name: string): number {
    return this.#handle(name, opensslFunctions().fetchDigest)
  }

  /** Runs `use` with the address of a copy of `key`, which is gone afterwards; OpenSSL reads no key longer than the block. */
  withKey<T>(key: Uint8Array, use: (address: number) => T): T {
    if (key.length > MOST_KEY_BYTES) throw new OutsideMemoryError(`a key of ${key.length} bytes`)
    this.memory.bytes.set(key, this.#key)
    try {
      return use(addressIn(this.memory, this.#key, MOST_KEY_BYTES))
    } finally {
      this.memory.bytes.fill(0, this.#key, this.#key + MOST_KEY_BYTES)
    }
  }

  /** @returns address of an OSSL_PARAM list with the one text parameter `digest` */
  digestParameter(digest: string): number {
    const params = this.#params
    const [name, value] = [2 * PARAM_BYTES, 2 * PARAM_BYTES + NAME_BYTES]
    const octets = new TextEncoder().encode(digest)
    if (octets.length >= MOST_DIGEST_BYTES) throw new OutsideMemoryError(`a digest's name of ${octets.length} bytes`)
    params.bytes.fill(0)
    params.bytes.set(new TextEncoder().encode('digest'), name)
    params.bytes.set(octets, value)
    params.pointIn(0, name, NAME_BYTES)
    params.view.setUint32(8, PARAM_UTF8_STRING, true)
    params.pointIn(PARAM_DATA_AT, value, MOST_DIGEST_BYTES)
    params.writeNumber(PARAM_LENGTH_AT, octets.length)
    return params.address(0, 2 * PARAM_BYTES)
  }

  /** Parameters of octets, an empty one that ends them, their names, and room for an IV. */
  #octets(...names: readonly string[]): Structure {
    const end = (names.length + 1) * PARAM_BYTES
    const list = new Structure(this.memory, end + names.length * NAME_BYTES + IV_BYTES)
    for (const [index, name] of names.entries()) {
      const [at, text] = [index * PARAM_BYTES, end + index * NAME_BYTES]
      list.bytes.set(new TextEncoder().encode(name), text)
      list.pointIn(at, text, NAME_BYTES)
      list.view.setUint32(at + 8, PARAM_OCTET_STRING, true)
    }
    return list
  }

  #handle(name: string, fetch: Fetch): number {
    const known = this.#handles.get(name)
    if (known !== undefined) return known
    const handle = Number(fetch(0, name, 0))
    if (handle === 0) throw new NativeUnavailableError(`OpenSSL has no ${name}`)
    this.#handles.set(name, handle)
    return handle
  }
}

/** For `evp-primitives.ts`, which calls the functions itself. */
export class OpensslInside extends Openssl {
  readonly functions: OpensslFunctions = opensslFunctions()
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
  readonly #functions: OpensslFunctions
  readonly #salt: number
  readonly #icvBytes: number
  readonly #base: number
  readonly #sink: number
  readonly #nonce: number
  readonly #isGcm: boolean
  readonly #list: Structure
  readonly #listAddress: number
  readonly #calls: AeadList | null
  #owner: AeadListOwner | null = null
  /** When sealing with GCM, the IV that the context has taken already, as two halves; `NONE` when it has none. */
  #readyHigh = NONE
  #readyLow = NONE
  #context: number

  constructor(openssl: Openssl, direction: Direction, { algorithm, key, salt, icvBytes }: AeadKey) {
    const { memory } = openssl
    const functions = opensslFunctions()
    if (!(icvBytes >>> 0 === icvBytes && icvBytes > 0 && icvBytes <= MOST_ICV_BYTES)) {
      throw new OutsideMemoryError(`an ICV of ${icvBytes} bytes`)
    }
    this.#openssl = openssl
    this.#functions = functions
    this.#salt = salt
    this.#icvBytes = icvBytes
    this.#base = baseAddress(memory)
    this.#sink = addressIn(memory, openssl.sink, SINK_BYTES)
    this.#nonce = addressIn(memory, openssl.nonce, 12)
    this.#isGcm = algorithm.endsWith('GCM')
    const lists = direction === 'seal' ? openssl.tagAndNextIv : openssl.tagAndIv
    this.#list = this.#isGcm ? lists : openssl.tag
    this.#listAddress = this.#list.address(0, this.#list.bytes.length)
    memory.view.setUint32(openssl.nonce, salt)
    const init = direction === 'seal' ? functions.encryptInit : functions.decryptInit
    const cipher = openssl.cipher(algorithm)
    this.#context = made(functions.newContext())
    const isKeyed = openssl.withKey(key, (address) => init(this.#context, cipher, 0, address, this.#nonce)) === 1
    if (!isKeyed || (this.#isGcm && !this.#fixNonce())) {
      this.free()
      throw new Error(`${algorithm} refused its key`)
    }
    this.#calls = openssl.list(direction === 'seal' ? 'seal' : this.#isGcm ? 'open' : 'openAnew')
    this.#owner = { context: this.#context, parameters: this.#listAddress, nonce: this.#nonce }
  }

  /** Takes the IV at `iv`, encrypts [from, from + length) to `to` and puts the ICV behind it. @returns false on failure */
  seal(iv: number, aad: number, aadBytes: number, from: number, to: number, length: number): boolean {
    const { memory } = this.#openssl
    memory.check(from, length)
    memory.check(to, length + this.#icvBytes)
    memory.check(aad, aadBytes)
    memory.check(iv, IV_BYTES)
    this.#setTag(to + length)
    const context = this.#context
    const owner = this.#owner
    if (owner === null) throw new Error(FREED)
    if (!this.#takeNonce(iv)) return false
    const base = this.#base
    const { cipherUpdate, encryptFinal, getParameters } = this.#functions
    const isSealed =
      this.#calls === null
        ? cipherUpdate(context, 0, base + aad, aadBytes) === aadBytes &&
          cipherUpdate(context, base + to, base + from, length) === length &&
          encryptFinal(context, 0, this.#sink) === 1 &&
          getParameters(context, this.#listAddress) === 1
        : this.#calls.run(owner, base + aad, aadBytes, base + from, base + to, length)
    if (isSealed && this.#isGcm) this.#noteReady()
    return isSealed
  }

  /** Decrypts [from, from + length) to `to`; the ICV stands behind the input. @returns whether it is authentic */
  open(iv: number, aad: number, aadBytes: number, from: number, to: number, length: number): boolean {
    const { memory } = this.#openssl
    memory.check(from, length + this.#icvBytes)
    memory.check(to, length)
    memory.check(aad, aadBytes)
    memory.check(iv, IV_BYTES)
    this.#setTag(from + length)
    const context = this.#context
    const owner = this.#owner
    if (owner === null) throw new Error(FREED)
    const base = this.#base
    this.#placeNonce(iv)
    if (this.#calls !== null) return this.#calls.run(owner, base + aad, aadBytes, base + from, base + to, length)
    const { cipherUpdate, decryptFinal } = this.#functions
    return (
      this.#tellNonce() &&
      cipherUpdate(context, 0, base + aad, aadBytes) === aadBytes &&
      cipherUpdate(context, base + to, base + from, length) === length &&
      decryptFinal(context, 0, this.#sink) === 1
    )
  }

  free(): void {
    if (this.#owner !== null) this.#calls?.forget(this.#owner)
    this.#owner = null
    if (this.#context !== 0) this.#functions.freeContext(this.#context)
    this.#context = 0
  }

  /** The ICV is taken from, or put at, this checked block. */
  #setTag(offset: number): void {
    const list = this.#list
    list.pointOut(PARAM_DATA_AT, offset, this.#icvBytes)
    list.view.setUint32(PARAM_LENGTH_AT, this.#icvBytes, true)
  }

  /** Puts the nonce with the IV at `iv` where an opening context is told it from. */
  #placeNonce(iv: number): void {
    if (this.#isGcm) this.#list.pointOut(PARAM_BYTES + PARAM_DATA_AT, iv, IV_BYTES)
    else this.#setNonce(iv)
  }

  /** Tells the context that nonce, and the tag. @returns false on failure */
  #tellNonce(): boolean {
    const { decryptInit2, setParameters } = this.#functions
    if (this.#isGcm) return setParameters(this.#context, this.#listAddress) === 1
    return decryptInit2(this.#context, 0, 0, this.#nonce, this.#listAddress) === 1
  }

  /** Makes the nonce with the IV at `iv` the one of the next packet, unless it is already. @returns false on failure */
  #takeNonce(iv: number): boolean {
    const { view } = this.#openssl.memory
    const isReady = view.getUint32(iv) === this.#readyHigh && view.getUint32(iv + 4) === this.#readyLow
    this.#readyHigh = NONE // whatever happens now, nothing else is sealed with it
    if (isReady) return true
    const { encryptInit, getParameters } = this.#functions
    this.#setNonce(iv)
    if (!this.#isGcm) return encryptInit(this.#context, 0, 0, 0, this.#nonce) === 1
    return this.#fixNonce() && getParameters(this.#context, this.#listAddress + PARAM_BYTES) === 1
  }

  #fixNonce(): boolean {
    return this.#functions.control(this.#context, SET_FIXED_NONCE, WHOLE, this.#nonce) === 1
  }

  #noteReady(): void {
    const { tagAndNextIv, nextIvAt } = this.#openssl
    this.#readyHigh = tagAndNextIv.view.getUint32(nextIvAt)
    this.#readyLow = tagAndNextIv.view.getUint32(nextIvAt + 4)
  }

  #setNonce(iv: number): void {
    const { memory, nonce } = this.#openssl
    memory.check(iv, IV_BYTES)
    memory.view.setUint32(nonce, this.#salt)
    memory.view.setUint32(nonce + 4, memory.view.getUint32(iv))
    memory.view.setUint32(nonce + 8, memory.view.getUint32(iv + 4))
  }
}

/** One direction of one SA with a block cipher in CBC mode; blocks only, no padding of its own. */
export class CbcContext {
  readonly #openssl: Openssl
  readonly #functions: OpensslFunctions
  readonly #init: Call
  readonly #update: Call
  readonly #final: Call
  #context: number

  constructor(openssl: Openssl, direction: Direction, algorithm: string, key: Uint8Array) {
    const { memory } = openssl
    const functions = opensslFunctions()
    const sealing = direction === 'seal'
    this.#openssl = openssl
    this.#functions = functions
    this.#init = sealing ? functions.encryptInit : functions.decryptInit
    this.#update = sealing ? functions.encryptUpdate : functions.decryptUpdate
    this.#final = sealing ? functions.encryptFinal : functions.decryptFinal
    const cipher = openssl.cipher(algorithm)
    this.#context = made(functions.newContext())
    const iv = addressIn(memory, openssl.nonce, 16)
    const ok = openssl.withKey(key, (address) => this.#init(this.#context, cipher, 0, address, iv))
    if (ok !== 1) {
      this.free()
      throw new Error(`${algorithm} refused its key`)
    }
  }

  /** `length` is a multiple of the block; the IV has the length of one block. */
  run(iv: number, from: number, to: number, length: number): boolean {
    const { memory, sink } = this.#openssl
    if (this.#context === 0) throw new Error(FREED)
    const ivAt = addressIn(memory, iv, CBC_IV_BYTES)
    const toAt = addressIn(memory, to, length)
    const fromAt = addressIn(memory, from, length)
    const unused = addressIn(memory, sink, SINK_BYTES)
    return (
      this.#init(this.#context, 0, 0, 0, ivAt) === 1 &&
      this.#functions.setPadding(this.#context, 0) === 1 &&
      this.#update(this.#context, toAt, unused, fromAt, length) === 1 &&
      this.#final(this.#context, unused, unused) === 1
    )
  }

  free(): void {
    if (this.#context !== 0) this.#functions.freeContext(this.#context)
    this.#context = 0
  }
}

/** HMAC over blocks of packet memory. */
export class HmacContext {
  readonly #openssl: Openssl
  readonly #functions: OpensslFunctions
  #context: number

  constructor(openssl: Openssl, digest: string, key: Uint8Array) {
    const functions = opensslFunctions()
    this.#openssl = openssl
    this.#functions = functions
    this.#context = made(functions.newMac(openssl.macAlgorithm('HMAC')))
    const params = openssl.digestParameter(digest)
    const ok = openssl.withKey(key, (address) => functions.macInit(this.#context, address, key.length, params))
    if (ok !== 1) {
      this.free()
      throw new Error(`HMAC with ${digest} refused its key`)
    }
  }

  /** MAC of one block, followed by another when `tailBytes` is not 0. @returns offset of the full MAC, 0 on failure */
  compute(offset: number, length: number, tail: number, tailBytes: number): number {
    const { memory, mac, sink } = this.#openssl
    const functions = this.#functions
    if (this.#context === 0) throw new Error(FREED)
    const at = addressIn(memory, offset, length)
    const tailAt = tailBytes === 0 ? 0 : addressIn(memory, tail, tailBytes)
    const macAt = addressIn(memory, mac, MOST_MAC_BYTES)
    const ok =
      functions.macInit(this.#context, 0, 0, 0) === 1 &&
      functions.macUpdate(this.#context, at, length) === 1 &&
      (tailBytes === 0 || functions.macUpdate(this.#context, tailAt, tailBytes) === 1) &&
      functions.macFinal(this.#context, macAt, addressIn(memory, sink, SINK_BYTES), MOST_MAC_BYTES) === 1
    return ok ? mac : 0
  }

  free(): void {
    if (this.#context !== 0) this.#functions.freeMac(this.#context)
    this.#context = 0
  }
}

/** A handle that OpenSSL made; it makes none when there is no memory left. */
export function made(handle: number): number {
  if (handle === 0) throw new Error('OpenSSL has no memory left')
  return handle
}
