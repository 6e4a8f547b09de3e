/**
 * Reads a list of revoked certificates (RFC 5280 5.1): strict DER, bounded, no cryptography.
 *
 * Only whole lists of one issuer are of use: a critical extension, which delta lists, indirect and partitioned lists have, in the
 * list or in an entry makes it `unknownCriticalExtension`.
 */
import { compareBytes, toHex } from '@culvert/bytes'
import { eachExtension } from '../certificate/extensions.ts'
import { readSignatureAlgorithm, type SignatureAlgorithm } from '../certificate/signature-algorithm.ts'
import { OID, oidText, type Oid } from '../der/object-identifier.ts'
import { DerReader, TAG, constructed, malformed, readDer } from '../der/reader.ts'
import { readTime } from '../der/time.ts'
import { fault, good, type Result } from '../fault.ts'

export interface Crl {
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  /** A whole Name. */
  readonly issuer: Uint8Array
  /** Milliseconds since 1970; the list is fresh from one to the other. */
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  /** Counts up with each list of an issuer; null when it is not there. */
  readonly number: bigint | null
  /** Serial numbers as `Certificate.serial` has them. */
  readonly revoked: ReadonlySet<string>
}

export const MAX_CRL_BYTES = 2_000_000
const MAX_ENTRIES = 60_000
const MAX_NUMBER_BYTES = 20
const VERSION_2 = 1

/** @param der one list; the result holds views of it. @returns faults `tooLarge`, `malformed`, `unknownCriticalExtension`. */
export function readCrl(der: Uint8Array): Result<Crl> {
  if (der.length > MAX_CRL_BYTES) return fault('tooLarge')
  const crl = readDer(der, (reader) => read(reader.inside(TAG.SEQUENCE)))
  if (crl === null) return fault('malformed')
  return crl.unknown === null ? good(crl.crl) : fault('unknownCriticalExtension', null, oidText(crl.unknown))
}

function read(reader: DerReader): { readonly crl: Crl; readonly unknown: Oid | null } {
  const tbs = reader.elementOf(TAG.SEQUENCE)
  const algorithm = reader.content(TAG.SEQUENCE)
  const signature = reader.bitString()
  reader.end()

  const fields = new DerReader(tbs).inside(TAG.SEQUENCE)
  if (fields.tag === TAG.INTEGER && fields.smallInteger() !== VERSION_2) malformed()
  if (compareBytes(fields.content(TAG.SEQUENCE), algorithm) !== 0) malformed()
  const issuer = fields.elementOf(TAG.SEQUENCE)
  const thisUpdateMs = readTime(fields)
  const nextUpdateMs = readTime(fields)
  const entries = readEntries(fields.insideIf(TAG.SEQUENCE))
  const extensions = readListExtensions(fields.insideIf(constructed(0)))
  fields.end()
  const signatureAlgorithm = readSignatureAlgorithm(new DerReader(algorithm))
  const { revoked } = entries
  const { number } = extensions
  return {
    crl: { tbs, signatureAlgorithm, signature, issuer, thisUpdateMs, nextUpdateMs, number, revoked },
    unknown: extensions.unknown ?? entries.unknown,
  }
}

/** serialNumber, revocationDate, extensions; the date does not matter, nor does the reason. */
function readEntries(list: DerReader | null): { readonly revoked: ReadonlySet<string>; readonly unknown: Oid | null } {
  const revoked = new Set<string>()
  let unknown: Oid | null = null
  for (const content of list?.all(TAG.SEQUENCE, MAX_ENTRIES) ?? []) {
    const entry = new DerReader(content)
    revoked.add(toHex(entry.integer()))
    readTime(entry)
    if (!entry.isAtEnd) unknown ??= firstCritical(entry)
    entry.end()
  }
  return { revoked, unknown }
}

function firstCritical(holder: DerReader): Oid | null {
  const list = new DerReader(holder.elementOf(TAG.SEQUENCE))
  return eachExtension(list).find(({ id, isCritical }) => isCritical && id !== OID.reasonCode)?.id ?? null
}

function readListExtensions(holder: DerReader | null): {
  readonly number: bigint | null
  readonly unknown: Oid | null
} {
  let number: bigint | null = null
  let unknown: Oid | null = null
  for (const { id, isCritical, value } of holder === null ? [] : eachExtension(holder)) {
    if (id === OID.crlNumber) {
      const octets = new DerReader(value).integer()
      if (octets.length > MAX_NUMBER_BYTES || (octets[0] ?? 0x80) >= 0x80) malformed()
      number = BigInt(`0x${toHex(octets)}`)
    } else if (isCritical) unknown ??= id
  }
  return { number, unknown }
}
