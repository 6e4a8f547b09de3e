/**
 * Whether a key signed a certificate, a list or a request.
 */
import { hidesItsCost, type VerifyingKey } from '@culvert/crypto'
import { oidText } from '../der/object-identifier.ts'
import { fault } from '../fault.ts'
import type { SignatureAlgorithm } from './signature-algorithm.ts'

export interface Signed {
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: SignatureAlgorithm
  readonly signature: Uint8Array
}

/**
 * One that is dear to check is known by its length, before it is checked (`isDearChain`): what is shorter than that is none.
 *
 * @param at which certificate a fault names. @returns null when the signature is good.
 */
export function signatureFault(signed: Signed, key: VerifyingKey, at: number | null): ReturnType<typeof fault> | null {
  const { signatureAlgorithm: algorithm } = signed
  switch (algorithm.kind) {
    case 'weak':
      return fault('weakAlgorithm', at, oidText(algorithm.oid))
    case 'unknown':
      return fault('unknownAlgorithm', at, oidText(algorithm.oid))
    case 'known':
      return !hidesItsCost(key.kind, algorithm.scheme, signed.signature.length) &&
        key.verify(algorithm.scheme, signed.tbs, signed.signature)
        ? null
        : fault('badSignature', at)
  }
}
