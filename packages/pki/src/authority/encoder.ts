/**
 * The one place that touches @peculiar/x509: makes certificates.
 *
 * The library is loaded on first use, so who only validates chains does not pay for it. It needs a Reflect that keeps metadata.
 */
import { webcrypto } from 'node:crypto'
import { signingKey, type SignatureKeyKind } from '@culvert/crypto'
import type * as X509 from '@peculiar/x509'

/** A private key as the library takes it, with how it signs. */
export interface EncoderKey {
  readonly key: CryptoKey
  readonly algorithm: { readonly name: string; readonly hash?: string }
}

type CryptoKey = webcrypto.CryptoKey

export interface CertificatePlan {
  /** Up to 16 octets in hexadecimal. */
  readonly serial: string
  /** A common name, or none. */
  readonly subject: string | null
  /** A whole Name, octet for octet as it stands in the authority; left out for a root, which is its own issuer. */
  readonly issuer?: Uint8Array
  /** SubjectPublicKeyInfo of the issuer; left out for a root. */
  readonly issuerKey?: Uint8Array
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
  readonly names: readonly { readonly type: 'dns' | 'email' | 'ip'; readonly value: string }[]
  readonly isAuthority: boolean
  /** Object identifiers; empty for an authority. */
  readonly purposes: readonly string[]
  readonly crlUrl: string | null
}

/** @param pkcs8 copied. @returns null for a key that is no key of an authority. */
export async function importKey(pkcs8: Uint8Array): Promise<EncoderKey | null> {
  const kind = signingKey(pkcs8)?.kind
  if (kind === undefined) return null
  const { imported, algorithm } = ALGORITHMS[kind]
  const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, imported, false, ['sign'])
  return { key, algorithm }
}

const ECDSA = (namedCurve: string, hash: string) => ({
  imported: { name: 'ECDSA', namedCurve },
  algorithm: { name: 'ECDSA', hash },
})

const ALGORITHMS: Readonly<
  Record<
    SignatureKeyKind,
    { readonly imported: webcrypto.AlgorithmIdentifier; readonly algorithm: EncoderKey['algorithm'] }
  >
> = {
  rsa: {
    imported: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as webcrypto.RsaHashedImportParams,
    algorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  },
  p256: ECDSA('P-256', 'SHA-256'),
  p384: ECDSA('P-384', 'SHA-384'),
  p521: ECDSA('P-521', 'SHA-512'),
  ed25519: { imported: { name: 'Ed25519' }, algorithm: { name: 'Ed25519' } },
}

/** @returns the certificate in DER. */
export async function encodeCertificate(plan: CertificatePlan, signer: EncoderKey): Promise<Uint8Array> {
  const x509 = await library()
  const subject = new x509.Name(plan.subject === null ? [] : [{ CN: [{ utf8String: plan.subject }] }])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: plan.serial,
    subject,
    issuer: plan.issuer === undefined ? subject : new x509.Name(own(plan.issuer)),
    notBefore: new Date(plan.notBeforeMs),
    notAfter: new Date(plan.notAfterMs),
    publicKey: own(plan.publicKey),
    signingKey: signer.key,
    signingAlgorithm: signer.algorithm,
    extensions: await extensionsOf(plan, x509),
  })
  return new Uint8Array(certificate.rawData)
}

async function extensionsOf(plan: CertificatePlan, x509: typeof X509): Promise<X509.Extension[]> {
  const { KeyUsageFlags: usage } = x509
  const { isAuthority, names, purposes, crlUrl } = plan
  const extensions: X509.Extension[] = [
    // Authorities made here sign devices and gateways, no further authorities.
    new x509.BasicConstraintsExtension(isAuthority, isAuthority ? 0 : undefined, true),
    new x509.KeyUsagesExtension(isAuthority ? usage.keyCertSign | usage.cRLSign : usage.digitalSignature, true),
    await x509.SubjectKeyIdentifierExtension.create(own(plan.publicKey)),
  ]
  if (plan.issuerKey !== undefined) {
    extensions.push(await x509.AuthorityKeyIdentifierExtension.create(own(plan.issuerKey)))
  }
  if (purposes.length > 0) extensions.push(new x509.ExtendedKeyUsageExtension([...purposes]))
  // Without a subject the names are all there is (RFC 5280 4.2.1.6).
  if (names.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension([...names], plan.subject === null))
  if (crlUrl !== null) extensions.push(new x509.CRLDistributionPointsExtension([crlUrl]))
  return extensions
}

/** The library reads whole buffers; this copies what may be a view. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes)
}

async function library(): Promise<typeof X509> {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}
