/**
 * Everything one endpoint remembers. Each lookup a packet or a wake needs is O(1) or O(log n); nothing scans all SAs.
 *
 * Bounds are in `EndpointConfig`.
 */
import type { GatewayIdentity, AttachmentKey, TierName } from './contract.ts'
import type { IkeSpi } from '../message/model.ts'
import type { PeerPolicy } from '../proposal/peer-policy.ts'
import type { Attachment } from '../sa/attachment.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import type { IkeTransforms } from '../sa/ike-transforms.ts'
import { TimerHeap } from '../sa/timer-heap.ts'
import { createTokenBucket, type TokenBucket } from '../sa/token-bucket.ts'
import { Budgets } from './budgets.ts'
import { createCookieSecrets, type CookieSecrets } from './cookie.ts'
import { EphemeralKeys } from './ephemeral-keys.ts'
import { FamiliarAddresses } from './familiar-addresses.ts'
import { HalfOpenTable } from './half-open.ts'
import { UsedNames } from './used-names.ts'

export interface Tables {
  readonly bySpi: Map<IkeSpi, IkeSa>
  readonly halfOpen: HalfOpenTable
  readonly attachments: Map<AttachmentKey, Attachment>
  /** Who waits for the answer to which ticket. */
  readonly asks: Map<number, IkeSa>
  readonly timers: TimerHeap<IkeSa>
  readonly cookies: CookieSecrets
  readonly ephemeralKeys: EphemeralKeys
  /** Budgets for unprotected error notifies (C04, C10): of all senders, and of each source. */
  readonly errorNotifies: TokenBucket
  readonly errorSources: Budgets
  /** Resumption tickets that were used here. */
  readonly usedTickets: UsedNames
  /** By claimed identity and source. */
  readonly failedAttempts: Budgets
  readonly familiar: FamiliarAddresses
  /** One object for each combination of transforms in use, shared by all SAs. */
  readonly transforms: Map<string, IkeTransforms>
  /** One object for each combination of tiers, shared by all peers that may use it. */
  readonly policies: Map<string, PeerPolicy>
  /** Tiers in which a newcomer may come; null for all of them. */
  acceptedTiers: readonly TierName[] | null
  /** Whose certificates peers are asked for; null for those of the configuration. */
  acceptedAuthorities: readonly Uint8Array[] | null
  /** Where this end is reached; null for those of the configuration. */
  ownAddresses: readonly string[] | null
  /** Budget for reports of IKE_SA_INIT requests of which nothing could be taken. */
  readonly reportedOffers: TokenBucket
  unreportedOffers: number
  /** Where newcomers are sent that follow redirects; null to keep them. */
  redirectTo: GatewayIdentity | null
  established: number
  nextTicket: number
  nextEapSession: number
  nextKey: number
}

const ERROR_NOTIFY_BURST = 50
const ERROR_NOTIFY_REFILL_MS = 20
const MOST_USED_TICKETS = 8_192
const ERROR_SOURCE_LIMITS = { burst: 10, refillMs: 200, names: 256 }
const FAILED_ATTEMPT_LIMITS = { burst: 20, refillMs: 500, names: 4_096 }
const OFFER_REPORT_BURST = 10
const OFFER_REPORT_REFILL_MS = 500

export function createTables(): Tables {
  return {
    bySpi: new Map(),
    halfOpen: new HalfOpenTable(),
    attachments: new Map(),
    asks: new Map(),
    timers: new TimerHeap(),
    cookies: createCookieSecrets(),
    ephemeralKeys: new EphemeralKeys(),
    errorNotifies: createTokenBucket(ERROR_NOTIFY_BURST, ERROR_NOTIFY_REFILL_MS, 0),
    errorSources: new Budgets(ERROR_SOURCE_LIMITS),
    usedTickets: new UsedNames(MOST_USED_TICKETS),
    failedAttempts: new Budgets(FAILED_ATTEMPT_LIMITS),
    familiar: new FamiliarAddresses(),
    transforms: new Map(),
    policies: new Map(),
    acceptedTiers: null,
    acceptedAuthorities: null,
    ownAddresses: null,
    reportedOffers: createTokenBucket(OFFER_REPORT_BURST, OFFER_REPORT_REFILL_MS, 0),
    unreportedOffers: 0,
    redirectTo: null,
    established: 0,
    nextTicket: 1,
    nextEapSession: 1,
    nextKey: 1,
  }
}

/** The one shared object equal to `transforms`; there are as many as a policy allows. */
export function shareTransforms(tables: Tables, transforms: IkeTransforms): IkeTransforms {
  const { encr, prf, integ, ke, additionalKe, tier } = transforms
  const additional = additionalKe.map(({ id }) => id).join('+')
  const name = `${tier}/${encr.id}/${encr.keyBits}/${prf.id}/${integ?.id}/${ke.id}+${additional}`
  const shared = tables.transforms.get(name)
  if (shared !== undefined) return shared
  tables.transforms.set(name, transforms)
  return transforms
}

/** Draws the key of a new attachment; keys are never reused. */
export function newAttachmentKey(tables: Tables): AttachmentKey {
  const key = tables.nextKey as AttachmentKey
  tables.nextKey += 1
  return key
}
