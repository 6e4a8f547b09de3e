/**
 * Certification requests of devices (PKCS #10, RFC 2986): strict DER, and proof that who asks holds the private key.
 *
 *     CertificationRequest ::= SEQUENCE { SEQUENCE { version, subject, subjectPublicKeyInfo, [0] attributes },
 *                                         signatureAlgorithm, signature BIT STRING }
 *
 * The key is all that is taken from it. Names and extensions a device asks for are not even read.
 */
import { createPublicKey } from 'node:crypto'
import { verifyingKey, type VerifyingKey } from '@culvert/crypto'
import { signatureFault } from '../certificate/check-signature.ts'
import { readSignatureAlgorithm } from '../certificate/signature-algorithm.ts'
import { DerReader, TAG, constructed, malformed, readDer } from '../der/reader.ts'
import { fault, good, type Result } from '../fault.ts'

export interface CertificationRequest {
  /** SubjectPublicKeyInfo of a key whose owner signed the request. */
  readonly spki: Uint8Array
  readonly key: VerifyingKey
}

export const MAX_REQUEST_BYTES = 8_192
/** What we certify; `verifyingKey` takes more from authorities that others run. */
const MAX_RSA_BITS = 4096
const MIN_RSA_EXPONENT = 65_537n

/** @param der one request. @returns faults `tooLarge`, `malformed`, `unusableKey`, `weakAlgorithm`, `unknownAlgorithm`, `badSignature`. */
export function checkCertificationRequest(der: Uint8Array): Result<CertificationRequest> {
  if (der.length > MAX_REQUEST_BYTES) return fault('tooLarge')
  const request = readDer(der, (reader) => read(reader.inside(TAG.SEQUENCE)))
  if (request === null) return fault('malformed')
  const key = verifyingKey(request.spki)
  if (key === null || !isStrongEnough(request.spki, key)) return fault('unusableKey')
  return signatureFault(request, key, null) ?? good({ spki: request.spki, key })
}

function read(reader: DerReader) {
  const tbs = reader.elementOf(TAG.SEQUENCE)
  const signatureAlgorithm = readSignatureAlgorithm(reader.inside(TAG.SEQUENCE))
  const signature = reader.bitString()
  reader.end()
  const fields = new DerReader(tbs).inside(TAG.SEQUENCE)
  if (fields.smallInteger() !== 0) malformed()
  fields.elementOf(TAG.SEQUENCE)
  const spki = fields.elementOf(TAG.SEQUENCE)
  // Some tools leave the attributes out, though they may only be empty (RFC 2986 4.1).
  if (!fields.isAtEnd) fields.elementOf(constructed(0))
  fields.end()
  return { tbs, signatureAlgorithm, signature, spki }
}

function isStrongEnough(spki: Uint8Array, { kind, bits }: VerifyingKey): boolean {
  if (kind !== 'rsa') return true
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  return bits <= MAX_RSA_BITS && (key.asymmetricKeyDetails?.publicExponent ?? 0n) >= MIN_RSA_EXPONENT
}
