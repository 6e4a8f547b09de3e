/**
 * Fetches lists of revoked certificates (RFC 5280 5) of authorities that organizations registered, where the operator lets it, and has
 * what they name revoked: the credentials whose certificates stand on them, and so what is attached with those.
 *
 * Postgres says what is due and holds what came of it; any number of workers may do so. A list counts with a good signature of the
 * authority itself, while it is fresh, and never after a newer one.
 */
import {
  claimDueRevocationLists,
  faultRevocationList,
  readOverdueRevocationLists,
  storeRevocationList,
  systemAuthor,
  type DueRevocationList,
  type Pool,
} from '@culvert/db'
import type { Logger } from '@culvert/observability'
import { createCrlSet, fromPem, readCertificate, type Crl, type CrlFetcher } from '@culvert/pki'
import { hintNodes, type Queues } from '@culvert/queue'
import { createHash } from 'node:crypto'
import { Passes } from './passes.ts'

export interface RevocationListsOptions {
  readonly pool: Pool
  readonly queues: Queues
  readonly logger: Logger
  /** Null where the operator names no hosts: then the state of each list says that. */
  readonly fetcher: CrlFetcher | null
  /** Between two looks at what is due; 5 s when left out. */
  readonly intervalMs?: number | undefined
}

/** At a time: one host that does not answer holds up the others for the time of one call. */
const atOnce = 8
const fetchingOff = 'fetchingOff'

export class RevocationLists {
  readonly #options: RevocationListsOptions
  readonly #passes: Passes

  constructor(options: RevocationListsOptions) {
    const { logger, intervalMs = 5_000 } = options
    this.#options = options
    const failed = 'lists of revoked certificates could not be read; it is repeated'
    this.#passes = new Passes({ logger, intervalMs, pass: () => this.#pass(), failed })
  }

  close(): Promise<void> {
    return this.#passes.close()
  }

  async #pass(): Promise<void> {
    for (;;) {
      const due = await this.#due()
      await Promise.all(due.map((one) => this.#refresh(one)))
      if (this.#passes.isClosed || due.length < atOnce) return
    }
  }

  #due(): Promise<DueRevocationList[]> {
    const { pool, fetcher } = this.#options
    return fetcher ? claimDueRevocationLists(pool, atOnce) : readOverdueRevocationLists(pool, fetchingOff, atOnce)
  }

  async #refresh(due: DueRevocationList): Promise<void> {
    const { pool, fetcher, queues, logger } = this.#options
    if (!fetcher) return faultRevocationList(pool, due, fetchingOff, { by: systemAuthor('worker') })
    const fetched = await fetcher.fetch(due.url, performance.now())
    const judged = fetched.ok ? judge(fetched.value, due) : fetched.fault.code
    if (typeof judged === 'string') {
      logger.info({ authority: due.id, fault: judged }, 'a list of revoked certificates was not had')
      return faultRevocationList(pool, due, judged, { by: systemAuthor('worker') })
    }
    const stored = await storeRevocationList(
      pool,
      due,
      {
        number: judged.number?.toString() ?? null,
        thisUpdate: new Date(judged.thisUpdateMs),
        nextUpdate: new Date(judged.nextUpdateMs),
        digest: createHash('sha256').update(judged.tbs).digest('hex'),
        serials: [...judged.revoked],
      },
      { by: systemAuthor('worker') },
    )
    if (stored === null) return
    if (stored.credentials > 0)
      logger.info({ authority: due.id, credentials: stored.credentials }, 'certificates are revoked by their authority')
    hintNodes(queues, stored.touched, 'credential.revoked')
  }
}

/** @returns the list, or the code of what is wrong with it */
function judge(der: Uint8Array, due: DueRevocationList): Crl | string {
  const [authority] = fromPem(due.certificate, 'CERTIFICATE') ?? []
  const issuer = authority && readCertificate(authority)
  if (!issuer?.ok) return 'unknownIssuer'
  const added = createCrlSet().add(der, issuer.value, Date.now())
  if (!added.ok) return added.fault.code
  return isOlder(added.value, due) ? 'olderThanKnown' : added.value
}

/**
 * A list without a number never follows a list with one. The date counts beside the number: when that was forgotten, the list that had the
 * greatest one would be the newest again, for as long as it is fresh.
 */
function isOlder({ number, thisUpdateMs }: Crl, { knownNumber, knownThisUpdate }: DueRevocationList): boolean {
  if (knownThisUpdate !== null && thisUpdateMs < knownThisUpdate.getTime()) return true
  return knownNumber !== null && (number === null || number < BigInt(knownNumber))
}
