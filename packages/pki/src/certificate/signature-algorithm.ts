/**
 * AlgorithmIdentifier of a signature on a certificate, list or request (RFC 4055, RFC 5758, RFC 8410).
 *
 * RSASSA-PSS needs its parameters in full: defaults mean SHA-1 (RFC 4055 3.1), so a missing hash or mask function is not taken,
 * and mask and message have one hash. Parameters are NULL with PKCS#1 v1.5 and absent with ECDSA and Ed25519, nothing else.
 */
import type { SignatureHash, SignatureScheme } from '@culvert/crypto'
import { OID, readOid, type Oid } from '../der/object-identifier.ts'
import { TAG, constructed, malformed, type DerReader } from '../der/reader.ts'

export type SignatureAlgorithm =
  | { readonly kind: 'known'; readonly scheme: SignatureScheme }
  | { readonly kind: 'weak' | 'unknown'; readonly oid: Oid }

/** Long salts are of no use, and once overflowed others (N14). */
const MAX_SALT_BYTES = 64

/** @param reader inside the AlgorithmIdentifier, read to its end. @throws Malformed */
export function readSignatureAlgorithm(reader: DerReader): SignatureAlgorithm {
  const id = readOid(reader)
  const fixed = FIXED.get(id)
  if (fixed !== undefined) {
    if (fixed.kind === 'rsaPkcs1' && reader.content(TAG.NULL).length !== 0) malformed()
    reader.end()
    return { kind: 'known', scheme: fixed }
  }
  if (id === OID.rsaPss) return readPss(reader)
  if (!reader.isAtEnd) reader.element()
  reader.end()
  return { kind: WEAK.has(id) ? 'weak' : 'unknown', oid: id }
}

const FIXED: ReadonlyMap<Oid, SignatureScheme> = new Map<Oid, SignatureScheme>([
  [OID.sha256WithRsa, { kind: 'rsaPkcs1', hash: 'sha256' }],
  [OID.sha384WithRsa, { kind: 'rsaPkcs1', hash: 'sha384' }],
  [OID.sha512WithRsa, { kind: 'rsaPkcs1', hash: 'sha512' }],
  [OID.ecdsaWithSha256, { kind: 'ecdsa', hash: 'sha256', form: 'der' }],
  [OID.ecdsaWithSha384, { kind: 'ecdsa', hash: 'sha384', form: 'der' }],
  [OID.ecdsaWithSha512, { kind: 'ecdsa', hash: 'sha512', form: 'der' }],
  [OID.ed25519, { kind: 'ed25519' }],
])

const WEAK: ReadonlySet<Oid> = new Set([OID.sha1WithRsa, OID.ecdsaWithSha1])

const HASHES: ReadonlyMap<Oid, SignatureHash> = new Map([
  [OID.sha256, 'sha256'],
  [OID.sha384, 'sha384'],
  [OID.sha512, 'sha512'],
])

/** RSASSA-PSS-params: [0] hash, [1] mask function, [2] salt length (20), [3] trailer field (1); RFC 4055 3.1. */
function readPss(algorithm: DerReader): SignatureAlgorithm {
  const parameters = algorithm.inside(TAG.SEQUENCE)
  algorithm.end()
  const hash = readHash(parameters.insideIf(constructed(0)))
  const mask = parameters.insideIf(constructed(1))?.inside(TAG.SEQUENCE)
  const isMgf1 = mask !== undefined && readOid(mask) === OID.mgf1
  const maskHash = isMgf1 ? readHash(mask) : null
  const salt = parameters.insideIf(constructed(2))
  const saltBytes = salt?.smallInteger() ?? 20
  const trailer = parameters.insideIf(constructed(3))
  if (trailer !== null && trailer.smallInteger() !== 1) malformed()
  parameters.end()
  if (hash === null || hash !== maskHash) return { kind: 'weak', oid: OID.rsaPss }
  return saltBytes <= MAX_SALT_BYTES ? { kind: 'known', scheme: { kind: 'rsaPss', hash, saltBytes } } : malformed()
}

/** Both forms exist: without parameters and with NULL (RFC 4055 2.1). @returns null for any other hash and for none. */
function readHash(reader: DerReader | null): SignatureHash | null {
  if (reader === null) return null
  const algorithm = reader.inside(TAG.SEQUENCE)
  reader.end()
  const hash = HASHES.get(readOid(algorithm)) ?? null
  if (!algorithm.isAtEnd && algorithm.content(TAG.NULL).length !== 0) malformed()
  algorithm.end()
  return hash
}
