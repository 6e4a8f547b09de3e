/**
 * The primitives of IKE messages on the OpenSSL inside Node: hashes, HMAC, AEAD and X25519.
 *
 * The same library as behind node:crypto, without an object of Node around every call: an HMAC costs a sixth. What is not here
 * (MODP, ECP, ML-KEM, CBC, input larger than the scratch memory) is node:crypto's.
 *
 * ```
 *   arrays of the caller ── copied ──▶ scratch memory (fixed, never collected) ── address ──▶ OpenSSL
 *                        ◀── copied ──                    zeroed after every call
 * ```
 *
 * OpenSSL sees scratch memory alone, never an array of the JavaScript heap, and every block is checked before its address leaves.
 * Contexts are made once per algorithm and keyed anew by each call; the last key of each stays in it until the next. The key of
 * an answered exchange does not outlive the call, that of an initiator goes with the object that stands for it. Everything is
 * synchronous: one call at a time owns the scratch memory.
 */
import type { AeadCall, HashName, KeyExchangeAnswer, Primitives, PrivateValue } from '@culvert/crypto'
import { made, OpensslInside } from './evp.ts'
import { OutsideMemoryError } from './outside-memory-error.ts'
import { addressIn, type PacketMemory } from './packet-memory.ts'

/** Longest input of one call; no IKE message in one datagram is longer. */
const INPUT_BYTES = 65_536
/** A PRF key may be two nonces long (RFC 7296 2.14). */
const KEY_BYTES = 1024
const LONGEST_TAG_BYTES = 16
const NONCE_BYTES = 12
const LONGEST_HASH_BYTES = 64
/** prf+ counts its rounds in one octet. */
const MOST_ROUNDS = 255
const X25519_BYTES = 32
/** NID_X25519 of OpenSSL. */
const X25519_TYPE = 1034
const CTRL_AEAD_GET_TAG = 0x10
const CTRL_AEAD_SET_TAG = 0x11

/** Packet memory that `createEvpPrimitives` takes. */
export const PRIMITIVES_BYTES: number = 2 * INPUT_BYTES + 16_384

const HASH_BYTES: Readonly<Record<HashName, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

/**
 * @param others do what is not here, and what is too long
 * @throws NativeUnavailableError when this Node has no OpenSSL that can be used.
 */
export function createEvpPrimitives(memory: PacketMemory, others: Primitives): Primitives {
  const native = new EvpPrimitives(memory, others)
  return {
    ...others,
    hash: (name, chunks) => native.hash(name, chunks),
    hmac: (name, key, chunks) => native.hmac(name, key, chunks),
    hmacPlus: (name, key, seed, rounds) => native.hmacPlus(name, key, seed, rounds),
    seal: (call, plaintext) => native.seal(call, plaintext),
    open: (call, sealed) => native.open(call, sealed),
    x25519: (scalar) => native.x25519(scalar),
    respondX25519: (scalar, peer) => native.respondX25519(scalar, peer),
  }
}

/** A private key of OpenSSL and the context that derives with it; 0 for none. */
interface HeldKey {
  key: number
  context: number
}

class EvpPrimitives {
  readonly #memory: PacketMemory
  readonly #others: Primitives
  readonly #openssl: OpensslInside
  readonly #macs = new Map<HashName, number>()
  /** Cipher contexts by algorithm and direction. */
  readonly #ciphers = new Map<string, number>()
  readonly #key: number
  readonly #input: number
  readonly #output: number
  readonly #nonce: number
  readonly #length: number
  // Addresses of the blocks above, which never move, checked once with all their room.
  readonly #keyAt: number
  readonly #nonceAt: number
  readonly #lengthAt: number
  readonly #inputStart: number
  readonly #outputStart: number
  readonly #keys: FinalizationRegistry<HeldKey>

  constructor(memory: PacketMemory, others: Primitives) {
    this.#memory = memory
    this.#others = others
    this.#openssl = new OpensslInside(memory)
    this.#key = memory.allocate(KEY_BYTES)
    this.#input = memory.allocate(INPUT_BYTES)
    this.#output = memory.allocate(INPUT_BYTES)
    this.#nonce = memory.allocate(16)
    this.#length = memory.allocate(16)
    this.#keyAt = addressIn(memory, this.#key, KEY_BYTES)
    this.#nonceAt = addressIn(memory, this.#nonce, NONCE_BYTES)
    this.#lengthAt = addressIn(memory, this.#length, 16)
    this.#inputStart = addressIn(memory, this.#input, INPUT_BYTES)
    this.#outputStart = addressIn(memory, this.#output, INPUT_BYTES)
    this.#keys = new FinalizationRegistry((held) => this.#release(held))
  }

  hash(name: HashName, chunks: readonly Uint8Array[]): Uint8Array {
    const length = totalLength(chunks)
    if (length > INPUT_BYTES) return this.#others.hash(name, chunks)
    const { functions } = this.#openssl
    this.#place(this.#input, chunks)
    const [input, output, size] = [this.#inputAt(length), this.#outputAt(LONGEST_HASH_BYTES), this.#lengthAt]
    const ok = functions.digest(input, length, output, size, this.#openssl.digest(name), 0) === 1
    this.#wipe(this.#input, length)
    return this.#result(ok, HASH_BYTES[name])
  }

  hmac(name: HashName, key: Uint8Array, chunks: readonly Uint8Array[]): Uint8Array {
    const length = totalLength(chunks)
    if (length > INPUT_BYTES || key.length > KEY_BYTES) return this.#others.hmac(name, key, chunks)
    const context = this.#macs.get(name) ?? this.#createMac(name)
    const { macInit, macUpdate, macFinal } = this.#openssl.functions
    this.#memory.bytes.set(key, this.#key)
    this.#place(this.#input, chunks)
    const ok =
      macInit(context, this.#keyAt, key.length, 0) === 1 &&
      macUpdate(context, this.#inputAt(length), length) === 1 &&
      macFinal(context, this.#outputAt(LONGEST_HASH_BYTES), this.#lengthAt, LONGEST_HASH_BYTES) === 1
    this.#wipe(this.#key, key.length)
    this.#wipe(this.#input, length)
    return this.#result(ok, HASH_BYTES[name])
  }

  /**
   * ```
   *   scratch input:  T(n-1) | seed | n      the first round begins at the seed
   *   scratch output: T(1) | T(2) | ...
   * ```
   *
   * The context is keyed once: begun again without a key it takes that of the first round.
   */
  hmacPlus(name: HashName, key: Uint8Array, seed: readonly Uint8Array[], rounds: number): Uint8Array {
    const blockBytes = HASH_BYTES[name]
    const inputBytes = blockBytes + totalLength(seed) + 1
    if (inputBytes > INPUT_BYTES || key.length > KEY_BYTES) throw new RangeError('key or seed of prf+ too long')
    if (!(rounds >= 1 && rounds <= MOST_ROUNDS)) throw new RangeError('prf+ has 1 to 255 rounds')
    const context = this.#macs.get(name) ?? this.#createMac(name)
    const { macInit, macUpdate, macFinal } = this.#openssl.functions
    const { bytes } = this.#memory
    const input = this.#inputAt(inputBytes)
    const output = this.#outputAt(rounds * blockBytes)
    const keyAt = this.#keyAt
    bytes.set(key, this.#key)
    this.#place(this.#input + blockBytes, seed)
    let ok = true
    for (let round = 1; round <= rounds && ok; round++) {
      const isFirst = round === 1
      const skipped = isFirst ? blockBytes : 0
      const block = (round - 1) * blockBytes
      bytes[this.#input + inputBytes - 1] = round
      ok =
        macInit(context, isFirst ? keyAt : 0, isFirst ? key.length : 0, 0) === 1 &&
        macUpdate(context, input + skipped, inputBytes - skipped) === 1 &&
        macFinal(context, output + block, this.#lengthAt, blockBytes) === 1
      bytes.copyWithin(this.#input, this.#output + block, this.#output + block + blockBytes)
    }
    this.#wipe(this.#key, key.length)
    this.#wipe(this.#input, inputBytes)
    return this.#result(ok, rounds * blockBytes)
  }

  seal(call: AeadCall, plaintext: Uint8Array): Uint8Array {
    const { icvBytes } = call
    const { length } = plaintext
    if (!fits(call, length)) return this.#others.seal(call, plaintext)
    const { functions } = this.#openssl
    const context = this.#prepare('seal', call)
    const ok =
      context !== 0 &&
      this.#authenticate(functions.encryptUpdate, context, call.aad) &&
      this.#crypt(functions.encryptUpdate, context, plaintext) &&
      functions.encryptFinal(context, this.#lengthAt, this.#lengthAt) === 1 &&
      functions.control(context, CTRL_AEAD_GET_TAG, icvBytes, this.#outputAt(length + icvBytes) + length) === 1
    this.#wipe(this.#input, length)
    return this.#result(ok, length + icvBytes)
  }

  open(call: AeadCall, sealed: Uint8Array): Uint8Array | null {
    const { icvBytes } = call
    const length = sealed.length - icvBytes
    if (length < 0) return null
    if (!fits(call, sealed.length)) return this.#others.open(call, sealed)
    const { functions } = this.#openssl
    const context = this.#prepare('open', call)
    if (context === 0) throw new Error(`${call.name} refused its key`)
    this.#memory.bytes.set(sealed.subarray(length), this.#key)
    const tag = this.#keyAt
    const ok =
      functions.control(context, CTRL_AEAD_SET_TAG, icvBytes, tag) === 1 &&
      this.#authenticate(functions.decryptUpdate, context, call.aad) &&
      this.#crypt(functions.decryptUpdate, context, sealed.subarray(0, length)) &&
      functions.decryptFinal(context, this.#lengthAt, this.#lengthAt) === 1
    const opened = ok ? this.#memory.copyOut(this.#output, length) : null
    this.#wipe(this.#output, length)
    if (!ok) functions.clearErrors()
    return opened
  }

  /** `scalar` has 32 octets. OpenSSL's copy lives until it is destroyed, at most as long as the result, and is cleared with it. */
  x25519(scalar: Uint8Array): PrivateValue {
    const key = this.#importScalar(scalar)
    const publicValue = this.#publicValueOf(key)
    const held: HeldKey = { key, context: this.#derivation(key) }
    const value: PrivateValue = {
      publicValue,
      derive: (peer) => (held.key === 0 ? null : this.#deriveX25519(held.context, peer)),
      destroy: () => {
        this.#keys.unregister(value)
        this.#release(held)
        held.key = 0
        held.context = 0
      },
    }
    this.#keys.register(value, held, value)
    return value
  }

  /** `scalar` and `peer` have 32 octets. */
  respondX25519(scalar: Uint8Array, peer: Uint8Array): KeyExchangeAnswer | null {
    const key = this.#importScalar(scalar)
    const context = this.#derivation(key)
    try {
      const publicValue = this.#publicValueOf(key)
      const sharedSecret = this.#deriveX25519(context, peer)
      return sharedSecret === null ? null : { publicValue, sharedSecret }
    } finally {
      this.#release({ key, context })
    }
  }

  #release({ key, context }: HeldKey): void {
    this.#openssl.functions.freeKeyContext(context) // both take 0
    this.#openssl.functions.freeKey(key)
  }

  /** A context that derives secrets with this key, one after the other; 0 when OpenSSL makes none. */
  #derivation(key: number): number {
    const { functions } = this.#openssl
    const context = functions.newKeyContext(key, 0)
    if (context !== 0 && functions.deriveInit(context) === 1) return context
    functions.freeKeyContext(context)
    return 0
  }

  #importScalar(scalar: Uint8Array): number {
    if (scalar.length !== X25519_BYTES) throw new RangeError('not an X25519 key')
    this.#memory.bytes.set(scalar, this.#key)
    const key = this.#keyAt
    const own = this.#openssl.functions.newPrivateKey(X25519_TYPE, 0, key, X25519_BYTES)
    this.#wipe(this.#key, X25519_BYTES)
    if (own === 0) throw new Error('OpenSSL made no X25519 key')
    return own
  }

  #publicValueOf(own: number): Uint8Array {
    const value = this.#read((output, size) => this.#openssl.functions.rawPublicKey(own, output, size))
    if (value === null) throw new Error('OpenSSL does not tell a public value')
    return value
  }

  /** @returns null for a value of small order, whose result would be zero (RFC 7748 6.1) */
  #deriveX25519(context: number, peer: Uint8Array): Uint8Array | null {
    if (peer.length !== X25519_BYTES) throw new RangeError('not an X25519 public value')
    const { functions } = this.#openssl
    this.#memory.bytes.set(peer, this.#input)
    const other = functions.newPublicKey(X25519_TYPE, 0, this.#inputAt(X25519_BYTES), X25519_BYTES)
    const isReady = other !== 0 && context !== 0 && functions.deriveSetPeer(context, other, 0) === 1
    const secret = isReady ? this.#read((output, size) => functions.derive(context, output, size)) : null
    functions.freeKey(other) // takes 0
    if (secret === null) functions.clearErrors()
    return secret
  }

  /** Lets a function write 32 octets whose length it is told and tells. @returns a copy, null when it failed. */
  #read(write: (output: number, size: number) => number): Uint8Array | null {
    const { memory } = this.#openssl
    memory.writeNumber(this.#length, X25519_BYTES)
    const ok = write(this.#outputAt(X25519_BYTES), this.#lengthAt) === 1
    const isWhole = ok && memory.view.getUint32(this.#length, true) === X25519_BYTES
    const value = isWhole ? memory.copyOut(this.#output, X25519_BYTES) : null
    this.#wipe(this.#output, X25519_BYTES)
    return value
  }

  #createMac(name: HashName): number {
    const { functions } = this.#openssl
    const context = made(functions.newMac(this.#openssl.macAlgorithm('HMAC')))
    const params = this.#openssl.digestParameter(name)
    if (functions.macInit(context, this.#keyAt, 0, params) !== 1) {
      throw new Error(`no HMAC with ${name}`)
    }
    this.#macs.set(name, context)
    return context
  }

  /** Keys the context of a direction and sets its nonce. @returns 0 when OpenSSL refuses. */
  #prepare(direction: 'seal' | 'open', { name, key, nonce }: AeadCall): number {
    const { functions } = this.#openssl
    const algorithm = name === 'aes-gcm' ? `AES-${key.length * 8}-GCM` : 'ChaCha20-Poly1305'
    const slot = `${direction} ${algorithm}`
    const context = this.#ciphers.get(slot) ?? made(functions.newContext())
    const isNew = !this.#ciphers.has(slot)
    const init = direction === 'seal' ? functions.encryptInit : functions.decryptInit
    this.#memory.bytes.set(key, this.#key)
    this.#memory.bytes.set(nonce, this.#nonce)
    const keyAt = this.#keyAt
    const nonceAt = this.#nonceAt
    const ok = init(context, isNew ? this.#openssl.cipher(algorithm) : 0, 0, keyAt, nonceAt) === 1
    this.#wipe(this.#key, key.length)
    if (ok) this.#ciphers.set(slot, context)
    return ok ? context : 0
  }

  #authenticate(update: (...args: number[]) => number, context: number, aad: Uint8Array): boolean {
    this.#memory.bytes.set(aad, this.#input)
    return update(context, 0, this.#lengthAt, this.#inputAt(aad.length), aad.length) === 1
  }

  #crypt(update: (...args: number[]) => number, context: number, text: Uint8Array): boolean {
    const { length } = text
    this.#memory.bytes.set(text, this.#input)
    return update(context, this.#outputAt(length), this.#lengthAt, this.#inputAt(length), length) === 1
  }

  #place(offset: number, chunks: readonly Uint8Array[]): void {
    let at = offset
    for (const chunk of chunks) {
      this.#memory.bytes.set(chunk, at)
      at += chunk.length
    }
  }

  #inputAt(length: number): number {
    if (!isWithin(length, INPUT_BYTES)) throw new OutsideMemoryError(`an input of ${length} octets`)
    return this.#inputStart
  }

  #outputAt(length: number): number {
    if (!isWithin(length, INPUT_BYTES)) throw new OutsideMemoryError(`an output of ${length} octets`)
    return this.#outputStart
  }

  #result(ok: boolean, length: number): Uint8Array {
    if (!ok) {
      this.#openssl.functions.clearErrors()
      throw new Error('OpenSSL failed without a reason that input could give')
    }
    const result = this.#memory.copyOut(this.#output, length)
    this.#wipe(this.#output, length)
    return result
  }

  #wipe(offset: number, length: number): void {
    this.#memory.bytes.fill(0, offset, offset + length)
  }
}

function isWithin(length: number, most: number): boolean {
  return length >>> 0 === length && length <= most
}

function fits({ key, nonce, aad, icvBytes }: AeadCall, textBytes: number): boolean {
  const isLong = Math.max(aad.length, textBytes) + LONGEST_TAG_BYTES > INPUT_BYTES
  const hasTag = icvBytes > 0 && icvBytes <= LONGEST_TAG_BYTES
  return !isLong && hasTag && key.length <= KEY_BYTES && nonce.length === NONCE_BYTES
}

function totalLength(chunks: readonly Uint8Array[]): number {
  let length = 0
  for (const chunk of chunks) length += chunk.length
  return length
}
