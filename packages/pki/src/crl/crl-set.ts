/**
 * Lists of revoked certificates that were checked, by the authority that made them.
 *
 * A list gets in only with a good signature of an authority that may sign lists, and never in place of a newer one: who
 * replays an old list cannot make a revoked certificate good again. Looking one up costs no cryptography.
 */
import { compareBytes, toHex } from '@culvert/bytes'
import { verifyingKey } from '@culvert/crypto'
import { signatureFault } from '../certificate/check-signature.ts'
import { KEY_USAGE } from '../certificate/extensions.ts'
import type { Certificate } from '../certificate/read-certificate.ts'
import { fault, good, type Result } from '../fault.ts'
import { readCrl, type Crl } from './read-crl.ts'

export interface CrlSet {
  /**
   * @param der of one list; kept.
   * @param issuer a trust anchor or a certificate of a chain that was validated.
   * @returns faults of `readCrl`, `unknownIssuer`, `notAnAuthority`, `badSignature` and its like, `notFresh`, `olderThanKnown`.
   */
  add(der: Uint8Array, issuer: Certificate, atMs: number): Result<Crl>
  of(issuer: Certificate): Crl | null
}

export function createCrlSet(): CrlSet {
  const lists = new Map<string, Crl>()
  return {
    add(der, issuer, atMs) {
      const read = readCrl(der)
      if (!read.ok) return read
      const crl = read.value
      if (compareBytes(crl.issuer, issuer.subject) !== 0) return fault('unknownIssuer')
      const { isAuthority, keyUsage } = issuer.extensions
      if (isAuthority !== true || (keyUsage !== null && (keyUsage & KEY_USAGE.crlSign) === 0)) {
        return fault('notAnAuthority')
      }
      const key = verifyingKey(issuer.spki)
      if (key === null) return fault('unusableKey')
      const bad = signatureFault(crl, key, null)
      if (bad !== null) return bad
      if (atMs < crl.thisUpdateMs || atMs > crl.nextUpdateMs) return fault('notFresh')
      const name = nameOf(issuer)
      const known = lists.get(name)
      if (known !== undefined && isOlder(crl, known)) return fault('olderThanKnown')
      lists.set(name, crl)
      return good(crl)
    },
    of: (issuer) => lists.get(nameOf(issuer)) ?? null,
  }
}

/** Two authorities may have one name; their keys tell them apart. */
function nameOf({ subject, spki }: Certificate): string {
  return `${toHex(subject)} ${toHex(spki)}`
}

function isOlder(crl: Crl, known: Crl): boolean {
  if (crl.number !== null && known.number !== null) return crl.number < known.number
  return crl.thisUpdateMs < known.thisUpdateMs
}
