/**
 * Does a certificate speak for the identity a peer claims (RFC 7296 3.5, RFC 4301 4.4.3, RFC 4945 3.1)?
 *
 * Names and addresses are looked for in subjectAltName alone: a common name is text for people. A distinguished name is the
 * subject, compared by its structure. KEY_ID means nothing to a certificate. There are no wildcards on either side, no
 * Unicode and nothing behind a NUL: host names compare as ASCII, a mailbox keeps the case of what stands before the @.
 */
import { compareBytes } from '@culvert/bytes'
import type { GeneralNameKind } from '../certificate/general-name.ts'
import { isSameName } from '../certificate/name.ts'
import type { Certificate } from '../certificate/read-certificate.ts'
import { fault, good, type Result } from '../fault.ts'
import { hostName, mailbox } from './registry-identity.ts'

/** Body of an ID payload. */
export interface ClaimedIdentity {
  readonly type: number
  readonly data: Uint8Array
}

/** RFC 7296 3.5. */
const ID_TYPE = { IPV4_ADDR: 1, FQDN: 2, RFC822_ADDR: 3, IPV6_ADDR: 5, DER_ASN1_DN: 9 } as const

/** @returns faults `identityNotInCertificate` and, for types no certificate can prove, `identityNotByCertificate`. */
export function bindIdentity(certificate: Certificate, identity: ClaimedIdentity): Result<null> {
  const isBound = isNamed(certificate, identity)
  if (isBound === null) return fault('identityNotByCertificate', 0)
  return isBound ? good(null) : fault('identityNotInCertificate', 0)
}

function isNamed(certificate: Certificate, { type, data }: ClaimedIdentity): boolean | null {
  switch (type) {
    case ID_TYPE.FQDN:
      return hasText(certificate, 'dns', data, hostName)
    case ID_TYPE.RFC822_ADDR:
      return hasText(certificate, 'rfc822', data, mailbox)
    case ID_TYPE.IPV4_ADDR:
      return data.length === 4 && hasOctets(certificate, data)
    case ID_TYPE.IPV6_ADDR:
      return data.length === 16 && hasOctets(certificate, data)
    case ID_TYPE.DER_ASN1_DN:
      return isSameName(data, certificate.subject) && !isEmptyName(data)
    default:
      return null
  }
}

/** @param canonical gives null for what is no name of this kind; such a claim and such an entry match nothing. */
function hasText(
  { extensions }: Certificate,
  kind: GeneralNameKind,
  claimed: Uint8Array,
  canonical: (octets: Uint8Array) => string | null,
): boolean {
  const wanted = canonical(claimed)
  if (wanted === null) return false
  return extensions.subjectAltNames.some((name) => name.kind === kind && canonical(name.value) === wanted)
}

function hasOctets({ extensions }: Certificate, address: Uint8Array): boolean {
  return extensions.subjectAltNames.some(({ kind, value }) => kind === 'ip' && compareBytes(value, address) === 0)
}

/** An empty subject names nobody, though it equals every other one. */
function isEmptyName(name: Uint8Array): boolean {
  return name.length <= 2
}
