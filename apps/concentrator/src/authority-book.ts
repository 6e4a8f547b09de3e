/**
 * The authorities whose certificates devices may show, and their lists of revoked certificates, as the database knows them.
 *
 * Read again and again; while the database is away the last known ones count. A list of revoked certificates is a second
 * safety: a certificate counts only while its credential is valid.
 */
import { listAuthorities, type AuthorityRecord, type Pool } from '@culvert/db'
import type { Logger } from '@culvert/observability'
import { authorityHash, createCrlSet, fromPem, trustAnchors, type CrlSet, type TrustAnchors } from '@culvert/pki'

export interface Trust {
  readonly anchors: TrustAnchors
  readonly crls: CrlSet
  /** PEM of the authorities. */
  readonly authorities: readonly string[]
  /** How CERTREQ names them. */
  readonly hashes: readonly Uint8Array[]
}

export interface AuthorityBook {
  /** Null until there is an authority. The object changes when, and only when, the authorities do. */
  readonly trust: Trust | null
  refresh(): Promise<void>
}

export function createAuthorityBook(pool: Pool, log: Logger): AuthorityBook {
  let trust: Trust | null = null
  let known = ''
  const lists = new Map<string, Uint8Array>()

  function take(records: readonly AuthorityRecord[]): void {
    const ids = records.map(({ id }) => id).join()
    if (ids === known) return
    const certificates = records.flatMap(({ certificate }) => fromPem(certificate, 'CERTIFICATE') ?? [])
    const anchors = trustAnchors(certificates)
    if (!anchors.ok) {
      log.error({ fault: anchors.fault.code }, 'the authorities of this installation cannot be used')
      return
    }
    known = ids
    lists.clear()
    trust =
      anchors.value.all.length === 0
        ? null
        : {
            anchors: anchors.value,
            crls: createCrlSet(),
            authorities: records.map(({ certificate }) => certificate),
            hashes: anchors.value.all.map(({ certificate }) => authorityHash(certificate.spki)),
          }
  }

  function takeList({ id, crl }: AuthorityRecord, { anchors, crls }: Trust): void {
    const previous = lists.get(id)
    if (crl === null || (previous && Buffer.compare(previous, crl) === 0)) return
    lists.set(id, crl)
    const added = anchors.all.map(({ certificate }) => crls.add(new Uint8Array(crl), certificate, Date.now()))
    if (!added.some(({ ok }) => ok)) log.warn({ authority: id }, 'a list of revoked certificates cannot be used')
  }

  return {
    get trust() {
      return trust
    },
    async refresh() {
      const records = await listAuthorities(pool)
      take(records)
      for (const record of records) if (trust) takeList(record, trust)
    },
  }
}
