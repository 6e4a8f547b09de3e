/**
 * Opens sealed secrets one after the other with one key: HPKE base mode (RFC 9180 5.1.1, 6.1) as in `seal.ts`, in one go.
 *
 * A concentrator opens one secret per device that comes back, so this is the receiver's half alone, synchronous and without an
 * object of WebCrypto for every step; whatever is the same for all secrets is computed once.
 */
import { concatBytes } from '@culvert/bytes'
import { ENCR, KE, opensslProvider, PRF, type CryptoProvider } from '@culvert/crypto'
import { bindingOctets, ENCAPSULATED_BYTES, INFO, keyOctets, VERSION, type SealBinding } from './seal.ts'

/** @returns the plaintext, or null when key, binding or octets do not belong together */
export type SecretOpener = (sealed: Uint8Array, binding: SealBinding) => Uint8Array | null

const TAG_BYTES = 16
const KEY_BYTES = 32
const NONCE_BYTES = 12
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
  const hmac = crypto.prf(PRF.HMAC_SHA2_256)
  const aead = crypto.cipher(ENCR.AES_GCM_16, 256)
  const own = crypto.keyExchange(KE.CURVE25519)?.generate(() => keyOctets(privateKey))
  if (hmac === null || aead?.kind !== 'aead' || own === undefined) throw new Error('HPKE needs AES-GCM and X25519')

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

  return (sealed, binding) => {
    if (sealed[0] !== VERSION || sealed.length < 1 + ENCAPSULATED_BYTES + TAG_BYTES) return null
    const encapsulated = sealed.slice(1, 1 + ENCAPSULATED_BYTES)
    const shared = own.sharedSecret(encapsulated)
    if (shared === null) return null
    const extracted = extract(KEM_SUITE, EMPTY, 'eae_prk', shared)
    const context = concatBytes(encapsulated, own.publicValue)
    const sharedSecret = expand(KEM_SUITE, extracted, 'shared_secret', context, KEY_BYTES)
    const secret = extract(HPKE_SUITE, sharedSecret, 'secret', EMPTY)
    const key = expand(HPKE_SUITE, secret, 'key', schedule, KEY_BYTES)
    const nonce = expand(HPKE_SUITE, secret, 'base_nonce', schedule, NONCE_BYTES)
    const opened = aead.open(key, nonce, bindingOctets(binding), sealed.subarray(1 + ENCAPSULATED_BYTES))
    for (const octets of [shared, extracted, sharedSecret, secret, key]) octets.fill(0)
    return opened
  }
}

/** One secret; who opens many makes a `createSecretOpener`. @returns null when key, binding or octets do not belong together */
export function openSecret(privateKey: string, sealed: Uint8Array, binding: SealBinding): Uint8Array | null {
  return createSecretOpener(privateKey)(sealed, binding)
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}
