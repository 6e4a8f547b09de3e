/**
 * Cryptography for a fuzzer that counts in millions: the shapes and lengths of the true transforms, and none of their cost.
 *
 * It protects nothing. A tag still tells whose key sealed what, so that "authentic" means the same as with true keys; a key
 * exchange gives both sides the same secret, and to everybody else as well. Values that are no group elements are not refused. What
 * the transforms themselves do with bad input is seen in runs with the true ones, and by their own tests.
 */
import { compareBytes } from '@culvert/bytes'
import {
  type AeadCipher,
  type Cipher,
  type CryptoProvider,
  type KeyExchangeMethod,
  opensslProvider,
  type Prf,
  type Rng,
} from '@culvert/crypto'

/** Octets of the answer to an encapsulation key, by method. */
const KEM_ANSWER_BYTES: Readonly<Record<number, number>> = { 35: 768, 36: 1088, 37: 1568 }

export const quickProvider: CryptoProvider = {
  ...opensslProvider,
  prf: memoized((id) => quickPrf(opensslProvider.prf(id))),
  keyExchange: memoized((id) => quickExchange(opensslProvider.keyExchange(id))),
  cipher: (id, keyBits) => quickCiphers(id * 1000 + (keyBits ?? 0)),
  sha1: (...chunks) => digest([], chunks, 20),
  sha256: (...chunks) => digest([], chunks, 32),
}

function memoized<T>(make: (id: number) => T): (id: number) => T {
  const made = new Map<number, T>()
  return (id) => {
    const known = made.get(id)
    if (known !== undefined) return known
    const value = make(id)
    made.set(id, value)
    return value
  }
}

const quickCiphers = memoized((name): Cipher | null => {
  const cipher = opensslProvider.cipher(Math.floor(name / 1000), name % 1000 === 0 ? null : name % 1000)
  return cipher?.kind === 'aead' ? quickAead(cipher) : cipher
})

function quickPrf(prf: Prf | null): Prf | null {
  return prf && { ...prf, compute: (key, ...chunks) => digest([key], chunks, prf.outputBytes) }
}

function quickAead(cipher: AeadCipher): AeadCipher {
  const { icvBytes } = cipher
  const tagOf = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array =>
    digest([key, nonce], [aad, ciphertext], icvBytes)
  return {
    ...cipher,
    seal: (key, nonce, aad, plaintext) => {
      const sealed = new Uint8Array(plaintext.length + icvBytes)
      sealed.set(plaintext)
      const ciphertext = sealed.subarray(0, plaintext.length)
      whiten(ciphertext, nonce)
      sealed.set(tagOf(key, nonce, aad, ciphertext), plaintext.length)
      return sealed
    },
    open: (key, nonce, aad, sealed) => {
      if (sealed.length < icvBytes) return null
      const ciphertext = sealed.subarray(0, sealed.length - icvBytes)
      if (compareBytes(tagOf(key, nonce, aad, ciphertext), sealed.subarray(-icvBytes)) !== 0) return null
      const plaintext = ciphertext.slice()
      whiten(plaintext, nonce)
      return plaintext
    },
  }
}

function whiten(octets: Uint8Array, nonce: Uint8Array): void {
  const mask = 0xa5 ^ (nonce.at(-1) ?? 0)
  for (let at = 0; at < octets.length; at++) octets[at] = (octets[at] ?? 0) ^ mask
}

function quickExchange(method: KeyExchangeMethod | null): KeyExchangeMethod | null {
  if (method === null) return null
  const { id, publicBytes, sharedBytes } = method
  const answerBytes = KEM_ANSWER_BYTES[id] ?? publicBytes
  return {
    id,
    publicBytes,
    sharedBytes,
    generate: (rng) => {
      const publicValue = drawn(rng, publicBytes)
      return {
        publicValue,
        sharedSecret: (peer) => (peer.length === answerBytes ? shared(publicValue, peer, sharedBytes) : null),
        destroy: () => {},
      }
    },
    respond: (rng, peer) => {
      if (peer.length !== publicBytes) return null
      const publicValue = drawn(rng, answerBytes)
      return { publicValue, sharedSecret: shared(peer, publicValue, sharedBytes) }
    },
  }
}

/** A value that does not come again. */
function drawn(rng: Rng, length: number): Uint8Array {
  const value = new Uint8Array(length)
  value.set(rng(Math.min(length, 16)))
  return value
}

/** The same for both sides, whoever of them asked. */
function shared(one: Uint8Array, other: Uint8Array, length: number): Uint8Array {
  return compareBytes(one, other) < 0 ? digest([one], [other], length) : digest([other], [one], length)
}

/** Two sums that every octet and its place change, drawn out to `length`: good for telling apart, for nothing else. */
function digest(keys: readonly Uint8Array[], chunks: readonly Uint8Array[], length: number): Uint8Array {
  let [a, b] = [0x811c9dc5, 0x9e3779b9]
  for (const list of [keys, chunks]) {
    for (const chunk of list) {
      for (let at = 0; at < chunk.length; at++) {
        a = Math.imul(a ^ (chunk[at] ?? 0), 0x01000193)
        b = Math.imul(b + (chunk[at] ?? 0) + (a >>> 15), 0x85ebca6b)
      }
    }
    a ^= 0x5bd1e995
  }
  const result = new Uint8Array(length)
  for (let at = 0; at < length; at++) {
    a = Math.imul(a ^ (b >>> 13), 0x01000193) + at
    b = Math.imul(b ^ (a >>> 16), 0xc2b2ae35)
    result[at] = (a ^ b) >>> 11
  }
  return result
}
