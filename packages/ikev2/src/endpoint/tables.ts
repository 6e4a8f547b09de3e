/**
 * Everything one endpoint remembers. Each lookup a packet or a wake needs is O(1) or O(log n); nothing scans all SAs.
 *
 * Bounds are in `EndpointConfig`.
 */
import type { AttachmentKey } from './contract.ts'
import type { IkeSpi } from '../message/model.ts'
import type { Attachment } from '../sa/attachment.ts'
import type { IkeTransforms } from '../sa/channel.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import { TimerHeap } from '../sa/timer-heap.ts'
import { createTokenBucket, type TokenBucket } from '../sa/token-bucket.ts'
import { createCookieSecrets, type CookieSecrets } from './cookie.ts'
import { HalfOpenTable } from './half-open.ts'

export interface Tables {
  readonly bySpi: Map<IkeSpi, IkeSa>
  readonly halfOpen: HalfOpenTable
  readonly attachments: Map<AttachmentKey, Attachment>
  /** Who waits for the answer to which ticket. */
  readonly asks: Map<number, IkeSa>
  readonly timers: TimerHeap<IkeSa>
  readonly cookies: CookieSecrets
  /** Budget for unprotected error notifies (C04, C10). */
  readonly errorNotifies: TokenBucket
  /** One object for each combination of transforms in use, shared by all SAs. */
  readonly transforms: Map<string, IkeTransforms>
  established: number
  nextTicket: number
  nextKey: number
}

const ERROR_NOTIFY_BURST = 50
const ERROR_NOTIFY_REFILL_MS = 20

export function createTables(): Tables {
  return {
    bySpi: new Map(),
    halfOpen: new HalfOpenTable(),
    attachments: new Map(),
    asks: new Map(),
    timers: new TimerHeap(),
    cookies: createCookieSecrets(),
    errorNotifies: createTokenBucket(ERROR_NOTIFY_BURST, ERROR_NOTIFY_REFILL_MS, 0),
    transforms: new Map(),
    established: 0,
    nextTicket: 1,
    nextKey: 1,
  }
}

/** The one shared object equal to `transforms`; there are as many as a policy allows. */
export function shareTransforms(tables: Tables, transforms: IkeTransforms): IkeTransforms {
  const { encr, prf, integ, ke } = transforms
  const name = `${encr.id}/${encr.keyBits}/${prf.id}/${integ?.id}/${ke.id}`
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
