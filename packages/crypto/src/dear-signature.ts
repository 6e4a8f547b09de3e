/**
 * Which signatures are dear to check: those of P-384 and P-521 cost ten times as much as others and more, those of RSA keys above 4096
 * bits grow with the square. Told by lengths alone, before anything is computed, so that whoever checks them for strangers can count them.
 */
import { COORDINATE_BYTES, readPublicKeyInfo } from './public-key-info.ts'
import type { SignatureKeyKind, SignatureScheme } from './provider.ts'

const MOST_RSA_BYTES = 512
/** SubjectPublicKeyInfo of 4096 bits and an exponent of 32 has less. */
const MOST_RSA_SPKI_BYTES = 560
const MOST_CURVE_BYTES = 2 * COORDINATE_BYTES.p256
/** SEQUENCE of two INTEGERs, each with a leading zero. */
const DER_OVERHEAD_BYTES = 8

/** @param spki SubjectPublicKeyInfo in DER, of any content @returns false for what is no key: nothing is checked with it */
export function isDearKey(spki: Uint8Array): boolean {
  const kind = readPublicKeyInfo(spki)?.kind
  return kind === 'p384' || kind === 'p521' || (kind === 'rsa' && spki.length > MOST_RSA_SPKI_BYTES)
}

/** @param signatureBytes length of the signature, which tells the size of the key */
export function isDearSignature(scheme: SignatureScheme, signatureBytes: number): boolean {
  switch (scheme.kind) {
    case 'rsaPkcs1':
    case 'rsaPss':
      return signatureBytes > MOST_RSA_BYTES
    case 'ecdsa':
      return signatureBytes > MOST_CURVE_BYTES + (scheme.form === 'der' ? DER_OVERHEAD_BYTES : 0)
    case 'ed25519':
      return false
  }
}

/**
 * Too short for its key: by its length it would cost what one of P-256 does. Nobody makes one by chance, but from a short r and s anybody
 * computes a key whose signature they are, for one text that he chooses.
 */
export function hidesItsCost(kind: SignatureKeyKind, scheme: SignatureScheme, signatureBytes: number): boolean {
  return (kind === 'p384' || kind === 'p521') && !isDearSignature(scheme, signatureBytes)
}
