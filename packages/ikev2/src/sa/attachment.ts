/**
 * What outlives the IKE SAs of one peer: its Child SAs, the work to be done and the way to it. The driver knows it by its key.
 *
 * One IKE SA is `current`; during a rekey `others` stand beside it. Child SAs belong to the attachment, so "the new
 * IKE SA inherits all Child SAs" (RFC 7296 2.8) needs no move.
 *
 * Bounds: `MAX_CHILD_SAS` Child SAs, `MAX_OTHERS` IKE SAs beside the current one, and a budget for CREATE_CHILD_SA requests
 * (RFC 8019 4.7: TEMPORARY_FAILURE beyond it).
 */
import type { AttachmentKey, AttachGrant, CloseReason, MonotonicMs, Path } from '../endpoint/contract.ts'
import type { IkeSpi, Spi, TrafficSelector } from '../message/model.ts'
import type { PeerPolicy } from '../proposal/peer-policy.ts'
import { covers } from '../traffic-selector/narrow.ts'
import type { Presence } from '../endpoint/presences.ts'
import type { ChildSa } from './child-sa.ts'
import type { IkeSa } from './ike-sa.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'
import { sameWork, type Task } from './request.ts'
import type { Unfinished } from './unfinished.ts'

/** With those being replaced. */
export const MAX_CHILD_SAS = 8
/** A peer may ask for one more while it has less than this; so each can be rekeyed at the same time. */
export const MAX_NEW_CHILD_SAS = 4
export const MAX_OTHERS = 4
const CREATION_BURST = 24
const CREATION_REFILL_MS = 2_000
const MOVE_BURST = 10
const MOVE_REFILL_MS = 1_000

/** A move of the peer that is not confirmed yet. */
export interface Trial {
  readonly former: Path
  readonly candidate: Path
  /** What was found about NATs at each of them. */
  readonly formerNat: NatState
  readonly candidateNat: NatState
  /** The peer said so itself (RFC 4555 3.5); what comes late from the former place then means nothing. */
  readonly isTold: boolean
}

export type NatState = Pick<Route, 'peerBehindNat' | 'localBehindNat'>

/** Where the peer is; one object, shared by all IKE SAs of the attachment. */
export interface Route {
  path: Path
  peerBehindNat: boolean
  localBehindNat: boolean
  movedAtMs: MonotonicMs
  /** Since the last move, until a response showed where the peer hears us; null when that is known. */
  trial: Trial | null
  /** Last time a keepalive or any other datagram of ours kept the NAT mapping open. */
  sentAtMs: MonotonicMs
}

export interface Attachment {
  readonly key: AttachmentKey
  readonly subject: string
  readonly role: 'initiator' | 'responder'
  readonly route: Route
  /** What may be negotiated with this peer; shared, as it is the same for many. */
  readonly policy: PeerPolicy
  /** `forming` until authentication is done on both ends. */
  stage: 'forming' | 'established' | 'closed'
  /** The IKE SA on which we work; null until one stands. */
  current: IkeSa | null
  others: readonly IkeSa[]
  children: readonly ChildSa[]
  tasks: readonly Task[]
  heardAtMs: MonotonicMs
  /** As responder: where it counts as attached, to be given back when it ends; null before it stands. */
  presence: Presence | null
  /** What the peer may reach and what may come from it; every later Child SA is narrowed to these. */
  tsLocal: readonly TrafficSelector[]
  tsRemote: readonly TrafficSelector[]
  /** More was granted than was offered to the peer so far. */
  offersMore: boolean
  readonly creations: TokenBucket
  /** What the peer has under way in IKE_FOLLOWUP_KE. */
  unfinished: readonly Unfinished[]
  /** Budget for moves the peer tells us of; null when MOBIKE was not agreed (RFC 4555). */
  mobike: TokenBucket | null
  /** As initiator: how the peer saw us last on the IKE SA with this SPI, its NAT_DETECTION_DESTINATION_IP (RFC 4555 3.8). */
  seenAs: { readonly localSpi: IkeSpi; readonly hash: Uint8Array } | null
  /** The peer goes elsewhere when we say so (RFC 5685). */
  followsRedirects: boolean
  /** Child SAs of this peer may be in transport mode. */
  transportMode: boolean
  /** When it ends unless the peer authenticates anew, Infinity for never (RFC 4478). */
  authExpiresAtMs: MonotonicMs
}

export type AttachmentParameters = Pick<Attachment, 'key' | 'subject' | 'role' | 'route' | 'policy'>

const NOTHING: readonly never[] = Object.freeze([])

export function createAttachment(parameters: AttachmentParameters, nowMs: MonotonicMs): Attachment {
  return {
    ...parameters,
    current: null,
    stage: 'forming',
    others: NOTHING,
    children: NOTHING,
    tasks: NOTHING,
    heardAtMs: nowMs,
    presence: null,
    tsLocal: NOTHING,
    tsRemote: NOTHING,
    offersMore: false,
    creations: createTokenBucket(CREATION_BURST, CREATION_REFILL_MS, nowMs),
    unfinished: NOTHING,
    mobike: null,
    seenAs: null,
    followsRedirects: false,
    transportMode: false,
    authExpiresAtMs: Infinity,
  }
}

/** Both ends said that they do MOBIKE. */
export function agreeOnMobike(attachment: Attachment, nowMs: MonotonicMs): void {
  attachment.mobike = createTokenBucket(MOVE_BURST, MOVE_REFILL_MS, nowMs)
}

export function allowSelectors(attachment: Attachment, grant: Pick<AttachGrant, 'tsLocal' | 'tsRemote'>): void {
  attachment.tsLocal = grant.tsLocal
  attachment.tsRemote = grant.tsRemote
}

/** As initiator: a Child SA of our own asking is allowed for good, so that the peer may rekey it. */
export function widenSelectors(
  attachment: Attachment,
  { tsLocal, tsRemote }: Pick<ChildSa, 'tsLocal' | 'tsRemote'>,
): void {
  attachment.tsLocal = joined(attachment.tsLocal, tsLocal)
  attachment.tsRemote = joined(attachment.tsRemote, tsRemote)
}

/** What the peer may have in a rekey of this Child SA: all that is granted now, and what is in use (RFC 7296 2.9.2). */
export function selectorsForRekey(
  attachment: Attachment,
  { tsLocal, tsRemote }: Pick<ChildSa, 'tsLocal' | 'tsRemote'>,
): Pick<ChildSa, 'tsLocal' | 'tsRemote'> {
  return { tsLocal: joined(attachment.tsLocal, tsLocal), tsRemote: joined(attachment.tsRemote, tsRemote) }
}

/** @returns the Child SA by which a peer is offered what was granted since; null when it has several, or none in tunnel mode */
export function childToWiden({ children }: Attachment): ChildSa | null {
  const installed = children.filter(({ state }) => state.kind === 'installed')
  const [child] = installed
  return child !== undefined && installed.length === 1 && child.mode === 'tunnel' ? child : null
}

/** `known` itself when there is nothing more. */
function joined(known: readonly TrafficSelector[], more: readonly TrafficSelector[]): readonly TrafficSelector[] {
  const missing = more.filter((selector) => !covers(known, [selector]))
  return missing.length === 0 ? known : known.concat(missing)
}

export function findChildIn(attachment: Attachment, spiIn: Spi): ChildSa | null {
  return attachment.children.find((child) => child.spiIn === spiIn) ?? null
}

/** By the SPI the peer receives on, which is how REKEY_SA and Delete name it (1.3.3, 3.11). */
export function findChildOut(attachment: Attachment, spiOut: Spi): ChildSa | null {
  return attachment.children.find((child) => child.spiOut === spiOut) ?? null
}

export function addChild(attachment: Attachment, child: ChildSa): void {
  const { children } = attachment
  attachment.children = children.length === 0 ? [child] : children.concat(child) // with no room for more, unlike a spread
}

export function dropChild(attachment: Attachment, child: ChildSa): void {
  attachment.children = without(attachment.children, child)
}

/** Queues work unless the same is queued already. */
export function addTask(attachment: Attachment, task: Task): void {
  if (attachment.tasks.some((queued) => sameWork(queued.work, task.work))) return
  attachment.tasks = [...attachment.tasks, task]
}

/** True when the end of the attachment is decided: nothing new is made on it. */
export function isEnding(attachment: Attachment): boolean {
  return attachment.tasks.some(({ work }) => work.kind === 'deleteIke')
}

/** Why the attachment is going to end; null when that is not decided. */
export function endingReason({ tasks }: Attachment): CloseReason | null {
  for (const { work } of tasks) if (work.kind === 'deleteIke') return work.reason
  return null
}

export function dropTask(attachment: Attachment, task: Task): void {
  attachment.tasks = without(attachment.tasks, task)
}

export function addUnfinished(attachment: Attachment, entry: Unfinished): void {
  attachment.unfinished = [...attachment.unfinished, entry]
}

export function removeUnfinished(attachment: Attachment, entry: Unfinished): void {
  attachment.unfinished = without(attachment.unfinished, entry)
}

export function addOther(attachment: Attachment, sa: IkeSa): void {
  attachment.others = [...attachment.others, sa]
}

export function dropOther(attachment: Attachment, sa: IkeSa): void {
  attachment.others = without(attachment.others, sa)
}

function without<T>(items: readonly T[], item: T): readonly T[] {
  const rest = items.filter((other) => other !== item)
  return rest.length === 0 ? NOTHING : rest
}
