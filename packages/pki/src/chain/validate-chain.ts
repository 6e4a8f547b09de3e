/**
 * Does this chain of a peer lead to an authority we trust (RFC 5280 6.1, RFC 7296 3.6)?
 *
 *     certificates[0] <- certificates[i] <- ... <- trust anchor
 *       the peer's own    in any order, at most three
 *
 * A path is found by names alone and then checked from the anchor down, so every signature is checked with a key that was
 * vouched for before: who has no certificate of a trusted authority makes us do one verification, with a key of our choosing.
 * Synchronous and without side effects other than the memory of good intermediates in `TrustAnchors`.
 */
import { compareBytes } from '@culvert/bytes'
import { verifyingKey, type DecoyKeys, type VerifyingKey } from '@culvert/crypto'
import { signatureFault } from '../certificate/check-signature.ts'
import type { NameConstraints } from '../certificate/extensions.ts'
import { nameText } from '../certificate/name.ts'
import { readCertificate, type Certificate } from '../certificate/read-certificate.ts'
import type { CrlSet } from '../crl/crl-set.ts'
import { oidText } from '../der/object-identifier.ts'
import { fault, good, type Fault, type Result } from '../fault.ts'
import { isAllowed } from './name-constraints.ts'
import { pretendSignature } from './pretend-signature.ts'
import { maySign, servesPurpose, type Purpose } from './purpose.ts'
import { maySignCertificates, mayBeIssuer, type KeyedCertificate, type TrustAnchors } from './trust-anchors.ts'

export interface ChainPolicy {
  readonly anchors: TrustAnchors
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly purpose: Purpose
  /** Left out: nothing is known to be revoked. */
  readonly crls?: CrlSet
  /** `required`: every certificate needs a fresh list of its issuer. Left out: `known`, which refuses what a list names. */
  readonly revocation?: 'known' | 'required'
  /**
   * For anchors of which a peer must not learn that they are asked: then a chain that leads nowhere costs one signature all the same, and
   * one with a bad signature no more than that, as `pretendChain` does. Left out: what leads nowhere costs none.
   */
  readonly decoys?: DecoyKeys
}

export interface ValidChain {
  /** The peer's own. */
  readonly certificate: Certificate
  readonly key: VerifyingKey
  /** From the peer's own to the one below the anchor. */
  readonly path: readonly Certificate[]
  readonly anchor: Certificate
}

/** C30. */
export const MAX_CHAIN_CERTIFICATES = 4
/** Many peers send the authority itself too, which says nothing. */
export const MAX_ROOTS = 1
/** Authorities of the same name and key identifier are rare; more paths than these are not tried. */
const MAX_PATHS = 4

/**
 * @param certificates DER, the peer's own first; kept by reference in the result.
 * @returns the chain, or one fault: that of the path which came furthest.
 */
export function validateChain(certificates: readonly Uint8Array[], policy: ChainPolicy): Result<ValidChain> {
  if (certificates.length === 0) return fault('noCertificate')
  if (certificates.length > MAX_CHAIN_CERTIFICATES + MAX_ROOTS) return fault('tooManyCertificates')
  const sent: Sent[] = []
  for (const [at, der] of certificates.entries()) {
    if (at > 0 && policy.anchors.isAnchor(der)) continue
    if (sent.length === MAX_CHAIN_CERTIFICATES) return nowhere(sent, policy, fault('tooManyCertificates'))
    const read = readCertificate(der)
    if (!read.ok) return fault(read.fault.code, at)
    sent.push({ at, certificate: read.value })
  }
  let failure: Fault | null = null
  for (const path of pathsOf(sent, policy.anchors)) {
    const checked = checkPath(path, policy)
    if (checked.ok) return checked
    if (failure === null || failure.code === 'badSignature') failure = checked.fault
    if (policy.decoys && failure.code === 'badSignature') break
  }
  const [first] = sent
  return failure === null
    ? nowhere(sent, policy, fault('unknownIssuer', 0, first === undefined ? null : nameText(first.certificate.issuer)))
    : { ok: false, fault: failure }
}

/** No signature was checked for it. */
function nowhere<Why>([own]: readonly Sent[], { decoys }: ChainPolicy, why: Why): Why {
  if (own && decoys) pretendSignature(own.certificate, decoys)
  return why
}

interface Sent {
  readonly at: number
  readonly certificate: Certificate
}

interface Path {
  readonly anchor: KeyedCertificate
  /** Below the anchor first, the peer's own last. */
  readonly below: readonly Sent[]
}

/** By names only, shortest first. Each certificate stands in a path once, so there are at most 3! of them for an anchor. */
function pathsOf(sent: readonly Sent[], anchors: TrustAnchors): readonly Path[] {
  const found: Path[] = []
  const [own] = sent
  let open: (readonly Sent[])[] = own === undefined ? [] : [[own]]
  for (let length = 1; open.length > 0 && length <= MAX_CHAIN_CERTIFICATES; length++) {
    const longer: (readonly Sent[])[] = []
    for (const below of open) {
      const [top] = below
      if (top === undefined) continue
      for (const anchor of anchors.issuersOf(top.certificate)) found.push({ anchor, below })
      const others = sent.filter((each) => !below.includes(each) && mayBeIssuer(each.certificate, top.certificate))
      for (const issuer of others) longer.push([issuer, ...below])
    }
    open = longer
  }
  return found.slice(0, MAX_PATHS)
}

/** State of RFC 5280 6.1.2 as it goes down. */
interface Progress {
  readonly issuer: KeyedCertificate
  readonly constraints: readonly NameConstraints[]
  /** Authorities that may still come. */
  readonly pathLength: number
}

function checkPath({ anchor, below }: Path, policy: ChainPolicy): Result<ValidChain> {
  const bad = anchorFault(anchor.certificate, policy)
  if (bad !== null) return bad
  let progress = descend({ issuer: anchor, constraints: [], pathLength: Number.POSITIVE_INFINITY }, anchor)
  for (const [index, sent] of below.entries()) {
    const isOwn = index === below.length - 1
    const child = checkCertificate(sent, isOwn, progress, policy)
    if (!child.ok) return child
    progress = descend(progress, child.value)
  }
  const path = below.map(({ certificate }) => certificate).toReversed()
  const { certificate, key } = progress.issuer
  return good({ certificate, key, path, anchor: anchor.certificate })
}

function anchorFault(anchor: Certificate, policy: ChainPolicy): ReturnType<typeof fault> | null {
  return (
    validityFault(anchor, null, policy.atMs) ?? (servesPurpose(anchor, policy.purpose) ? null : fault('wrongPurpose'))
  )
}

function checkCertificate(
  { at, certificate }: Sent,
  isOwn: boolean,
  progress: Progress,
  policy: ChainPolicy,
): Result<KeyedCertificate> {
  const { signatureAlgorithm, signature } = certificate
  if (isOwn && signatureAlgorithm.kind === 'known') policy.decoys?.need(signatureAlgorithm.scheme, signature.length)
  const keyed = signedBy(certificate, progress.issuer, { at, isOwn, anchors: policy.anchors })
  if (!keyed.ok) return keyed
  const [unknown] = certificate.extensions.unknownCritical
  if (unknown !== undefined) return fault('unknownCriticalExtension', at, oidText(unknown))
  const bad = validityFault(certificate, at, policy.atMs)
  if (bad !== null) return bad
  // A new certificate of the same authority is not bound by the trees it is to hand down (RFC 5280 6.1.3 b, c).
  const isBound = isOwn || !isSelfIssued(certificate)
  if (isBound && !isAllowed(certificate, progress.constraints)) return fault('nameNotAllowed', at)
  if (!servesPurpose(certificate, policy.purpose)) return fault('wrongPurpose', at)
  if (isOwn && !maySign(certificate)) return fault('wrongKeyUsage', at)
  if (!isOwn && !maySignCertificates(certificate)) return fault('notAnAuthority', at)
  if (!isOwn && !isSelfIssued(certificate) && progress.pathLength === 0) return fault('pathTooLong', at)
  return revocationFault({ at, certificate }, progress.issuer.certificate, policy) ?? keyed
}

interface SignatureContext {
  readonly at: number
  readonly isOwn: boolean
  readonly anchors: TrustAnchors
}

function signedBy(
  certificate: Certificate,
  issuer: KeyedCertificate,
  { at, isOwn, anchors }: SignatureContext,
): Result<KeyedCertificate> {
  const known = isOwn ? null : anchors.recall(certificate.der, issuer)
  if (known !== null) return good(known)
  const bad = signatureFault(certificate, issuer.key, at)
  if (bad !== null) return bad
  const key = verifyingKey(certificate.spki)
  if (key === null) return fault('unusableKey', at)
  const keyed = { certificate, key }
  if (!isOwn) anchors.remember(keyed, issuer)
  return good(keyed)
}

/** RFC 5280 6.1.4 (g), (l), (m): what an authority allows holds for all below. */
function descend(progress: Progress, issuer: KeyedCertificate): Progress {
  const { nameConstraints, pathLength } = issuer.certificate.extensions
  const isAnchor = progress.issuer === issuer
  const used = isAnchor || isSelfIssued(issuer.certificate) ? 0 : 1
  return {
    issuer,
    constraints: nameConstraints === null ? progress.constraints : [...progress.constraints, nameConstraints],
    pathLength: Math.min(progress.pathLength - used, pathLength ?? Number.POSITIVE_INFINITY),
  }
}

function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return compareBytes(issuer, subject) === 0
}

function validityFault(certificate: Certificate, at: number | null, atMs: number): ReturnType<typeof fault> | null {
  if (atMs < certificate.notBeforeMs) return fault('notYetValid', at)
  return atMs > certificate.notAfterMs ? fault('expired', at) : null
}

function revocationFault(
  { at, certificate }: Sent,
  issuer: Certificate,
  { crls, revocation = 'known', atMs }: ChainPolicy,
): ReturnType<typeof fault> | null {
  const crl = crls?.of(issuer) ?? null
  if (crl?.revoked.has(certificate.serial)) return fault('revoked', at)
  const isFresh = crl !== null && crl.thisUpdateMs <= atMs && atMs <= crl.nextUpdateMs
  return revocation === 'required' && !isFresh ? fault('revocationUnknown', at) : null
}
