/**
 * Extensions of a certificate (RFC 5280 4.2), as far as a decision hangs on them.
 *
 * What is critical and not read here goes into `unknownCritical`. Policies are read over: nobody asks for one, so they decide
 * nothing until policyConstraints demands it, and that one is unknown (RFC 5280 6.1.5). An extension may not come twice.
 */
import { OID, readOid, type Oid } from '../der/object-identifier.ts'
import { DerReader, TAG, constructed, malformed, primitive } from '../der/reader.ts'
import { readGeneralName, readGeneralNames, type GeneralName } from './general-name.ts'

export interface Extensions {
  /** Null: there is no basicConstraints. */
  readonly isAuthority: boolean | null
  /** Most authorities between this one and the end; null for any number. */
  readonly pathLength: number | null
  /** Bits of `KEY_USAGE`; null for any use. */
  readonly keyUsage: number | null
  /** Null for any purpose. */
  readonly extendedKeyUsage: readonly Oid[] | null
  readonly subjectAltNames: readonly GeneralName[]
  readonly nameConstraints: NameConstraints | null
  readonly subjectKeyIdentifier: Uint8Array | null
  readonly authorityKeyIdentifier: Uint8Array | null
  /** Where the issuer says its list of revoked certificates lies; text of strangers until the chain is checked. */
  readonly crlUrls: readonly string[]
  readonly unknownCritical: readonly Oid[]
}

export interface NameConstraints {
  /** Empty: all of a kind are permitted. */
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

/** RFC 5280 4.2.1.3. */
export const KEY_USAGE = { digitalSignature: 1, nonRepudiation: 2, keyCertSign: 1 << 5, crlSign: 1 << 6 } as const

const MAX_EXTENSIONS = 64
const MAX_PURPOSES = 64
const MAX_SUBTREES = 64
const MAX_CRL_URLS = 8

type Draft = { -readonly [Key in keyof Extensions]: Extensions[Key] }

const NONE: Extensions = {
  isAuthority: null,
  pathLength: null,
  keyUsage: null,
  extendedKeyUsage: null,
  subjectAltNames: [],
  nameConstraints: null,
  subjectKeyIdentifier: null,
  authorityKeyIdentifier: null,
  crlUrls: [],
  unknownCritical: [],
}

/** @param reader inside `[3]`, or null when there are none. @throws Malformed */
export function readExtensions(reader: DerReader | null): Extensions {
  if (reader === null) return NONE
  const draft: Draft = { ...NONE }
  const unknownCritical: Oid[] = []
  for (const { id, isCritical, value } of eachExtension(reader)) {
    const read = READERS.get(id)
    if (read === undefined) {
      if (isCritical) unknownCritical.push(id)
      continue
    }
    const inner = new DerReader(value)
    read(inner, draft)
    inner.end()
  }
  draft.unknownCritical = unknownCritical
  return draft
}

export interface Extension {
  readonly id: Oid
  readonly isCritical: boolean
  readonly value: Uint8Array
}

/** The list inside `[0]` or `[3]`, each extension once. @throws Malformed */
export function eachExtension(reader: DerReader): readonly Extension[] {
  const list = reader.inside(TAG.SEQUENCE)
  reader.end()
  const seen = new Set<Oid>()
  return Array.from(list.all(TAG.SEQUENCE, MAX_EXTENSIONS), (content) => {
    const extension = new DerReader(content)
    const id = readOid(extension)
    if (seen.has(id)) malformed()
    seen.add(id)
    const isCritical = extension.tag === TAG.BOOLEAN ? extension.boolean() : false
    const value = extension.content(TAG.OCTET_STRING)
    extension.end()
    return { id, isCritical, value }
  })
}

const READERS: ReadonlyMap<Oid, (reader: DerReader, draft: Draft) => void> = new Map([
  [OID.basicConstraints, readBasicConstraints],
  [OID.keyUsage, (reader, draft) => void (draft.keyUsage = reader.namedBits())],
  [OID.extKeyUsage, (reader, draft) => void (draft.extendedKeyUsage = readPurposes(reader.inside(TAG.SEQUENCE)))],
  [OID.subjectAltName, (reader, draft) => void (draft.subjectAltNames = readNonEmptyNames(reader))],
  [OID.nameConstraints, readNameConstraints],
  [OID.subjectKeyIdentifier, (reader, draft) => void (draft.subjectKeyIdentifier = reader.content(TAG.OCTET_STRING))],
  [OID.authorityKeyIdentifier, readAuthorityKeyIdentifier],
  [OID.crlDistributionPoints, readDistributionPoints],
  [OID.certificatePolicies, (reader) => void reader.inside(TAG.SEQUENCE)],
])

function readBasicConstraints(reader: DerReader, draft: Draft): void {
  const constraints = reader.inside(TAG.SEQUENCE)
  draft.isAuthority = constraints.tag === TAG.BOOLEAN ? constraints.boolean() : false
  if (constraints.tag === TAG.INTEGER) draft.pathLength = constraints.smallInteger()
  constraints.end()
}

function readPurposes(list: DerReader): Oid[] {
  const purposes: Oid[] = []
  while (!list.isAtEnd) {
    if (purposes.length === MAX_PURPOSES) malformed()
    purposes.push(readOid(list))
  }
  return purposes
}

function readNonEmptyNames(reader: DerReader): GeneralName[] {
  const names = readGeneralNames(reader.inside(TAG.SEQUENCE))
  return names.length > 0 ? names : malformed()
}

function readNameConstraints(reader: DerReader, draft: Draft): void {
  const constraints = reader.inside(TAG.SEQUENCE)
  const permitted = readSubtrees(constraints.insideIf(constructed(0)))
  const excluded = readSubtrees(constraints.insideIf(constructed(1)))
  constraints.end()
  draft.nameConstraints = { permitted, excluded }
}

/** A minimum other than 0 and a maximum do not exist in this profile (RFC 5280 4.2.1.10). */
function readSubtrees(list: DerReader | null): GeneralName[] {
  if (list === null) return []
  return Array.from(list.all(TAG.SEQUENCE, MAX_SUBTREES), (content) => {
    const subtree = new DerReader(content)
    const base = readGeneralName(subtree)
    subtree.end()
    return base
  })
}

function readAuthorityKeyIdentifier(reader: DerReader, draft: Draft): void {
  const identifier = reader.inside(TAG.SEQUENCE)
  if (identifier.tag === primitive(0)) draft.authorityKeyIdentifier = identifier.content(primitive(0))
  while (!identifier.isAtEnd) identifier.element()
}

/** Only full names with http are of use (RFC 5280 4.2.1.13). */
function readDistributionPoints(reader: DerReader, draft: Draft): void {
  const urls: string[] = []
  for (const content of reader.inside(TAG.SEQUENCE).all(TAG.SEQUENCE, MAX_CRL_URLS)) {
    const point = new DerReader(content)
    const fullName = point.insideIf(constructed(0))?.insideIf(constructed(0))
    const names = fullName ? readGeneralNames(fullName) : []
    const uris = names.filter(({ kind }) => kind === 'uri').map(({ value }) => String.fromCharCode(...value))
    urls.push(...uris.filter((uri) => uri.startsWith('http://')))
    while (!point.isAtEnd) point.element()
  }
  draft.crlUrls = urls.slice(0, MAX_CRL_URLS)
}
