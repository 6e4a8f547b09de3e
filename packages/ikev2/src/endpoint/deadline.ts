/**
 * When an IKE SA needs the next wake, worked out from its state alone; Infinity for never.
 */
import type { EndpointTiming, MonotonicMs } from './contract.ts'
import type { Attachment } from '../sa/attachment.ts'
import { unfinishedDueMs } from '../sa/unfinished.ts'
import { channelDueMs } from '../sa/channel.ts'
import { childSaDueMs } from '../sa/child-sa.ts'
import type { Established, IkeSa } from '../sa/ike-sa.ts'

export function ikeSaDueMs(timing: EndpointTiming, sa: IkeSa): MonotonicMs {
  const { state } = sa
  switch (state.phase) {
    case 'initSent':
    case 'resumeSent':
      return state.retransmission.dueMs
    case 'initAnswered':
    case 'resumeAnswered':
    case 'resumeAsked':
    case 'intermediateAwaited':
    case 'credentialAsked':
    case 'eapAsked':
    case 'eapSent':
    case 'eapProven':
    case 'attachAsked':
    case 'trustAsked':
    case 'rejected':
    case 'closed':
      return state.expiresAtMs
    case 'intermediateSent':
    case 'authSent':
    case 'deleting':
      return channelDueMs(state.channel)
    case 'replaced':
      return Math.min(state.expiresAtMs, channelDueMs(state.channel))
    case 'established':
      return state.attachment.current === sa ? currentDueMs(timing, state) : channelDueMs(state.channel)
  }
}

function currentDueMs(timing: EndpointTiming, state: Established): MonotonicMs {
  const { attachment, channel, rekeyAtMs, expiresAtMs } = state
  const { authExpiresAtMs } = attachment
  let dueMs = Math.min(
    channelDueMs(channel),
    rekeyAtMs,
    expiresAtMs,
    authExpiresAtMs,
    unfinishedDueMs(attachment),
    keepaliveDueMs(timing, attachment),
  )
  for (const child of attachment.children) dueMs = Math.min(dueMs, childSaDueMs(child))
  if (channel.pending !== null) return dueMs
  for (const task of attachment.tasks) dueMs = Math.min(dueMs, task.notBeforeMs)
  return Math.min(dueMs, livenessDueMs(timing, attachment))
}

/** End of the silence after which we ask whether the peer lives. */
export function livenessDueMs({ livenessMs }: EndpointTiming, { heardAtMs }: Attachment): MonotonicMs {
  return livenessMs === 0 ? Infinity : heardAtMs + livenessMs
}

/** Only the end behind the NAT keeps its mapping open (RFC 3948 4). */
export function keepaliveDueMs({ natKeepaliveMs }: EndpointTiming, { role, route }: Attachment): MonotonicMs {
  if (natKeepaliveMs === 0 || role !== 'initiator' || !route.localBehindNat) return Infinity
  return route.sentAtMs + natKeepaliveMs
}
