/**
 * AUTH data of method 14 (RFC 7427 3), written and read.
 *
 * ```
 *   length(1) | AlgorithmIdentifier in DER | signature value
 * ```
 *
 * Nothing here parses ASN.1: an AlgorithmIdentifier is one of the octet strings below or it is refused. So default or empty
 * parameters of RSASSA-PSS, other mask generation functions, odd salts, SHA-1 and DSA have no way in (RFC 8247 3.2.1). Of PSS the
 * salt is as long as the hash; the NULL behind a hash and the default trailer field may be written or left out (RFC 4055 2.1, 3.1); we leave the trailer out, as
 * DER has it and as libreswan compares octets.
 */
import type { SignatureHash, SignatureScheme } from '@culvert/crypto'
import { compareBytes, concatBytes, readU8 } from '../message/octets.ts'

/** Lengths of the digests, in octets: the salt of PSS is as long. */
export const HASH_BYTES: Readonly<Record<SignatureHash, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

const SEQUENCE = 0x30
const OID = 0x06
const INTEGER = 0x02
const NULL = Uint8Array.of(0x05, 0x00)
const NOTHING = new Uint8Array(0)

/** 1.2.840.113549.1.1 (PKCS #1), 1.2.840.10045.4.3 (ECDSA with SHA-2), 2.16.840.1.101.3.4.2 (SHA-2), 1.3.101.112 (Ed25519). */
const PKCS1 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01]
const ECDSA_SHA2 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03]
const SHA2 = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02]
const ED25519 = [0x2b, 0x65, 0x70]
const PKCS1_MGF1 = 8
const PKCS1_PSS = 10

/** Last arc of each object identifier. */
const ARCS = {
  sha256: { pkcs1: 11, ecdsa: 2, hash: 1 },
  sha384: { pkcs1: 12, ecdsa: 3, hash: 2 },
  sha512: { pkcs1: 13, ecdsa: 4, hash: 3 },
} as const

type Sha2 = keyof typeof ARCS

interface Known {
  readonly der: Uint8Array
  readonly scheme: SignatureScheme
}

/** The first encoding of a scheme is the one we write. */
const KNOWN: readonly Known[] = [
  ...(['sha256', 'sha384', 'sha512'] as const).flatMap((hash) => encodingsWith(hash)),
  { der: tlv(SEQUENCE, oid(ED25519)), scheme: { kind: 'ed25519' } },
]

/** A signature of method 14 and how it says it was made. */
export interface ReadSignature {
  readonly scheme: SignatureScheme
  readonly value: Uint8Array
}

/** @returns null for an algorithm that is not known, and for data without one; `value` aliases `data`. */
export function readSignature(data: Uint8Array): ReadSignature | null {
  const end = 1 + readU8(data, 0)
  if (end > data.length) return null
  const der = data.subarray(1, end)
  const known = KNOWN.find((candidate) => compareBytes(candidate.der, der) === 0)
  return known === undefined ? null : { scheme: known.scheme, value: data.subarray(end) }
}

/** @returns the AUTH data; null for a scheme that method 14 has no place for here (SHA-1, raw ECDSA, other salts). */
export function writeSignature(scheme: SignatureScheme, value: Uint8Array): Uint8Array | null {
  const der = KNOWN.find((candidate) => isSameScheme(candidate.scheme, scheme))?.der
  return der === undefined ? null : concatBytes(Uint8Array.of(der.length), der, value)
}

function isSameScheme(a: SignatureScheme, b: SignatureScheme): boolean {
  if (a.kind === 'ed25519' || b.kind === 'ed25519') return a.kind === b.kind
  if (a.kind === 'rsaPss') return b.kind === 'rsaPss' && a.hash === b.hash && a.saltBytes === b.saltBytes
  if (a.kind === 'ecdsa') return b.kind === 'ecdsa' && a.hash === b.hash && a.form === b.form
  return b.kind === 'rsaPkcs1' && a.hash === b.hash
}

function encodingsWith(hash: Sha2): readonly Known[] {
  const arcs = ARCS[hash]
  const saltBytes = HASH_BYTES[hash]
  const pss = [false, true].flatMap((hasTrailer) =>
    [NULL, NOTHING].map((parameters) => pssIdentifier(arcs.hash, { saltBytes, parameters, hasTrailer })),
  )
  return [
    { der: tlv(SEQUENCE, oid([...PKCS1, arcs.pkcs1]), NULL), scheme: { kind: 'rsaPkcs1', hash } },
    { der: tlv(SEQUENCE, oid([...ECDSA_SHA2, arcs.ecdsa])), scheme: { kind: 'ecdsa', hash, form: 'der' } },
    ...pss.map((der): Known => ({ der, scheme: { kind: 'rsaPss', hash, saltBytes } })),
  ]
}

interface PssForm {
  readonly saltBytes: number
  readonly parameters: Uint8Array
  readonly hasTrailer: boolean
}

/** RFC 4055 3.1: hash [0], mask generation [1], salt length [2], trailer field [3]. */
function pssIdentifier(hashArc: number, { saltBytes, parameters, hasTrailer }: PssForm): Uint8Array {
  const hash = tlv(SEQUENCE, oid([...SHA2, hashArc]), parameters)
  const mgf1 = tlv(SEQUENCE, oid([...PKCS1, PKCS1_MGF1]), hash)
  const salt = tlv(INTEGER, Uint8Array.of(saltBytes))
  const trailer = hasTrailer ? tlv(0xa3, tlv(INTEGER, Uint8Array.of(1))) : NOTHING
  const fields = tlv(SEQUENCE, tlv(0xa0, hash), tlv(0xa1, mgf1), tlv(0xa2, salt), trailer)
  return tlv(SEQUENCE, oid([...PKCS1, PKCS1_PSS]), fields)
}

function oid(octets: readonly number[]): Uint8Array {
  return tlv(OID, Uint8Array.from(octets))
}

/** All contents here are shorter than 128 octets. */
function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...contents)
  return concatBytes(Uint8Array.of(tag, body.length), body)
}
