/**
 * Distinguished names (RFC 5280 4.1.2.4): a sequence of sets of attributes.
 *
 * Two names are equal when they have the same attributes with the same text in the same order; the type of a string does not
 * count, case and blanks do (narrower than RFC 5280 7.1). Issuer and subject in a chain are compared octet by octet instead,
 * which is how authorities must write them (RFC 5280 4.1.2.4).
 */
import { compareBytes } from '@culvert/bytes'
import { isUtf8 } from 'node:buffer'
import { readOid, type Oid } from '../der/object-identifier.ts'
import { DerReader, TAG, malformed, readDer } from '../der/reader.ts'

export interface NameAttribute {
  readonly type: Oid
  /** Null for what is no text; then the octets decide. */
  readonly text: string | null
  /** The whole value element. */
  readonly der: Uint8Array
}

/** RDNs in order; more than one attribute in an RDN is rare: a set, here in an order of ours, so that two are compared at once. */
export type DistinguishedName = readonly (readonly NameAttribute[])[]

const MAX_RDNS = 32
const MAX_ATTRIBUTES = 8

/** @param der a whole Name. @returns null when it is malformed, also with an RDN without attributes (N13). */
export function readName(der: Uint8Array): DistinguishedName | null {
  return readDer(der, (reader) => readRdns(reader.inside(TAG.SEQUENCE)))
}

/** True for equal names, and for nothing that is malformed. @param a a whole Name, as `b`. */
export function isSameName(a: Uint8Array, b: Uint8Array): boolean {
  const left = readName(a)
  const right = readName(b)
  return left !== null && right !== null && left.length === right.length && beginsWith(left, right)
}

/** @returns whether the first RDNs of `name` are those of `head`. */
export function beginsWith(name: DistinguishedName, head: DistinguishedName): boolean {
  return head.length <= name.length && head.every((rdn, index) => isSameRdn(rdn, name[index] ?? []))
}

/** For people. */
export function nameText(der: Uint8Array): string {
  const name = readName(der) ?? []
  return name.map((rdn) => rdn.map(({ text }) => text ?? '?').join('+')).join(', ')
}

function readRdns(reader: DerReader): DistinguishedName {
  const rdns: NameAttribute[][] = []
  for (const content of reader.all(TAG.SET, MAX_RDNS)) {
    const attributes = Array.from(new DerReader(content).all(TAG.SEQUENCE, MAX_ATTRIBUTES), readAttribute)
    if (attributes.length === 0) malformed()
    rdns.push(attributes.toSorted(compareAttributes))
  }
  return rdns
}

function readAttribute(content: Uint8Array): NameAttribute {
  const reader = new DerReader(content)
  const type = readOid(reader)
  const tag = reader.tag
  const der = reader.element()
  reader.end()
  return { type, text: textOf(tag, new DerReader(der).content(tag)), der }
}

function textOf(tag: number, content: Uint8Array): string | null {
  switch (ENCODINGS.get(tag)) {
    case 'utf-8':
      // A fault that is thrown costs more than all the rest, and who makes a certificate makes as many as he likes.
      return isUtf8(content) ? UTF_8.decode(content) : null
    case 'latin1':
      return LATIN_1.decode(content)
    case 'utf-16be':
      return content.length % 2 === 0 ? String.fromCharCode(...pairs(content)) : null
    case undefined:
      return null
  }
}

const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true })
const LATIN_1 = new TextDecoder('latin1')

const ENCODINGS: ReadonlyMap<number, 'utf-8' | 'utf-16be' | 'latin1'> = new Map([
  [TAG.UTF8_STRING, 'utf-8'],
  [TAG.PRINTABLE_STRING, 'utf-8'],
  [TAG.IA5_STRING, 'utf-8'],
  [TAG.NUMERIC_STRING, 'utf-8'],
  [TAG.TELETEX_STRING, 'latin1'],
  [TAG.BMP_STRING, 'utf-16be'],
])

function pairs(content: Uint8Array): number[] {
  return Array.from({ length: content.length / 2 }, (_, i) => (content[2 * i] ?? 0) * 256 + (content[2 * i + 1] ?? 0))
}

/** Two sets in the one order. */
function isSameRdn(a: readonly NameAttribute[], b: readonly NameAttribute[]): boolean {
  return a.length === b.length && a.every((attribute, index) => compareAttributes(attribute, b[index]!) === 0)
}

/** By type, then what is no text, then the text or the octets. */
function compareAttributes(a: NameAttribute, b: NameAttribute): number {
  if (a.type !== b.type) return a.type < b.type ? -1 : 1
  if (a.text === null || b.text === null) {
    return a.text === b.text ? compareBytes(a.der, b.der) : Number(a.text !== null) - Number(b.text !== null)
  }
  if (a.text === b.text) return 0
  return a.text < b.text ? -1 : 1
}
