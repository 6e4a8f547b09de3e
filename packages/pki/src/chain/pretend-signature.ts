/** One signature checked for nothing, and one key read: what a certificate costs whose authority is known. */
import { verifyingKey, type DecoyKeys } from '@culvert/crypto'
import { signatureFault } from '../certificate/check-signature.ts'
import type { Certificate } from '../certificate/read-certificate.ts'

export function pretendSignature(certificate: Certificate, decoys: DecoyKeys): void {
  const { signatureAlgorithm, signature, spki } = certificate
  if (signatureAlgorithm.kind !== 'known') return
  const key = decoys.of(signatureAlgorithm.scheme, signature.length)
  if (key === null) return
  signatureFault(certificate, key, 0)
  verifyingKey(spki)
}
