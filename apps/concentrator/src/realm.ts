/**
 * What holds for everybody who comes to this node, known or not: how it proves itself, whose certificates it takes, which tiers
 * anybody may use. Kept up to date with the database; the IKE core is told of changes.
 */
import { isDatabaseUnavailable, readTiersInUse, type Pool } from '@culvert/db'
import type { Command, Signer, TierName } from '@culvert/ikev2'
import { defaultProposalTiers } from '@culvert/lifecycle'
import type { Logger } from '@culvert/observability'
import { createAuthorityBook, type Trust } from './authority-book.ts'
import { createOwnCertificate, type OwnProofs } from './own-certificate.ts'

export interface Realm {
  readonly proofs: OwnProofs | null
  readonly signer: Signer | null
  /** With RSA, for devices that check nothing else, and those of former authorities; empty until they are there. */
  readonly otherSigners: readonly Signer[]
  readonly trust: Trust | null
  /** Tiers in which anybody at all may come. */
  readonly tiers: readonly TierName[]
}

export interface LivingRealm extends Realm {
  /** Looks at everything once, soon; several calls are one. */
  refresh(): Promise<void>
  stop(): Promise<void>
}

const EVERY_MS = 5000

/** Returns at once; call `refresh` before the first device comes. */
export function createRealm(options: {
  pool: Pool
  nodeName: string
  command: (command: Command) => void
  log: Logger
}): LivingRealm {
  const { pool, nodeName, command, log } = options
  const book = createAuthorityBook(pool, log)
  const own = createOwnCertificate(pool, nodeName, log)
  const rsa = createOwnCertificate(pool, nodeName, log, 'rsa2048')
  let tiers: readonly TierName[] | null = null
  let announced: Trust | null = null
  let running: Promise<void> | null = null
  let again: Promise<void> | null = null

  async function refreshTiers(): Promise<void> {
    const inUse = await readTiersInUse(pool)
    // An installation without organizations is about to get its first one.
    const next = inUse.length === 0 ? defaultProposalTiers : inUse
    if (tiers !== null && next.join() === tiers.join()) return
    tiers = next
    command({ kind: 'acceptTiers', names: next })
  }

  async function refreshTrust(): Promise<void> {
    await book.refresh()
    if (book.trust !== announced) {
      announced = book.trust
      command({ kind: 'acceptAuthorities', hashes: announced?.hashes ?? [] })
    }
    await own.refresh(book.trust)
    // The one that most devices take comes first.
    if (own.proofs !== null) await rsa.refresh(book.trust)
  }

  /** One that fails does not hold up the other. */
  async function look(): Promise<void> {
    for (const step of [refreshTiers, refreshTrust]) {
      try {
        await step()
      } catch (error) {
        if (isDatabaseUnavailable(error)) return
        log.error({ err: error }, 'what holds for all devices could not be read')
      }
    }
  }

  function refresh(): Promise<void> {
    if (running === null) {
      running = look().finally(() => {
        running = null
      })
      return running
    }
    again ??= running.then(() => {
      again = null
      return refresh()
    })
    return again
  }

  const timer = setInterval(() => void refresh(), EVERY_MS)
  return {
    get proofs() {
      return own.proofs
    },
    get signer() {
      return own.proofs?.signer ?? null
    },
    get otherSigners() {
      const ofRsa = rsa.proofs === null ? [] : [rsa.proofs.signer, ...rsa.proofs.others]
      return [...(own.proofs?.others ?? []), ...ofRsa]
    },
    get trust() {
      return book.trust
    },
    get tiers() {
      return tiers ?? defaultProposalTiers
    },
    refresh,
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
