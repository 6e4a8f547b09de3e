/**
 * The TLS that EAP-TLS is run with: 1.2 and 1.3, forward secrecy and AEADs only, no SHA-1, nothing resumed or renegotiated.
 *
 * The ends accept whatever certificate they are shown; the caller's `verifyChain` decides (RFC 5216 5.3, RFC 9190 2.2).
 */
import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'

export interface TlsCertificate {
  /** PEM: our certificate, then those between it and the peer's trust anchor. */
  readonly chain: string
  /** PEM, PKCS#8. */
  readonly key: string
}

export interface TlsContextOptions {
  readonly certificate: TlsCertificate | null
  /** PEM. Their names tell the peer which of its certificates to show; nothing is trusted because of them. */
  readonly authorities: readonly string[]
  readonly versions: { readonly least: TlsVersion; readonly most: TlsVersion }
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

export const ALL_TLS_VERSIONS: TlsContextOptions['versions'] = { least: 'TLSv1.2', most: 'TLSv1.3' }

const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

const SIGNATURES = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed25519',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
].join(':')

/** @throws the library's error when certificate and key are unreadable or do not belong together */
export function createTlsContext(options: TlsContextOptions): SecureContext {
  const { certificate, authorities, versions } = options
  return createSecureContext({
    ...(certificate !== null && { cert: certificate.chain, key: certificate.key }),
    ca: [...authorities], // never the library's own list
    minVersion: versions.least,
    maxVersion: versions.most,
    ciphers: CIPHERS,
    sigalgs: SIGNATURES,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  })
}
