/**
 * What a program of ours that talks IKE believes: one authority, and its own key and certificate, from PEM files.
 */
import { createPrivateKey } from 'node:crypto'
import fs from 'node:fs'
import { signingKey, type VerifyingKey } from '@culvert/crypto'
import type { Identity, PeerCertificate, Signer } from '@culvert/ikev2'
import { CERT_ENCODING } from '@culvert/ikev2'
import { authorityHash, bindIdentity, fromPem, trustAnchors, type Purpose, validateChain } from '@culvert/pki'

export interface Trust {
  /** As they stand in a CERTREQ payload (RFC 7296 3.7). */
  readonly authorityHashes: readonly Uint8Array[]
  /** @returns the key of a chain that speaks for this identity. */
  keyOf(certificates: readonly PeerCertificate[], id: Identity, purpose: Purpose): VerifyingKey | null
  /** The same without an identity: the first dNSName of the certificate, which has to be in it. */
  nameOf(chain: readonly Uint8Array[]): string | null
}

export function readTrust(authorityFile: string): Trust {
  const anchors = trustAnchors(derOf(authorityFile))
  if (!anchors.ok) throw new Error(`${authorityFile}: ${anchors.fault.code}`)
  const { all } = anchors.value
  return {
    authorityHashes: all.map(({ certificate }) => authorityHash(certificate.spki)),
    keyOf(certificates, id, purpose) {
      const ders = certificates.filter(({ encoding }) => encoding === CERT_ENCODING.X509_SIGNATURE)
      const policy = { anchors: anchors.value, atMs: Date.now(), purpose }
      const chain = validateChain(
        ders.map(({ data }) => data),
        policy,
      )
      return chain.ok && bindIdentity(chain.value.certificate, id).ok ? chain.value.key : null
    },
    nameOf(ders) {
      const chain = validateChain(ders, { anchors: anchors.value, atMs: Date.now(), purpose: 'device' })
      if (!chain.ok) return null
      const name = chain.value.certificate.extensions.subjectAltNames.find(({ kind }) => kind === 'dns')
      return name === undefined ? null : new TextDecoder().decode(name.value)
    },
  }
}

/** @param own PEM files of a certificate and of its key, PKCS #8. */
export function readSigner(own: { readonly certificate: string; readonly key: string }): Signer {
  const pkcs8 = createPrivateKey(fs.readFileSync(own.key)).export({ type: 'pkcs8', format: 'der' })
  const key = signingKey(new Uint8Array(pkcs8))
  if (key === null) throw new Error(`${own.key} does not hold a key we sign with`)
  return { key, certificates: derOf(own.certificate) }
}

function derOf(file: string): Uint8Array[] {
  return fromPem(fs.readFileSync(file, 'utf8'), 'CERTIFICATE') ?? []
}
