/**
 * The peer came from another address: everything we send follows (RFC 7296 2.23, C60).
 *
 * Only for a peer behind NAT, only after something authenticated and fresh, and not more often than once a second (N27).
 */
import type { Path } from './contract.ts'
import { type Context, emit } from './context.ts'
import type { Attachment } from '../sa/attachment.ts'

const MIN_INTERVAL_MS = 1_000

/** @returns true when the attachment moved. */
export function followPeer(context: Context, attachment: Attachment, path: Path): boolean {
  const { route, children, key } = attachment
  const { nowMs } = context.env
  if (!route.peerBehindNat || samePath(route.path, path)) return false
  if (attachment.stage !== 'established' || nowMs < route.movedAtMs + MIN_INTERVAL_MS) return false
  route.path = path
  route.movedAtMs = nowMs
  for (const { spiIn } of children) context.effects.push({ kind: 'moveChildSa', key, spiIn, path })
  emit(context, { kind: 'moved', key, remote: path.remote })
  return true
}

function samePath(a: Path, b: Path): boolean {
  return (
    a.remote.port === b.remote.port &&
    a.remote.address === b.remote.address &&
    a.local.port === b.local.port &&
    a.local.address === b.local.address
  )
}
