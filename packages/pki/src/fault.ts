/**
 * Why a certificate, chain, request or list is not taken: a closed set, for people. A peer never hears which one it was (C32).
 */
export type FaultCode = keyof typeof FAULTS

export interface Fault {
  readonly code: FaultCode
  /** Which certificate, counted as the peer sent them, its own is 0; null when it is none of them. */
  readonly certificate: number | null
  /** Bounded, without control characters; an object identifier, a name. Null when the code says it all. */
  readonly detail: string | null
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault }

/** Each code in one sentence. */
export const FAULTS = {
  noCertificate: 'The peer sent no certificate.',
  tooManyCertificates: 'The peer sent more certificates than are looked at.',
  tooLarge: 'The object is larger than is looked at.',
  malformed: 'The object is not the DER that it should be.',
  unknownAlgorithm: 'The signature algorithm is not known.',
  weakAlgorithm: 'The signature is made with SHA-1 or another hash that is no longer good enough.',
  unusableKey: 'The public key is of an unknown kind, too weak, too large or not well formed.',
  badSignature: 'The signature of the issuer does not match.',
  unknownIssuer: 'No chain of issuers leads to a trusted authority.',
  notYetValid: 'The certificate is not valid yet.',
  expired: 'The certificate is not valid any more.',
  notAnAuthority: 'The issuer is not an authority, or may not sign certificates.',
  pathTooLong: 'There are more authorities between than an authority above allows.',
  wrongKeyUsage: 'The key may not be used for signatures.',
  wrongPurpose: 'The certificate is for another purpose.',
  nameNotAllowed: 'A name in the certificate is outside of what an authority above may certify.',
  unknownCriticalExtension: 'The certificate has a critical extension that is not understood.',
  revoked: 'The certificate is revoked.',
  revocationUnknown: 'There is no fresh list of revoked certificates, and one is required.',
  identityNotInCertificate: 'The certificate does not name the identity that the peer claims.',
  identityNotByCertificate: 'An identity of this type is never proven by a certificate.',
  notOneIdentity: 'The identity is no host name and no mailbox, so no certificate can name it.',
  outlivesAuthority: 'The certificate would be valid longer than its authority.',
  wrongLifetime: 'The lifetime is too short or too long.',
  olderThanKnown: 'A newer list of revoked certificates is known.',
  notFresh: 'The list of revoked certificates is not valid at this time.',
  keyOfAuthority: 'The request asks for a certificate on the key of the authority itself.',
  notAllowed: 'The address of the list is not one that may be fetched.',
  fetchFailed: 'The list of revoked certificates could not be fetched.',
  keyMismatch: 'The private key does not belong to the certificate.',
} as const

const MAX_DETAIL_CHARS = 200

export function good<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

export function fault(
  code: FaultCode,
  certificate: number | null = null,
  detail: string | null = null,
): { readonly ok: false; readonly fault: Fault } {
  const text = detail?.slice(0, MAX_DETAIL_CHARS).replaceAll(/[^\x20-\x7e]/g, '?') ?? null
  return { ok: false, fault: { code, certificate, detail: text } }
}
