/**
 * Does what `validateChain` with decoys does for a certificate whose authority is known, and finds out nothing: who gets the same answer
 * either way shall not learn from its time whether one is. As much work as that: reading them all, one signature, the key of the first.
 */
import type { DecoyKeys } from '@culvert/crypto'
import { readCertificate, type Certificate } from '../certificate/read-certificate.ts'
import { pretendSignature } from './pretend-signature.ts'
import { MAX_CHAIN_CERTIFICATES } from './validate-chain.ts'

/** @param certificates DER, the peer's own first */
export function pretendChain(certificates: readonly Uint8Array[], decoys: DecoyKeys): void {
  const read: Certificate[] = []
  for (const der of certificates.slice(0, MAX_CHAIN_CERTIFICATES)) {
    const certificate = readCertificate(der)
    if (!certificate.ok) return
    read.push(certificate.value)
  }
  const [own] = read
  if (own) pretendSignature(own, decoys)
}
