/**
 * GeneralName (RFC 5280 4.2.1.6): the names in subjectAltName and nameConstraints. Values are views of the certificate.
 */
import { DerReader, TAG, constructed, malformed, primitive } from '../der/reader.ts'

export interface GeneralName {
  readonly kind: GeneralNameKind
  /** Octets of a host name, mailbox or URI; address (with a mask behind it in constraints); a whole Name; else the content. */
  readonly value: Uint8Array
}

export type GeneralNameKind = 'rfc822' | 'dns' | 'directory' | 'uri' | 'ip' | 'other'

/** Far more than any device or gateway has. */
const MAX_NAMES = 64

const KINDS: ReadonlyMap<number, GeneralNameKind> = new Map([
  [constructed(0), 'other'],
  [primitive(1), 'rfc822'],
  [primitive(2), 'dns'],
  [constructed(3), 'other'],
  [constructed(4), 'directory'],
  [constructed(5), 'other'],
  [primitive(6), 'uri'],
  [primitive(7), 'ip'],
  [primitive(8), 'other'],
])

/** @param reader at the first of many names, read to the end. @throws Malformed */
export function readGeneralNames(reader: DerReader): GeneralName[] {
  const names: GeneralName[] = []
  while (!reader.isAtEnd) {
    if (names.length === MAX_NAMES) malformed()
    names.push(readGeneralName(reader))
  }
  return names
}

/** @throws Malformed */
export function readGeneralName(reader: DerReader): GeneralName {
  const tag = reader.tag
  const kind = KINDS.get(tag) ?? malformed()
  const content = reader.content(tag)
  if (kind !== 'directory') return { kind, value: content }
  // A choice inside a choice is tagged explicitly (X.680 31.2.7).
  const inner = new DerReader(content)
  const name = inner.elementOf(TAG.SEQUENCE)
  inner.end()
  return { kind, value: name }
}
