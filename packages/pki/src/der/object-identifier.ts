/**
 * Object identifiers, kept as the hexadecimal of their DER content: comparing needs no decoding.
 */
import { toHex } from '@culvert/bytes'
import { malformed } from './reader.ts'
import { TAG, type DerReader } from './reader.ts'

const MAX_OID_BYTES = 32

export type Oid = string & { readonly __brand: 'Oid' }

/** @throws Malformed */
export function readOid(reader: DerReader): Oid {
  const octets = reader.content(TAG.OID)
  if (octets.length === 0 || octets.length > MAX_OID_BYTES || (octets.at(-1) ?? 0x80) >= 0x80) malformed()
  return toHex(octets) as Oid
}

/** `1.2.840...` as an identifier. */
export function oid(text: string): Oid {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return toHex(Uint8Array.from(octets)) as Oid
}

/** For people; an arc above 2^53 is not exact. */
export function oidText(value: Oid): string {
  const arcs: number[] = []
  let arc = 0
  for (const pair of value.match(/../g) ?? []) {
    const octet = Number.parseInt(pair, 16)
    arc = arc * 128 + (octet & 0x7f)
    if (octet >= 0x80) continue
    if (arcs.length > 0) arcs.push(arc)
    else arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)))
    arc = 0
  }
  return arcs.join('.')
}

export const OID = {
  basicConstraints: oid('2.5.29.19'),
  keyUsage: oid('2.5.29.15'),
  extKeyUsage: oid('2.5.29.37'),
  subjectAltName: oid('2.5.29.17'),
  nameConstraints: oid('2.5.29.30'),
  subjectKeyIdentifier: oid('2.5.29.14'),
  authorityKeyIdentifier: oid('2.5.29.35'),
  certificatePolicies: oid('2.5.29.32'),
  crlDistributionPoints: oid('2.5.29.31'),
  crlNumber: oid('2.5.29.20'),
  reasonCode: oid('2.5.29.21'),

  anyExtendedKeyUsage: oid('2.5.29.37.0'),
  serverAuth: oid('1.3.6.1.5.5.7.3.1'),
  clientAuth: oid('1.3.6.1.5.5.7.3.2'),
  ipsecIke: oid('1.3.6.1.5.5.7.3.17'),
  ikeIntermediate: oid('1.3.6.1.5.5.8.2.2'),

  emailAddress: oid('1.2.840.113549.1.9.1'),

  sha1WithRsa: oid('1.2.840.113549.1.1.5'),
  sha256WithRsa: oid('1.2.840.113549.1.1.11'),
  sha384WithRsa: oid('1.2.840.113549.1.1.12'),
  sha512WithRsa: oid('1.2.840.113549.1.1.13'),
  rsaPss: oid('1.2.840.113549.1.1.10'),
  mgf1: oid('1.2.840.113549.1.1.8'),
  ecdsaWithSha1: oid('1.2.840.10045.4.1'),
  ecdsaWithSha256: oid('1.2.840.10045.4.3.2'),
  ecdsaWithSha384: oid('1.2.840.10045.4.3.3'),
  ecdsaWithSha512: oid('1.2.840.10045.4.3.4'),
  ed25519: oid('1.3.101.112'),
  sha1: oid('1.3.14.3.2.26'),
  sha256: oid('2.16.840.1.101.3.4.2.1'),
  sha384: oid('2.16.840.1.101.3.4.2.2'),
  sha512: oid('2.16.840.1.101.3.4.2.3'),
} as const
