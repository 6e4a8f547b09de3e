/**
 * What time brings: retransmissions, the end of patience, lifetimes, liveness checks, keepalives.
 *
 * Each due IKE SA is looked at once; whatever its deadline was, everything that is due on it happens.
 */
import { closeAttachment, dropUnfinished, closeHalfOpen, endTraffic, forgetIkeSa } from './closing.ts'
import type { Context } from './context.ts'
import { keepaliveDueMs, livenessDueMs } from './deadline.ts'
import { retreat } from './moving.ts'
import { sendAll } from './outbound.ts'
import { queueWork } from './work.ts'
import { scheduleDeletion } from '../exchanges/create-child-sa/complete-child.ts'
import { abandonAuth } from '../exchanges/ike-auth/receive-response.ts'
import { abandonIntermediate } from '../exchanges/ike-intermediate/initiate.ts'
import { failInitiation } from '../exchanges/ike-sa-init/receive-response.ts'
import { serveResumeSent } from '../exchanges/session-resume/initiate.ts'
import { endIkeSa } from '../exchanges/informational/delete-ike.ts'
import { type Attachment } from '../sa/attachment.ts'
import { type Channel, forgetExpired } from '../sa/channel.ts'
import type { ChildSa } from '../sa/child-sa.ts'
import type { Established, IkeSa, InitSent } from '../sa/ike-sa.ts'
import { retransmit } from '../sa/retransmission.ts'

/** Does everything that is due on this IKE SA; it was taken out of the timer heap. */
export function serveDueIkeSa(context: Context, sa: IkeSa): void {
  const { state } = sa
  const { nowMs } = context.env
  context.touched.add(sa)
  switch (state.phase) {
    case 'initSent':
      serveInitSent(context, sa, state)
      break
    case 'resumeSent':
      serveResumeSent(context, sa, state)
      break
    case 'initAnswered':
    case 'resumeAnswered':
    case 'resumeAsked':
    case 'intermediateAwaited':
    case 'credentialAsked':
    case 'eapAsked':
    case 'eapSent':
    case 'eapProven':
    case 'attachAsked':
    case 'rejected':
      if (nowMs >= state.expiresAtMs) closeHalfOpen(context, sa, 'expired')
      break
    case 'trustAsked':
      if (nowMs >= state.expiresAtMs) abandonAuth(context, sa, state, 'expired')
      break
    case 'closed':
      if (nowMs >= state.expiresAtMs) forgetIkeSa(context, sa)
      break
    case 'replaced':
      if (nowMs >= state.expiresAtMs) forgetIkeSa(context, sa)
      else serveChannel(context, sa, state.channel)
      break
    case 'intermediateSent':
    case 'authSent':
    case 'deleting':
      serveChannel(context, sa, state.channel)
      break
    case 'established':
      serveChannel(context, sa, state.channel)
      if (state.attachment.current === sa) serveCurrent(context, state)
      break
  }
}

function serveInitSent(context: Context, sa: IkeSa, state: InitSent): void {
  const { retransmission, peer, suspicion } = state
  if (context.env.nowMs < retransmission.dueMs) return
  if (suspicion !== null) failInitiation(context, sa, state, suspicion)
  else if (retransmit(retransmission, context.env.nowMs, context.config.timing) === 'repeat') {
    sendAll(context, sa, retransmission.datagrams, peer.path)
  } else failInitiation(context, sa, state, 'peerSilent')
}

function serveChannel(context: Context, sa: IkeSa, channel: Channel): void {
  forgetExpired(channel, context.env.nowMs)
  const { pending } = channel
  if (pending === null || context.env.nowMs < pending.retransmission.dueMs) return
  if (retransmit(pending.retransmission, context.env.nowMs, context.config.timing) === 'repeat') {
    const paths = 'attachment' in sa.state ? retreat(context, sa.state.attachment, pending.path) : [sa.route.path]
    for (const path of paths) sendAll(context, sa, pending.retransmission.datagrams, path)
  } else endSilent(context, sa)
}

/** All transmissions of a request went unanswered. */
function endSilent(context: Context, sa: IkeSa): void {
  const { state } = sa
  if (state.phase === 'intermediateSent') abandonIntermediate(context, sa, state, 'peerSilent')
  else if (state.phase === 'authSent') abandonAuth(context, sa, state, 'peerSilent')
  else if (state.phase === 'deleting') {
    const attempt = state.channel.pending?.attempt
    endIkeSa(context, state.attachment, sa, attempt?.kind === 'deleteIke' ? attempt.reason : 'peerSilent')
  } else if ('attachment' in state && state.attachment.current === sa) {
    closeAttachment(context, state.attachment, 'peerSilent')
  } else forgetIkeSa(context, sa)
}

function serveCurrent(context: Context, state: Established): void {
  const { attachment, channel } = state
  const { env, config } = context
  if (attachment.stage !== 'established') return
  for (const child of attachment.children) serveChild(context, attachment, child)
  for (const entry of attachment.unfinished)
    if (env.nowMs >= entry.expiresAtMs) dropUnfinished(context, attachment, entry)
  if (env.nowMs >= state.rekeyAtMs) {
    state.rekeyAtMs = Infinity
    queueWork(context, attachment, { kind: 'rekeyIke', group: null })
  }
  if (env.nowMs >= state.expiresAtMs) {
    state.expiresAtMs = Infinity
    queueWork(context, attachment, { kind: 'deleteIke', reason: 'expired' })
  }
  if (env.nowMs >= attachment.authExpiresAtMs) {
    attachment.authExpiresAtMs = Infinity
    endTraffic(context, attachment)
    queueWork(context, attachment, { kind: 'deleteIke', reason: 'expired' })
  }
  if (channel.pending === null && env.nowMs >= livenessDueMs(config.timing, attachment)) {
    queueWork(context, attachment, { kind: 'liveness' })
  }
  if (env.nowMs >= keepaliveDueMs(config.timing, attachment)) {
    attachment.route.sentAtMs = env.nowMs
    context.effects.push({ kind: 'keepalive', path: attachment.route.path })
  }
}

function serveChild(context: Context, attachment: Attachment, child: ChildSa): void {
  const { nowMs } = context.env
  if (child.state.kind === 'replaced' && nowMs >= child.state.expiresAtMs) scheduleDeletion(attachment, child)
  if (child.state.kind !== 'installed') return
  if (nowMs >= child.expiresAtMs) scheduleDeletion(attachment, child)
  else if (nowMs >= child.rekeyAtMs) {
    child.rekeyAtMs = Infinity
    queueWork(context, attachment, { kind: 'rekeyChild', spiIn: child.spiIn, group: null })
  }
}
