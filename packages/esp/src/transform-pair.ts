/**
 * From negotiated transforms and KEYMAT to an opener and a sealer (RFC 7296 2.17, RFC 4106 8, CONFORMANCE C42).
 *
 * Order of keys inside each direction: encryption, salt, integrity; which direction came first in KEYMAT is the business of IKE.
 */
import type { CryptoProvider } from '@culvert/crypto'
import type { ChildKeys, Transform } from '@culvert/ikev2'
import { AhTransform } from './ah/ah-transform.ts'
import { AeadTransform, CipherAndMacTransform, type EspOpener, type EspSealer } from './esp-transform.ts'
import { IvCounter } from './iv-counter.ts'
import type { RandomPool } from './random-pool.ts'

const ENCR_NULL = 11

export interface TransformPair {
  readonly opener: EspOpener
  readonly sealer: EspSealer
  /** Of an SA of AH, whose opener and sealer do nothing. */
  readonly ah?: AhPair
}

export interface AhPair {
  readonly opener: AhTransform
  readonly sealer: AhTransform
}

/** Why no pair could be made: both are faults of this side, not of the peer. */
export type TransformPairError = 'unsupported' | 'keyLength'

export interface TransformContext {
  readonly provider: CryptoProvider
  /** 24 bits. */
  readonly incarnation: number
  /** 4 bits: which of the threads that seal under the same keys; 0 when left out. */
  readonly thread?: number
  readonly random: RandomPool
}

/** Copies the keys; the caller zeroes its own. */
export function createTransformPair(
  keys: ChildKeys,
  context: TransformContext,
): { readonly ok: true; readonly value: TransformPair } | { readonly ok: false; readonly error: TransformPairError } {
  const cipher = keys.encr.id === ENCR_NULL ? null : context.provider.cipher(keys.encr.id, keys.encr.keyBits)
  if (cipher === null && keys.encr.id !== ENCR_NULL) return { ok: false, error: 'unsupported' }
  if (cipher?.kind === 'aead') {
    const bytes = cipher.keyBytes + cipher.saltBytes
    if (keys.inboundKey.length !== bytes || keys.outboundKey.length !== bytes) return { ok: false, error: 'keyLength' }
    const make = (material: Uint8Array): AeadTransform =>
      new AeadTransform(cipher, material, keys.esn, new IvCounter(context.incarnation, context.thread))
    return { ok: true, value: { opener: make(keys.inboundKey), sealer: make(keys.outboundKey) } }
  }
  const integrity = integrityOf(keys.integ, context.provider)
  if (integrity === null) return { ok: false, error: 'unsupported' }
  const keyBytes = cipher?.keyBytes ?? 0
  if (keys.inboundKey.length !== keyBytes || keys.outboundKey.length !== keyBytes)
    return { ok: false, error: 'keyLength' }
  if (keys.inboundIntegKey.length !== integrity.keyBytes || keys.outboundIntegKey.length !== integrity.keyBytes) {
    return { ok: false, error: 'keyLength' }
  }
  const make = (key: Uint8Array, integrityKey: Uint8Array): CipherAndMacTransform =>
    new CipherAndMacTransform(cipher, integrity, { key, integrityKey, esn: keys.esn }, context.random)
  const opener = make(keys.inboundKey, keys.inboundIntegKey)
  return { ok: true, value: { opener, sealer: make(keys.outboundKey, keys.outboundIntegKey) } }
}

/** For AH: an integrity algorithm alone. Copies the keys; the caller zeroes its own. */
export function createAhPair(
  keys: ChildKeys,
  { provider }: Pick<TransformContext, 'provider'>,
): { readonly ok: true; readonly value: TransformPair } | { readonly ok: false; readonly error: TransformPairError } {
  const integrity = integrityOf(keys.integ, provider)
  if (integrity === null) return { ok: false, error: 'unsupported' }
  const { inboundIntegKey, outboundIntegKey } = keys
  if (inboundIntegKey.length !== integrity.keyBytes || outboundIntegKey.length !== integrity.keyBytes) {
    return { ok: false, error: 'keyLength' }
  }
  const make = (key: Uint8Array): AhTransform => new AhTransform(integrity, key, keys.esn)
  const ah = { opener: make(inboundIntegKey), sealer: make(outboundIntegKey) }
  return { ok: true, value: { opener: NO_ESP, sealer: NO_ESP, ah } }
}

/** Opens and seals nothing. */
const NO_ESP: EspOpener & EspSealer = {
  ivBytes: 0,
  icvBytes: 0,
  alignBytes: 4,
  open: () => null,
  seal: () => false,
  destroy: () => {},
}

function integrityOf(transform: Transform | null, provider: CryptoProvider): ReturnType<CryptoProvider['integrity']> {
  return transform === null ? null : provider.integrity(transform.id)
}
