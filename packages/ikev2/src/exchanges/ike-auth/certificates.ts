/**
 * CERT payloads of a peer: bounded, unchecked, in the order they came (RFC 7296 3.6).
 *
 * Only X.509 certificates are looked at. "Hash and URL" is never followed and HTTP_CERT_LOOKUP_SUPPORTED never sent: nothing a peer
 * sends makes us call anybody (C31).
 */
import type { PeerCertificate } from '../../endpoint/contract.ts'
import type { Payload } from '../../message/model.ts'
import { CERT_ENCODING } from '../../message/numbers.ts'

/** Chains of four must work (C30), one more is room for a root that is sent along. */
const MAX_CERTIFICATES = 5
const MAX_CERTIFICATE_BYTES = 8_192
/** Clients name every authority of their store; those of ours are few. */
const MAX_AUTHORITIES = 64
const AUTHORITY_BYTES = 20

/** @returns what came before the first one that is too large, at most five; they alias the payloads. */
export function peerCertificates(payloads: readonly Payload[]): readonly PeerCertificate[] {
  const certificates: PeerCertificate[] = []
  for (const payload of payloads) {
    if (payload.kind !== 'cert' || payload.encoding !== CERT_ENCODING.X509_SIGNATURE) continue
    if (payload.data.length > MAX_CERTIFICATE_BYTES || certificates.length === MAX_CERTIFICATES) break
    certificates.push({ encoding: payload.encoding, data: payload.data })
  }
  return certificates
}

/** @returns what CERTREQ payloads name (RFC 7296 3.7), SHA-1 of the public keys of authorities, the first 64; they alias the payloads. */
export function namedAuthorities(payloads: readonly Payload[]): readonly Uint8Array[] {
  const authorities: Uint8Array[] = []
  for (const payload of payloads) {
    if (payload.kind !== 'certReq' || payload.encoding !== CERT_ENCODING.X509_SIGNATURE) continue
    for (let at = 0; at + AUTHORITY_BYTES <= payload.data.length; at += AUTHORITY_BYTES) {
      if (authorities.length === MAX_AUTHORITIES) return authorities
      authorities.push(payload.data.subarray(at, at + AUTHORITY_BYTES))
    }
  }
  return authorities
}
