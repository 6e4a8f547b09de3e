/**
 * Whether what a peer shows may cost a signature that is dear to check: one on a certificate, or the one that its own key makes. Reads
 * only, so that whoever looks at the chains of strangers can ask before anything is computed.
 */
import { isDearKey, isDearSignature } from '@culvert/crypto'
import { readCertificate } from '../certificate/read-certificate.ts'
import { MAX_CHAIN_CERTIFICATES, MAX_ROOTS } from './validate-chain.ts'

/** @param certificates DER, the peer's own first; of any content */
export function isDearChain(certificates: readonly Uint8Array[]): boolean {
  return certificates.slice(0, MAX_CHAIN_CERTIFICATES + MAX_ROOTS).some((der, at) => {
    const read = readCertificate(der)
    if (!read.ok) return false
    const { signatureAlgorithm, signature, spki } = read.value
    const isSignedDearly =
      signatureAlgorithm.kind === 'known' && isDearSignature(signatureAlgorithm.scheme, signature.length)
    return isSignedDearly || (at === 0 && isDearKey(spki))
  })
}
