/**
 * The sealing keys a process may open secrets with: one, or two while they are being replaced. Each secret names the key that it
 * was sealed to, so a second key costs nothing and is tried for nobody.
 */
import { KE, opensslProvider, type CryptoProvider } from '@culvert/crypto'
import { keyOctets, sealingKeyId, type SealBinding } from './seal.ts'
import { createSecretOpener, type SecretOpener } from './secret-opener.ts'

export interface KeyRing {
  /** Fingerprints, in the order of the keys. */
  readonly keyIds: readonly string[]
  /** @returns the plaintext; null when no key has this id, or key, binding and octets do not belong together */
  open(sealed: Uint8Array, binding: SealBinding, keyId: string): Uint8Array | null
  /** Takes the time that opening a secret takes, with the key that was used last. @param name whose secret it would be */
  pretend(name: string): void
}

/**
 * @param privateKeys as `generateSealingKeyPair` gives them, at least one; kept inside as long as the ring lives
 * @throws when one is not a key
 */
export function createKeyRing(privateKeys: readonly string[], crypto: CryptoProvider = opensslProvider): KeyRing {
  const openers = new Map(
    privateKeys.map((privateKey) => [idOfPrivateKey(privateKey, crypto), createSecretOpener(privateKey, crypto)]),
  )
  let last = [...openers.values()][0] as SecretOpener
  return {
    keyIds: [...openers.keys()],
    open(sealed, binding, keyId) {
      const opener = openers.get(keyId)
      if (!opener) return null
      last = opener
      return opener.open(sealed, binding)
    },
    pretend: (name) => last.pretend(name),
  }
}

function idOfPrivateKey(privateKey: string, crypto: CryptoProvider): string {
  const own = crypto.keyExchange(KE.CURVE25519)?.generate(() => keyOctets(privateKey))
  if (own === undefined) throw new Error('HPKE needs X25519')
  return sealingKeyId(Buffer.from(own.publicValue).toString('base64url'))
}
