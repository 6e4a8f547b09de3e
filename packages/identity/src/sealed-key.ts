/**
 * Keys that sign access tokens: made here, named by their thumbprint (RFC 7638), and kept with the private half sealed by the
 * API's own secret, so that a copy of the database signs nothing. The name is bound in: a sealed key cannot be put under another.
 */
import {
  calculateJwkThumbprint,
  compactDecrypt,
  CompactEncrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
  type JWK,
} from 'jose'
import { accessTokenAlgorithm, type SigningKey } from './access-token.ts'

export interface StoredKey {
  readonly kid: string
  readonly publicJwk: JWK
  readonly sealedPrivateKey: Uint8Array
}

/** @param sealingKey 32 bytes, `signingKeys` of `deriveKeys` */
export async function makeSigningKey(sealingKey: Uint8Array): Promise<StoredKey> {
  const { publicKey, privateKey } = await generateKeyPair(accessTokenAlgorithm, { extractable: true })
  const { kty, crv, x, y } = await exportJWK(publicKey)
  const jwk = { kty, crv, x, y } as JWK
  const kid = await calculateJwkThumbprint(jwk)
  const plaintext = new TextEncoder().encode(JSON.stringify(await exportJWK(privateKey)))
  const sealed = await new CompactEncrypt(plaintext)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
    .encrypt(sealingKey)
  plaintext.fill(0)
  const publicJwk = { ...jwk, kid, alg: accessTokenAlgorithm, use: 'sig' }
  return { kid, publicJwk, sealedPrivateKey: new TextEncoder().encode(sealed) }
}

/** @throws when the key was sealed with another secret, changed, or put under another name */
export async function openSigningKey(
  stored: Pick<StoredKey, 'kid' | 'sealedPrivateKey'>,
  sealingKey: Uint8Array,
): Promise<SigningKey> {
  const { plaintext, protectedHeader } = await compactDecrypt(
    new TextDecoder().decode(stored.sealedPrivateKey),
    sealingKey,
    { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
  )
  if (protectedHeader.kid !== stored.kid) throw new Error('a signing key stands under another name than its own')
  const jwk = JSON.parse(new TextDecoder().decode(plaintext)) as JWK
  plaintext.fill(0)
  const privateKey = (await importJWK(jwk, accessTokenAlgorithm, { extractable: false })) as CryptoKey
  return { kid: stored.kid, privateKey }
}

/** @returns the public key; null when it is not one of the kind that we make */
export async function publicKeyOf(jwk: JWK): Promise<CryptoKey | null> {
  if (jwk.kty !== 'EC' || jwk.crv !== 'P-256' || jwk.alg !== accessTokenAlgorithm || jwk.d !== undefined) return null
  return (await importJWK(jwk, accessTokenAlgorithm)) as CryptoKey
}
