/**
 * Ends things: an IKE SA, an attachment with everything on it, an attempt that never stood.
 *
 * Every inbound SPI that was allocated is given back exactly once, by `removeChildSa` when it was installed and by `releaseSpi`
 * when not. Whoever heard an attachment key (in a question or an event) hears `closed` for it;
 * an attempt of ours that fails before is reported by `attemptFailed`.
 */
import type { AttemptStage, CloseReason, Path } from './contract.ts'
import { type Context, emit } from './context.ts'
import type { Identity, Proposal } from '../message/model.ts'
import { type Attachment, dropChild, dropOther, removeUnfinished } from '../sa/attachment.ts'
import { wipeSecrets } from '../sa/agreement.ts'
import type { Unfinished } from '../sa/unfinished.ts'
import type { ChildSa } from '../sa/child-sa.ts'
import type { Channel } from '../sa/channel.ts'
import type { IkeSa, IkeSaState } from '../sa/ike-sa.ts'
import { retransmissionSpanMs } from '../sa/retransmission.ts'

/** Drops every trace of an IKE SA, and its keys. Child SAs belong to the attachment and are not touched. */
export function forgetIkeSa(context: Context, sa: IkeSa): void {
  const { tables } = context
  const { state } = sa
  tables.bySpi.delete(sa.localSpi)
  tables.timers.remove(sa)
  context.touched.delete(sa)
  if ('digest' in state) tables.halfOpen.delete(state.digest)
  if ('ask' in state) tables.asks.delete(state.ask.ticket)
  if ('attachment' in state) dropOther(state.attachment, sa)
  if ((state.phase === 'authSent' || state.phase === 'trustAsked') && state.spiIn !== null)
    context.effects.push({ kind: 'releaseSpi', spiIn: state.spiIn })
  endEap(context, state)
  wipeProof(state)
  if (state.phase === 'initSent' || state.phase === 'resumeSent') return
  releaseAttempt(context, state.channel)
  wipe(state.channel)
}

/** Keeps an IKE SA only to repeat its last response, for as long as the peer may repeat its request (RFC 7296 1.4.1). */
export function lingerClosed(context: Context, sa: IkeSa, channel: Channel): void {
  if ('attachment' in sa.state) dropOther(sa.state.attachment, sa)
  releaseAttempt(context, channel)
  channel.pending = null
  const expiresAtMs = context.env.nowMs + retransmissionSpanMs(context.config.timing)
  sa.state = { phase: 'closed', channel, expiresAtMs }
  context.touched.add(sa)
}

/**
 * Ends an attachment at once, without a word to the peer.
 *
 * @param answered an IKE SA that still has to repeat the response just sent; the others are forgotten.
 */
export function closeAttachment(
  context: Context,
  attachment: Attachment,
  reason: CloseReason,
  answered: IkeSa | null = null,
): void {
  if (attachment.stage === 'closed') return
  for (const child of attachment.children) context.effects.push(removal(attachment, child))
  for (const entry of attachment.unfinished) dropUnfinished(context, attachment, entry)
  attachment.children = []
  attachment.tasks = []
  const ikeSas = attachment.current === null ? attachment.others : [...attachment.others, attachment.current]
  if (attachment.stage === 'established') context.tables.established -= 1
  if (attachment.presence !== null) context.tables.halfOpen.detached(attachment.presence)
  const isUnknownOutside = attachment.stage === 'forming' && attachment.role === 'initiator'
  attachment.stage = 'closed'
  for (const sa of ikeSas) {
    if (sa === answered && 'channel' in sa.state) lingerClosed(context, sa, sa.state.channel)
    else forgetIkeSa(context, sa)
  }
  context.tables.attachments.delete(attachment.key)
  if (isUnknownOutside) return
  emit(context, { kind: 'closed', key: attachment.key, subject: attachment.subject, reason })
}

/** Ends an IKE SA of ours as responder that is not authenticated to the end, without a word to the peer. */
export function closeHalfOpen(context: Context, sa: IkeSa, reason: CloseReason): void {
  const { state } = sa
  forgetIkeSa(context, sa)
  if (state.phase === 'eapProven' || (state.phase === 'eapSent' && !state.eap.isLost)) {
    const detail = 'the peer went silent during EAP'
    const { path } = sa.route
    reportFailure(context, { path, subject: null, idI: state.claim.idI, stage: 'eap', reason, detail })
  }
  if (state.phase === 'attachAsked') closeAttachment(context, state.attachment, reason)
}

/** Without a good credential a peer sends and receives nothing more, however long the Delete takes. */
export function endTraffic(context: Context, attachment: Attachment): void {
  for (const child of attachment.children) removeChild(context, attachment, child)
}

/** Takes one Child SA out of the data plane. */
export function removeChild(context: Context, attachment: Attachment, child: ChildSa): void {
  dropChild(attachment, child)
  context.effects.push(removal(attachment, child))
  emit(context, { kind: 'childClosed', key: attachment.key, spiIn: child.spiIn })
}

function removal(attachment: Attachment, child: ChildSa): Context['effects'][number] {
  return { kind: 'removeChildSa', key: attachment.key, spiIn: child.spiIn }
}

/** Forgets what the peer had under way in IKE_FOLLOWUP_KE. */
export function dropUnfinished(context: Context, attachment: Attachment, entry: Unfinished): void {
  removeUnfinished(attachment, entry)
  wipeSecrets(entry.secrets)
  if (entry.kind === 'ike') wipeSecrets([entry.input.sharedSecret])
  else {
    wipeSecrets([entry.input.secrets?.sharedSecret])
    context.effects.push({ kind: 'releaseSpi', spiIn: entry.input.spiIn })
  }
}

/** Gives back what the request under way had allocated; the caller ends that request. */
export function releaseAttempt(context: Context, channel: Channel): void {
  const attempt = channel.pending?.attempt
  if (attempt?.kind === 'rekeyChild' || attempt?.kind === 'createChild')
    context.effects.push({ kind: 'releaseSpi', spiIn: attempt.spiIn })
}

/** Tells the driver that an EAP run will not go on. */
export function endEap(context: Context, state: IkeSaState): void {
  if ('eap' in state) context.effects.push({ kind: 'endEap', session: state.eap.session })
}

/** How far an attempt came that ends in this state. */
export function stageOf({ phase }: IkeSaState): AttemptStage {
  if (phase === 'attachAsked') return 'attach'
  if (phase === 'resumeAnswered' || phase === 'resumeAsked') return 'resume'
  if (phase === 'intermediateAwaited' || phase === 'intermediateSent') return 'intermediate'
  return phase === 'eapAsked' || phase === 'eapSent' || phase === 'eapProven' ? 'eap' : 'auth'
}

/** What only authentication needs. */
export function wipeProof(state: IkeSaState): void {
  if (state.phase === 'attachAsked' && state.ownProof.kind === 'sharedKey') state.ownProof.authKey.fill(0)
  if (state.phase === 'eapProven') state.msk?.fill(0)
  if (!('init' in state)) return
  state.init.skPi.fill(0)
  state.init.skPr.fill(0)
}

function wipe(channel: Channel): void {
  channel.skD.fill(0)
  for (const keys of [channel.sending, channel.receiving, channel.formerReceiving]) {
    if (keys === null) continue
    keys.encrKey.fill(0)
    keys.integKey.fill(0)
  }
}

/** Tells people why an attempt came to nothing. `detail` is ours, never text of the peer. */
export function reportFailure(
  context: Context,
  failure: {
    readonly path: Path
    readonly subject: string | null
    readonly idI: Identity | null
    readonly stage: AttemptStage
    readonly reason: CloseReason
    readonly detail: string
    readonly offered?: readonly Proposal[]
  },
): void {
  emit(context, { kind: 'attemptFailed', ...failure, offered: failure.offered ?? null })
}
