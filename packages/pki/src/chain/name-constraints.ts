/**
 * Name constraints (RFC 5280 4.2.1.10, 6.1.3 b, c): an authority certifies names inside its trees only.
 *
 * They bind every certificate below, also the names in the subject: the whole of it as a directory name, and its emailAddress
 * when there is no mailbox in subjectAltName. A tree of a kind that is not understood binds by refusing every name of that kind.
 *
 * Whoever is trusted by one organization alone chooses names and trees, hundreds of each: every one is read once, and comparing two of
 * them reads nothing.
 */
import { compareBytes } from '@culvert/bytes'
import type { NameConstraints } from '../certificate/extensions.ts'
import type { GeneralName } from '../certificate/general-name.ts'
import { beginsWith, readName, type DistinguishedName } from '../certificate/name.ts'
import type { Certificate } from '../certificate/read-certificate.ts'
import { OID } from '../der/object-identifier.ts'
import { DerReader, TAG } from '../der/reader.ts'

/** @returns whether every name of the certificate is allowed by all of these constraints. */
export function isAllowed(certificate: Certificate, constraints: readonly NameConstraints[]): boolean {
  if (constraints.length === 0) return true
  const names = namesOf(certificate)
  return names !== null && names.every((name) => constraints.every((each) => isNameAllowed(name, each)))
}

function isNameAllowed(name: GeneralName, { permitted, excluded }: NameConstraints): boolean {
  if (excluded.some((tree) => tree.kind === name.kind && isInside(name, tree) !== false)) return false
  const trees = permitted.filter((tree) => tree.kind === name.kind)
  return trees.length === 0 || trees.some((tree) => isInside(name, tree) === true)
}

/** @returns null when the subject is malformed. */
function namesOf({ subject, extensions }: Certificate): readonly GeneralName[] | null {
  const rdns = readName(subject)
  if (rdns === null) return null
  const names = [...extensions.subjectAltNames]
  if (rdns.length === 0) return names
  if (!names.some(({ kind }) => kind === 'rfc822')) {
    const mailboxes = rdns.flat().filter(({ type }) => type === OID.emailAddress)
    for (const { der } of mailboxes)
      names.push({ kind: 'rfc822', value: new DerReader(der).content(der[0] ?? TAG.NULL) })
  }
  return [...names, { kind: 'directory', value: subject }]
}

/** What a name or a tree says; null for what it is not, and for what cannot be known. */
interface Reading {
  /** In lower case. */
  readonly text: string | null
  readonly mailbox: Mailbox | null
  readonly rdns: DistinguishedName | null
}

interface Mailbox {
  readonly local: string
  readonly host: string
}

const UNREAD: Reading = { text: null, mailbox: null, rdns: null }
const readings = new WeakMap<GeneralName, Reading>()

function readingOf(name: GeneralName): Reading {
  const known = readings.get(name)
  if (known !== undefined) return known
  const made = readingFrom(name)
  readings.set(name, made)
  return made
}

function readingFrom({ kind, value }: GeneralName): Reading {
  if (kind === 'directory') return { ...UNREAD, rdns: readName(value) }
  if (kind !== 'dns' && kind !== 'rfc822') return UNREAD
  const text = visibleText(value)
  if (text === null) return UNREAD
  return { ...UNREAD, text: text.toLowerCase(), mailbox: kind === 'dns' ? null : mailboxIn(text) }
}

/** @returns null when it cannot be known; such a name is neither permitted nor free of an exclusion. */
function isInside(name: GeneralName, tree: GeneralName): boolean | null {
  switch (name.kind) {
    case 'dns':
      return isInsideDomain(readingOf(name).text, readingOf(tree).text)
    case 'rfc822':
      return isInsideMail(readingOf(name), readingOf(tree))
    case 'ip':
      return isInsideNetwork(name.value, tree.value)
    case 'directory':
      return isInsideDirectory(name, tree)
    case 'uri':
    case 'other':
      return null
  }
}

/** A domain holds itself and everything below; with a leading dot only what is below. */
function isInsideDomain(name: string | null, tree: string | null): boolean | null {
  if (name === null || tree === null) return null
  if (tree === '') return true
  if (tree.startsWith('.')) return name.endsWith(tree) && name.length > tree.length
  return name === tree || name.endsWith(`.${tree}`)
}

/** A mailbox, all mailboxes of a host, or with a leading dot those of all hosts below. */
function isInsideMail({ mailbox }: Reading, { text: domain, mailbox: wanted }: Reading): boolean | null {
  if (mailbox === null || domain === null) return null
  if (wanted !== null) return mailbox.local === wanted.local && mailbox.host === wanted.host
  if (domain === '') return true
  return domain.startsWith('.') ? mailbox.host.endsWith(domain) : mailbox.host === domain
}

function mailboxIn(text: string): Mailbox | null {
  const at = text.indexOf('@')
  if (at <= 0 || at !== text.lastIndexOf('@') || at === text.length - 1) return null
  return { local: text.slice(0, at), host: text.slice(at + 1).toLowerCase() }
}

/** An address, and address with mask behind it. */
function isInsideNetwork(address: Uint8Array, tree: Uint8Array): boolean | null {
  const { length } = address
  if ((length !== 4 && length !== 16) || (tree.length !== 8 && tree.length !== 32)) return null
  if (tree.length !== 2 * length) return false
  return address.every((octet, i) => ((octet ^ (tree[i] ?? 0)) & (tree[length + i] ?? 0)) === 0)
}

function isInsideDirectory(name: GeneralName, tree: GeneralName): boolean | null {
  if (compareBytes(name.value, tree.value) === 0) return true
  const [{ rdns }, { rdns: head }] = [readingOf(name), readingOf(tree)]
  return rdns === null || head === null ? null : beginsWith(rdns, head)
}

/** @returns null unless all octets are visible ASCII: a NUL ends a name for others. */
function visibleText(value: Uint8Array): string | null {
  return value.every((octet) => octet > 0x20 && octet < 0x7f) ? String.fromCharCode(...value) : null
}
