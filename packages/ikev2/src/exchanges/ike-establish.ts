/**
 * An IKE SA takes its place: after authentication, or after a rekey (RFC 7296 1.2, 2.8).
 */
import type { IkeSaSummary } from '../endpoint/contract.ts'
import { dropUnfinished } from '../endpoint/closing.ts'
import { type Context, emit } from '../endpoint/context.ts'
import { noteAuthentication } from '../endpoint/failed-attempts.ts'
import { addOther, type Attachment, dropOther } from '../sa/attachment.ts'
import { type Channel, hardLifetimeMs, jitteredLifetimeMs } from '../sa/channel.ts'
import type { Established, IkeSa } from '../sa/ike-sa.ts'
import { retransmissionSpanMs } from '../sa/retransmission.ts'

/** The state of an IKE SA from now on, with lifetimes of its own (C52). */
export function establishedState(context: Context, attachment: Attachment, channel: Channel): Established {
  const { env, config } = context
  const lifetimeMs = config.timing.ikeRekeyMs
  return {
    phase: 'established',
    attachment,
    channel,
    rekeyAtMs: env.nowMs + jitteredLifetimeMs(lifetimeMs, env.rng(2)),
    expiresAtMs: env.nowMs + hardLifetimeMs(lifetimeMs, config.timing),
  }
}

/** Authentication is done on both ends: the attachment stands on this IKE SA. */
export function establishIkeSa(context: Context, attachment: Attachment, sa: IkeSa, channel: Channel): void {
  const { state } = sa
  sa.state = establishedState(context, attachment, channel)
  attachment.current = sa
  attachment.stage = 'established'
  attachment.heardAtMs = context.env.nowMs
  context.tables.attachments.set(attachment.key, attachment)
  context.tables.established += 1
  if (attachment.role === 'responder') {
    const { remote } = attachment.route.path
    const digest = 'digest' in state ? state.digest : null
    attachment.presence = context.tables.halfOpen.attached(digest, remote)
    noteAuthentication(context, remote.address)
  }
  context.touched.add(sa)
}

export function ikeSummary(sa: IkeSa, channel: Channel): IkeSaSummary {
  const { encr, prf, integ, ke, additionalKe, tier } = channel.transforms
  const { path, peerBehindNat, localBehindNat } = sa.route
  const spis = { spiI: sa.spiI, spiR: sa.spiR }
  return { ...spis, encr, prf, integ, ke, additionalKe, tier, path, peerBehindNat, localBehindNat }
}

/**
 * The attachment goes on with `next`, which takes over all Child SAs; the former IKE SA waits for its Delete (2.8).
 *
 * @param next established and among `others`.
 */
export function adoptIkeSa(context: Context, attachment: Attachment, next: IkeSa): void {
  const former = attachment.current
  if (next.state.phase !== 'established') return
  dropOther(attachment, next)
  attachment.current = next
  attachment.tasks = attachment.tasks.filter(({ work }) => work.kind !== 'rekeyIke')
  // What was under way on another IKE SA is over: its keys would come from an SK_d that is gone (RFC 9370 2.2.4).
  for (const entry of attachment.unfinished) dropUnfinished(context, attachment, entry)
  context.touched.add(next)
  if (former !== null) retire(context, attachment, former)
  emit(context, { kind: 'ikeRekeyed', key: attachment.key, ike: ikeSummary(next, next.state.channel) })
}

/** An IKE SA that is not needed any more waits for the peer's Delete, and is forgotten without one. */
export function retire(context: Context, attachment: Attachment, sa: IkeSa): void {
  if (sa.state.phase !== 'established') return
  const expiresAtMs = context.env.nowMs + 2 * retransmissionSpanMs(context.config.timing)
  sa.state = { phase: 'replaced', attachment, channel: sa.state.channel, expiresAtMs }
  if (!attachment.others.includes(sa)) addOther(attachment, sa)
  context.touched.add(sa)
}
