/**
 * The authorities that are trusted, read once and looked up by name.
 *
 * Signatures below them that were found good are remembered for the certificates of authorities: a fleet comes with the same
 * few intermediates thousands of times. Nothing a stranger sends gets in unless a trusted authority signed it, and the number is
 * bounded.
 */
import { createHash } from 'node:crypto'
import { compareBytes, toHex } from '@culvert/bytes'
import { verifyingKey, type VerifyingKey } from '@culvert/crypto'
import { KEY_USAGE } from '../certificate/extensions.ts'
import { readCertificate, type Certificate } from '../certificate/read-certificate.ts'
import { fault, good, type Result } from '../fault.ts'

/** A certificate whose key is usable. */
export interface KeyedCertificate {
  readonly certificate: Certificate
  readonly key: VerifyingKey
}

export interface TrustAnchors {
  readonly all: readonly KeyedCertificate[]
  /** SHA-1 of each authority's SubjectPublicKeyInfo joined, the body of a CERTREQ (RFC 7296 3.7). */
  readonly certReq: Uint8Array
  /** Whether these are the octets of a trusted authority itself. */
  isAnchor(der: Uint8Array): boolean
  /** Authorities of this name, whose key has this identifier when both sides give one. */
  issuersOf(certificate: Certificate): readonly KeyedCertificate[]
  /** What was remembered as signed by this authority; null for anything else. */
  recall(der: Uint8Array, issuer: KeyedCertificate): KeyedCertificate | null
  /** Copies. */
  remember(child: KeyedCertificate, issuer: KeyedCertificate): void
}

const MAX_REMEMBERED = 256

/**
 * @param certificates of the authorities, DER; doubles count once. Order decides between those of one name.
 * @param mostRemembered certificates below them whose signatures are remembered: few where somebody else says who is trusted, who can
 *   make as many as he likes.
 * @returns the first fault, `certificate` counting from 0: `malformed`, `notAnAuthority`, `unusableKey`,
 *   `unknownCriticalExtension`. Validity is looked at with each chain.
 */
export function trustAnchors(
  certificates: readonly Uint8Array[],
  mostRemembered = MAX_REMEMBERED,
): Result<TrustAnchors> {
  const all: KeyedCertificate[] = []
  for (const [at, der] of certificates.entries()) {
    const read = readCertificate(der.slice())
    if (!read.ok) return fault(read.fault.code, at)
    const anchor = anchorOf(read.value, at)
    if (!anchor.ok) return anchor
    if (!all.some((other) => compareBytes(other.certificate.der, der) === 0)) all.push(anchor.value)
  }
  return good(createAnchors(all, mostRemembered))
}

/** SHA-1 of the SubjectPublicKeyInfo of an authority: how CERTREQ names it (RFC 7296 3.7). */
export function authorityHash(spki: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(spki).digest())
}

function anchorOf(certificate: Certificate, at: number): Result<KeyedCertificate> {
  const { extensions } = certificate
  if (!maySignCertificates(certificate)) return fault('notAnAuthority', at)
  if (extensions.unknownCritical.length > 0) return fault('unknownCriticalExtension', at)
  const key = verifyingKey(certificate.spki)
  return key === null ? fault('unusableKey', at) : good({ certificate, key })
}

/** RFC 5280 6.1.4 (k), (n). */
export function maySignCertificates({ extensions }: Certificate): boolean {
  const { isAuthority, keyUsage } = extensions
  return isAuthority === true && (keyUsage === null || (keyUsage & KEY_USAGE.keyCertSign) !== 0)
}

/** False only when both say which key it is, and differ. */
export function mayBeIssuer(issuer: Certificate, child: Certificate): boolean {
  if (compareBytes(issuer.subject, child.issuer) !== 0) return false
  const { subjectKeyIdentifier: own } = issuer.extensions
  const { authorityKeyIdentifier: wanted } = child.extensions
  return own === null || wanted === null || compareBytes(own, wanted) === 0
}

function createAnchors(all: readonly KeyedCertificate[], mostRemembered: number): TrustAnchors {
  const byName = Map.groupBy(all, ({ certificate }) => toHex(certificate.subject))
  const remembered = new Map<string, KeyedCertificate>()
  const octets = new Set(all.map(({ certificate }) => toHex(certificate.der)))
  return {
    all,
    isAnchor: (der) => octets.has(toHex(der)),
    certReq: Uint8Array.from(all.flatMap(({ certificate }) => [...authorityHash(certificate.spki)])),
    issuersOf: (child) =>
      (byName.get(toHex(child.issuer)) ?? []).filter(({ certificate }) => mayBeIssuer(certificate, child)),
    recall: (der, issuer) => remembered.get(linkName(der, issuer)) ?? null,
    remember: (child, issuer) => {
      // The octets lie in a datagram, which is not ours to keep.
      const copy = readCertificate(child.certificate.der.slice())
      if (!copy.ok) return
      const [oldest] = remembered.keys()
      if (remembered.size >= mostRemembered && oldest !== undefined) remembered.delete(oldest)
      remembered.set(linkName(copy.value.der, issuer), { certificate: copy.value, key: child.key })
    },
  }
}

/** Two lengths of public octets joined without doubt: the key is hashed on its own. */
function linkName(der: Uint8Array, issuer: KeyedCertificate): string {
  const issuerHash = createHash('sha256').update(issuer.certificate.spki).digest()
  return createHash('sha256').update(issuerHash).update(der).digest('base64')
}
