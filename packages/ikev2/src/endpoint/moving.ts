/**
 * The peer came from another address: everything we send follows at once (RFC 7296 2.23, C60), but on trial.
 *
 * ```
 *   something fresh and authentic from elsewhere   move there, ask for a sign of life
 *   UPDATE_SA_ADDRESSES from elsewhere (MOBIKE)    the same, with or without NAT
 *   a response from there                          it stays
 *   a response or request from the former place    back, the other one was a trick
 *   no response in time                            back, and both places are asked from now on
 * ```
 *
 * A sender can forge its source address, so what is fresh may still come from where the peer is not. Without a word of MOBIKE only
 * a peer behind NAT is followed, and not more often than once a second (N27); that this holds with MOBIKE too is a decision of its
 * own (docs/adr).
 */
import type { Path } from './contract.ts'
import { type Context, emit } from './context.ts'
import { queueWork } from './work.ts'
import type { Attachment, NatState } from '../sa/attachment.ts'
import { usesUdp } from '../sa/encapsulation.ts'

const MIN_INTERVAL_MS = 1_000

/** Something fresh and authentic that was no response came along `path`. */
export function followPeer(context: Context, attachment: Attachment, path: Path): void {
  const { route } = attachment
  const { nowMs } = context.env
  if (!route.peerBehindNat || attachment.stage !== 'established' || samePath(route.path, path)) return
  if (route.trial !== null && samePath(route.trial.former, path)) {
    if (!route.trial.isTold) endTrial(context, attachment, path)
    return
  }
  if (nowMs < route.movedAtMs + MIN_INTERVAL_MS) return
  goOnTrial(context, attachment, path, { nat: natOf(route), isTold: false })
}

/** The peer told us that it is at `path` now (RFC 4555 3.5), where `nat` was found. */
export function relocate(context: Context, attachment: Attachment, path: Path, nat: NatState): void {
  const { route } = attachment
  const { trial } = route
  const isFormer = trial !== null && samePath(trial.former, path)
  if (isFormer) route.trial = { ...trial, formerNat: nat }
  else if (trial !== null && samePath(trial.candidate, path)) route.trial = { ...trial, candidateNat: nat }
  if (samePath(route.path, path)) {
    const isSeenOtherwise = route.peerBehindNat !== nat.peerBehindNat
    Object.assign(route, natOf(nat))
    tellDataPlane(context, attachment)
    if (isSeenOtherwise) tellMove(context, attachment)
  } else if (isFormer) endTrial(context, attachment, path)
  else goOnTrial(context, attachment, path, { nat, isTold: true })
}

/** We are elsewhere ourselves: what we send comes from there, Child SAs follow when the peer knows. */
export function depart(context: Context, attachment: Attachment, path: Path): void {
  const { route } = attachment
  if (attachment.mobike === null || samePath(route.path, path)) return
  route.path = path
  route.trial = null
  queueWork(context, attachment, { kind: 'updateAddresses' })
}

/** The peer knows where we are now. */
export function arriveAt(context: Context, attachment: Attachment): void {
  tellDataPlane(context, attachment)
  tellMove(context, attachment)
}

/**
 * A response came along `path`: the peer hears us there.
 *
 * @param askedAt where its request was sent at first; one that was under way before the move proves nothing.
 */
export function confirmPath(context: Context, attachment: Attachment, askedAt: Path, path: Path): void {
  const { trial, path: current } = attachment.route
  if (trial === null) return
  const isThere = samePath(trial.candidate, path) && samePath(trial.candidate, askedAt)
  const isBack = samePath(trial.former, path) && (!trial.isTold || samePath(trial.former, current))
  if (isThere || isBack) endTrial(context, attachment, path)
}

/**
 * No response in time: goes back to where the peer was heard last.
 *
 * @param askedAt where the request was sent at first; one that was under way before the move says nothing against the new place.
 * @returns where to ask again.
 */
export function retreat(context: Context, attachment: Attachment, askedAt: Path): readonly Path[] {
  const { route } = attachment
  const { trial } = route
  if (trial === null) return [route.path]
  const isRefuted = samePath(askedAt, trial.candidate)
  if (isRefuted && !samePath(route.path, trial.former)) moveTo(context, attachment, trial.former, trial.formerNat)
  return [trial.former, trial.candidate]
}

export function samePath(a: Path, b: Path): boolean {
  return (
    a.remote.port === b.remote.port &&
    a.remote.address === b.remote.address &&
    a.local.port === b.local.port &&
    a.local.address === b.local.address
  )
}

function goOnTrial(
  context: Context,
  attachment: Attachment,
  path: Path,
  { nat, isTold }: { readonly nat: NatState; readonly isTold: boolean },
): void {
  const { route } = attachment
  route.movedAtMs = context.env.nowMs
  const { former, formerNat } = route.trial ?? { former: route.path, formerNat: natOf(route) }
  route.trial = { former, formerNat, candidate: path, candidateNat: natOf(nat), isTold }
  moveTo(context, attachment, path, nat)
  queueWork(context, attachment, { kind: 'liveness' })
}

function endTrial(context: Context, attachment: Attachment, path: Path): void {
  const { route } = attachment
  const { trial } = route
  route.trial = null
  if (trial === null || samePath(route.path, path)) tellDataPlane(context, attachment)
  else moveTo(context, attachment, path, samePath(trial.former, path) ? trial.formerNat : trial.candidateNat)
  if (attachment.presence !== null && trial !== null && !samePath(trial.former, path))
    attachment.presence = context.tables.halfOpen.moved(attachment.presence, path.remote)
}

/** What was found about NATs goes with the place: after a trial that failed, what was found at the candidate holds no more. */
function moveTo(context: Context, attachment: Attachment, path: Path, nat: NatState): void {
  attachment.route.path = path
  Object.assign(attachment.route, natOf(nat))
  tellDataPlane(context, attachment)
  tellMove(context, attachment)
}

function tellMove(context: Context, { key, route }: Attachment): void {
  emit(context, { kind: 'moved', key, remote: route.path.remote, peerBehindNat: route.peerBehindNat })
}

function natOf({ peerBehindNat, localBehindNat }: NatState): NatState {
  return { peerBehindNat, localBehindNat }
}

function tellDataPlane(context: Context, { route, children, key }: Attachment): void {
  const { path, trial, peerBehindNat } = route
  const isConfirmed = trial === null || samePath(trial.former, path)
  for (const { spiIn, protocol } of children) {
    const udpEncap = usesUdp(context.config, route, protocol)
    context.effects.push({ kind: 'moveChildSa', key, spiIn, path, isConfirmed, peerBehindNat, udpEncap })
  }
}
