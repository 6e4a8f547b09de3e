/**
 * The peer came from another address: everything we send follows at once (RFC 7296 2.23, C60), but on trial.
 *
 * ```
 *   something fresh and authentic from elsewhere   move there, ask for a sign of life
 *   a response from there                          it stays
 *   a response or request from the former place    back, the other one was a trick
 *   no response in time                            back, and both places are asked from now on
 * ```
 *
 * A sender can forge its source address, so what is fresh may still come from where the peer is not. Only for a peer behind NAT,
 * and not more often than once a second (N27).
 */
import type { Path } from './contract.ts'
import { type Context, emit } from './context.ts'
import { queueWork } from './work.ts'
import type { Attachment } from '../sa/attachment.ts'

const MIN_INTERVAL_MS = 1_000

/** Something fresh and authentic that was no response came along `path`. */
export function followPeer(context: Context, attachment: Attachment, path: Path): void {
  const { route } = attachment
  const { nowMs } = context.env
  if (!route.peerBehindNat || attachment.stage !== 'established' || samePath(route.path, path)) return
  if (route.trial !== null && samePath(route.trial.former, path)) {
    endTrial(context, attachment, path)
    return
  }
  if (nowMs < route.movedAtMs + MIN_INTERVAL_MS) return
  route.movedAtMs = nowMs
  route.trial = { former: route.trial?.former ?? route.path, candidate: path }
  moveTo(context, attachment, path)
  queueWork(context, attachment, { kind: 'liveness' })
}

/**
 * A response came along `path`: the peer hears us there.
 *
 * @param askedAt where its request was sent at first; one that was under way before the move proves nothing.
 */
export function confirmPath(context: Context, attachment: Attachment, askedAt: Path, path: Path): void {
  const { trial } = attachment.route
  if (trial === null) return
  const isThere = samePath(trial.candidate, path) && samePath(trial.candidate, askedAt)
  if (isThere || samePath(trial.former, path)) endTrial(context, attachment, path)
}

/** No response in time: goes back to where the peer was heard last. @returns where to ask again. */
export function retreat(context: Context, attachment: Attachment): readonly Path[] {
  const { route } = attachment
  const { trial } = route
  if (trial === null) return [route.path]
  if (!samePath(route.path, trial.former)) moveTo(context, attachment, trial.former)
  return [trial.former, trial.candidate]
}

function endTrial(context: Context, attachment: Attachment, path: Path): void {
  attachment.route.trial = null
  if (!samePath(attachment.route.path, path)) moveTo(context, attachment, path)
}

function moveTo(context: Context, { route, children, key }: Attachment, path: Path): void {
  route.path = path
  for (const { spiIn } of children) context.effects.push({ kind: 'moveChildSa', key, spiIn, path })
  emit(context, { kind: 'moved', key, remote: path.remote })
}

function samePath(a: Path, b: Path): boolean {
  return (
    a.remote.port === b.remote.port &&
    a.remote.address === b.remote.address &&
    a.local.port === b.local.port &&
    a.local.address === b.local.address
  )
}
