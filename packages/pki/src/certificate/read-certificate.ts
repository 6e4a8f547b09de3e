/**
 * Reads an X.509 certificate (RFC 5280 4.1), of strangers too: strict DER, bounded, no cryptography.
 *
 *     Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
 *     tbsCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo,
 *                                   [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }
 *
 * Nothing read here is true before `validateChain` has said so.
 */
import { compareBytes, toHex } from '@culvert/bytes'
import { DerReader, TAG, constructed, malformed, primitive, readDer } from '../der/reader.ts'
import { readTime } from '../der/time.ts'
import { fault, good, type Result } from '../fault.ts'
import { readExtensions, type Extensions } from './extensions.ts'
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.ts'

/** All octets are views of `der`, which belongs to the certificate from then on. */
export interface Certificate {
  readonly der: Uint8Array
  /** What the signature covers. */
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  /** Content of the INTEGER in hexadecimal. */
  readonly serial: string
  /** A whole Name, like `subject`. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  /** Milliseconds since 1970, both inclusive. */
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly extensions: Extensions
}

/** An RSA key and signature of 8192 bits and many names fit. */
export const MAX_CERTIFICATE_BYTES = 8_192

const VERSION_3 = 2
/** Of 20 and a sign (RFC 5280 4.1.2.2). */
const MAX_SERIAL_BYTES = 21

/** @param der one certificate; not copied. @returns fault `tooLarge` or `malformed`. */
export function readCertificate(der: Uint8Array): Result<Certificate> {
  if (der.length > MAX_CERTIFICATE_BYTES) return fault('tooLarge')
  const certificate = readDer(der, (reader) => read(der, reader.inside(TAG.SEQUENCE)))
  return certificate === null ? fault('malformed') : good(certificate)
}

/** The key of a certificate of ours or of an authority, in DER; null when the certificate is malformed. */
export function spkiOf(der: Uint8Array): Uint8Array | null {
  const certificate = readCertificate(der)
  return certificate.ok ? certificate.value.spki : null
}

function read(der: Uint8Array, reader: DerReader): Certificate {
  const tbs = reader.elementOf(TAG.SEQUENCE)
  const algorithm = reader.content(TAG.SEQUENCE)
  const signature = reader.bitString()
  reader.end()

  const fields = new DerReader(tbs).inside(TAG.SEQUENCE)
  const version = fields.insideIf(constructed(0))?.smallInteger() ?? 0
  const serial = fields.integer()
  if (version > VERSION_3 || serial.length > MAX_SERIAL_BYTES) malformed()
  // Outside and inside must say the same (RFC 5280 4.1.1.2), else the signature does not cover its own algorithm.
  if (compareBytes(fields.content(TAG.SEQUENCE), algorithm) !== 0) malformed()
  const issuer = fields.elementOf(TAG.SEQUENCE)
  const validity = fields.inside(TAG.SEQUENCE)
  const notBeforeMs = readTime(validity)
  const notAfterMs = readTime(validity)
  validity.end()
  const subject = fields.elementOf(TAG.SEQUENCE)
  const spki = fields.elementOf(TAG.SEQUENCE)
  for (const uniqueId of [1, 2]) if (fields.tag === primitive(uniqueId)) fields.element()
  const extensions = fields.insideIf(constructed(3))
  fields.end()
  if (extensions !== null && version !== VERSION_3) malformed()
  return {
    der,
    tbs,
    signatureAlgorithm: readSignatureAlgorithm(new DerReader(algorithm)),
    signature,
    serial: toHex(serial),
    issuer,
    subject,
    notBeforeMs,
    notAfterMs,
    spki,
    extensions: readExtensions(extensions),
  }
}
