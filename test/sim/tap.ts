/**
 * A crypto provider that remembers what was sealed: so a transcript can show what is inside SK, and a test can forge messages
 * with the true keys of a peer. It remembers the latest only, and throws when an IV does not lie above all earlier ones of its key.
 */
import {
  type AeadCipher,
  type CryptoProvider,
  KE,
  type KeyExchangeMethod,
  nobleProvider,
  opensslProvider,
} from '@culvert/crypto'
import { concatBytes } from '@culvert/bytes'
import type { SkKeys } from '@culvert/ikev2'

/** node:crypto draws the randomness of an answer itself: with it a seed would not repeat a run. */
const ML_KEMS: readonly number[] = [KE.ML_KEM_512, KE.ML_KEM_768, KE.ML_KEM_1024]

type FoundCipher = ReturnType<CryptoProvider['cipher']>

export interface Tap {
  readonly provider: CryptoProvider
  /** Key exchanges begun or completed so far: what makes a step expensive for a reason. */
  readonly keyExchanges: number
  /** Plaintext, padding included, of what was sealed to exactly these octets; null when nothing was. */
  plaintextOf(sealed: Uint8Array): Uint8Array | null
  /** Whether anything was sealed yet. */
  hasKeys(): boolean
  /** Keys of the message sealed last. */
  lastKeys(): SkKeys
}

/** As in production, but that a seed repeats a run. */
export const repeatableProvider: CryptoProvider = {
  ...opensslProvider,
  keyExchange: (id) => (ML_KEMS.includes(id) ? nobleProvider : opensslProvider).keyExchange(id),
}

/**
 * @param remembers false for a long run, in which nobody asks what was sealed
 * @param base what it listens to
 */
export function createTap(remembers = true, base: CryptoProvider = repeatableProvider): Tap {
  const plaintexts = new Map<string, Uint8Array>()
  const wrapped = new Map<string, FoundCipher>()
  const keys: SkKeys[] = []
  const ivs = new Map<string, string>()
  const wrap = (cipher: AeadCipher): AeadCipher => ({
    ...cipher,
    open: (key, nonce, aad, sealed) => cipher.open(key, nonce, aad, sealed),
    seal: (key, nonce, aad, plaintext) => {
      checkIv(ivs, key, nonce.subarray(cipher.saltBytes))
      const sealed = cipher.seal(key, nonce, aad, plaintext)
      if (!remembers) return sealed
      const encrKey = concatBytes(key, nonce.subarray(0, cipher.saltBytes))
      keys.splice(0, 1, { cipher, integ: null, encrKey, integKey: new Uint8Array(0) })
      remember(plaintexts, nameOf(sealed), plaintext.slice())
      return sealed
    },
  })
  const cipherOf = (id: number, keyBits: number | null): FoundCipher => {
    const cipher = base.cipher(id, keyBits)
    return cipher?.kind === 'aead' ? wrap(cipher) : cipher
  }
  let keyExchanges = 0
  const counted = (method: KeyExchangeMethod): KeyExchangeMethod => ({
    ...method,
    generate: (rng) => {
      keyExchanges += 1
      const own = method.generate(rng)
      return {
        publicValue: own.publicValue,
        sharedSecret: (peer) => {
          keyExchanges += 1
          return own.sharedSecret(peer)
        },
        destroy: () => own.destroy(),
      }
    },
    respond: (rng, peer) => {
      keyExchanges += 1
      return method.respond(rng, peer)
    },
  })
  return {
    get keyExchanges() {
      return keyExchanges
    },
    provider: {
      ...base,
      keyExchange: (id) => {
        const method = base.keyExchange(id)
        return method === null ? null : counted(method)
      },
      cipher: (id, keyBits) => {
        const name = `${id}/${keyBits}`
        const known = wrapped.get(name)
        if (known !== undefined) return known
        const cipher = cipherOf(id, keyBits)
        wrapped.set(name, cipher)
        return cipher
      },
    },
    plaintextOf: (sealed) => plaintexts.get(nameOf(sealed)) ?? null,
    hasKeys: () => keys.length > 0,
    lastKeys: () => {
      const [last] = keys
      if (last === undefined) throw new Error('nothing was sealed yet')
      return last
    },
  }
}

function nameOf(sealed: Uint8Array): string {
  return Buffer.from(sealed).toString('latin1')
}

/** Of plaintexts, and of keys. */
const MOST_REMEMBERED = 5_000

/** The latest of the name counts. */
function remember<V>(map: Map<string, V>, name: string, value: V): void {
  map.delete(name)
  map.set(name, value)
  const oldest = map.keys().next()
  if (map.size > MOST_REMEMBERED && !oldest.done) map.delete(oldest.value)
}

/** One key and IV for two messages would open both (RFC 5282 3.1). */
function checkIv(ivs: Map<string, string>, key: Uint8Array, iv: Uint8Array): void {
  const name = nameOf(key)
  const hex = Buffer.from(iv).toString('hex')
  if (hex <= (ivs.get(name) ?? '')) throw new Error(`IV ${hex} is used again`)
  remember(ivs, name, hex)
}
