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
