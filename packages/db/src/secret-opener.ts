/**
 * Opens sealed secrets one after the other with one key: HPKE base mode (RFC 9180 5.1.1, 5.2, 6.1) as in `seal.ts`, in one go.
 *
 * A concentrator opens one secret per device that comes back, so this is the receiver's half alone, synchronous and without an
 * object of WebCrypto for every step; whatever is the same for all secrets is computed once. Key and nonce of the contexts met last
 * are remembered by encapsulated key: secrets that were sealed together, and those opened again, cost no key exchange.
 *
 * So the time of an opening tells whether a context was met before, and must not tell whether there is a device: `pretend` does for
 * a name that nobody has what opening does for others. A share of such names, the same as of the secrets that were opened lately,
 * belongs to a context that is known at once; the others each have their own, which is remembered with the real ones.
 */
import { randomBytes } from 'node:crypto'
import { concatBytes } from '@culvert/bytes'
import { ENCR, KE, opensslProvider, PRF, type CryptoProvider } from '@culvert/crypto'
import { bindingOctets, ENCAPSULATED_BYTES, INFO, keyOctets, SEQUENCE_BYTES, type SealBinding } from './seal.ts'

export interface SecretOpener {
  /** @returns the plaintext, or null when key, binding or octets do not belong together */
  open(sealed: Uint8Array, binding: SealBinding): Uint8Array | null
  /** Takes the time that opening a secret takes. @param name whose secret it would be */
  pretend(name: string): void
}

const TAG_BYTES = 16
const KEY_BYTES = 32
const NONCE_BYTES = 12
const MOST_CONTEXTS = 4096
/** Of how many openings the share of remembered contexts is a moving average. */
const SHARE_OVER = 64
const EMPTY = new Uint8Array(0)
const LABEL_PREFIX = text('HPKE-v1')
/** DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180 7). */
const KEM_SUITE = Uint8Array.of(...text('KEM'), 0, 0x20)
const HPKE_SUITE = Uint8Array.of(...text('HPKE'), 0, 0x20, 0, 1, 0, 2)
const MODE_BASE = 0

/**
 * @param privateKey as `generateSealingKeyPair` gives it; kept inside as long as the opener lives
 * @throws when it is not a key
 */
export function createSecretOpener(privateKey: string, crypto: CryptoProvider = opensslProvider): SecretOpener {
  const aead = crypto.cipher(ENCR.AES_GCM_16, 256)
  if (aead?.kind !== 'aead') throw new Error('HPKE needs AES-GCM')
  const derive = createKeySchedule(privateKey, crypto)
  const contexts = new Contexts()
  const pretence = createPretence(crypto)
  let knownShare = 0

  /** @returns undefined for an encapsulated key that is none */
  function contextOf(encapsulated: Uint8Array): Uint8Array | undefined {
    const name = Buffer.from(encapsulated).toString('latin1')
    const known = contexts.get(name)
    if (known !== undefined) return known
    const derived = derive(encapsulated)
    if (derived !== undefined) contexts.add(name, derived)
    return derived
  }

  /** The nonce is the base nonce with the sequence number in its last octets (RFC 9180 5.2). */
  const openWith = (context: Uint8Array, sequence: number, binding: SealBinding, ciphertext: Uint8Array) => {
    const nonce = context.slice(KEY_BYTES)
    nonce[NONCE_BYTES - 2] = (nonce[NONCE_BYTES - 2] ?? 0) ^ (sequence >>> 8)
    nonce[NONCE_BYTES - 1] = (nonce[NONCE_BYTES - 1] ?? 0) ^ (sequence & 0xff)
    return aead.open(context.subarray(0, KEY_BYTES), nonce, bindingOctets(binding), ciphertext)
  }

  return {
    open(sealed, binding) {
      const sequenceBytes = SEQUENCE_BYTES[sealed[0] ?? 0]
      if (sequenceBytes === undefined) return null
      const ciphertextAt = 1 + ENCAPSULATED_BYTES + sequenceBytes
      if (sealed.length < ciphertextAt + TAG_BYTES) return null
      const encapsulated = sealed.slice(1, 1 + ENCAPSULATED_BYTES)
      const met = contexts.met
      const context = contextOf(encapsulated)
      if (context === undefined) return null
      knownShare += ((contexts.met > met ? 1 : 0) - knownShare) / SHARE_OVER
      const at = 1 + ENCAPSULATED_BYTES
      const sequence = sequenceBytes === 0 ? 0 : ((sealed[at] ?? 0) << 8) | (sealed[at + 1] ?? 0)
      return openWith(context, sequence, binding, sealed.subarray(ciphertextAt))
    },
    pretend(name) {
      const context = contextOf(pretence.encapsulatedKeyOf(name, knownShare))
      if (context !== undefined) openWith(context, 0, pretence.binding, pretence.ciphertext)
    },
  }
}

/** One secret; who opens many makes a `createSecretOpener`. @returns null when key, binding or octets do not belong together */
export function openSecret(privateKey: string, sealed: Uint8Array, binding: SealBinding): Uint8Array | null {
  return createSecretOpener(privateKey).open(sealed, binding)
}

/** Key (32), then base nonce (12), by encapsulated key: what was used last stays; what goes is zeroed. */
class Contexts {
  readonly #byName = new Map<string, Uint8Array>()
  /** How often one was found. */
  met = 0

  get(name: string): Uint8Array | undefined {
    const context = this.#byName.get(name)
    if (context === undefined) return undefined
    this.met += 1
    this.#byName.delete(name)
    this.#byName.set(name, context)
    return context
  }

  add(name: string, context: Uint8Array): void {
    this.#byName.set(name, context)
    if (this.#byName.size <= MOST_CONTEXTS) return
    const [oldest] = this.#byName
    if (oldest === undefined) return
    oldest[1].fill(0)
    this.#byName.delete(oldest[0])
  }
}

/** From an encapsulated key to key and base nonce of its context; undefined when it is no public value. */
function createKeySchedule(
  privateKey: string,
  crypto: CryptoProvider,
): (encapsulated: Uint8Array) => Uint8Array | undefined {
  const hmac = crypto.prf(PRF.HMAC_SHA2_256)
  const own = crypto.keyExchange(KE.CURVE25519)?.generate(() => keyOctets(privateKey))
  if (hmac === null || own === undefined) throw new Error('HPKE needs HMAC and X25519')

  const extract = (suite: Uint8Array, salt: Uint8Array, label: string, input: Uint8Array): Uint8Array =>
    hmac.compute(salt, LABEL_PREFIX, suite, text(label), input)
  /** One block of HKDF is as much as is ever wanted here. */
  const expand = (suite: Uint8Array, key: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array =>
    hmac
      .compute(key, Uint8Array.of(0, length), LABEL_PREFIX, suite, text(label), info, Uint8Array.of(1))
      .slice(0, length)

  const schedule = Uint8Array.of(
    MODE_BASE,
    ...extract(HPKE_SUITE, EMPTY, 'psk_id_hash', EMPTY),
    ...extract(HPKE_SUITE, EMPTY, 'info_hash', INFO),
  )

  return (encapsulated) => {
    const shared = own.sharedSecret(encapsulated)
    if (shared === null) return undefined
    const extracted = extract(KEM_SUITE, EMPTY, 'eae_prk', shared)
    const parties = concatBytes(encapsulated, own.publicValue)
    const sharedSecret = expand(KEM_SUITE, extracted, 'shared_secret', parties, KEY_BYTES)
    const secret = extract(HPKE_SUITE, sharedSecret, 'secret', EMPTY)
    const key = expand(HPKE_SUITE, secret, 'key', schedule, KEY_BYTES)
    const nonce = expand(HPKE_SUITE, secret, 'base_nonce', schedule, NONCE_BYTES)
    const context = concatBytes(key, nonce)
    for (const octets of [shared, extracted, sharedSecret, secret, key, nonce]) octets.fill(0)
    return context
  }
}

interface Pretence {
  readonly binding: SealBinding
  /** Of the usual size; opens for nobody. */
  readonly ciphertext: Uint8Array
  /** The same for one name every time, until its share changes. */
  encapsulatedKeyOf(name: string, knownShare: number): Uint8Array
}

function createPretence(crypto: CryptoProvider): Pretence {
  const hmac = crypto.prf(PRF.HMAC_SHA2_256)
  if (hmac === null) throw new Error('HPKE needs HMAC')
  const secret = Uint8Array.from(randomBytes(32))
  const common = Uint8Array.from(randomBytes(ENCAPSULATED_BYTES))
  const suffix = 'a'.repeat(20)
  return {
    binding: { organizationId: `org_${suffix}`, deviceId: `dev_${suffix}`, credentialId: `crd_${suffix}` },
    ciphertext: Uint8Array.from(randomBytes(KEY_BYTES + TAG_BYTES)),
    encapsulatedKeyOf(name, knownShare) {
      const own = hmac.compute(secret, text(name))
      const lot = new DataView(own.buffer, own.byteOffset).getUint32(0) / 2 ** 32
      return lot < knownShare ? common : own
    },
  }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}
