/**
 * From a row of the transition table to the code that acts upon it, and the check that the next phase is one of the row's.
 */
import type { Context, Received } from './context.ts'
import { receiveEapAuth, receiveEapResponse } from '../exchanges/ike-auth/receive-eap.ts'
import { receiveAuthRequest } from '../exchanges/ike-auth/receive-request.ts'
import { receiveAuthResponse } from '../exchanges/ike-auth/receive-response.ts'
import { receiveFollowUpRequest } from '../exchanges/ike-followup-ke/receive-request.ts'
import { receiveFollowUpResponse } from '../exchanges/ike-followup-ke/receive-response.ts'
import { receiveIntermediateResponse } from '../exchanges/ike-intermediate/initiate.ts'
import { receiveIntermediateRequest } from '../exchanges/ike-intermediate/receive-request.ts'
import { receiveCreateChildSaRequest } from '../exchanges/create-child-sa/receive-request.ts'
import { receiveCreateChildSaResponse } from '../exchanges/create-child-sa/receive-response.ts'
import { receiveInformationalRequest } from '../exchanges/informational/receive-request.ts'
import { receiveResumedAuth } from '../exchanges/session-resume/receive-auth.ts'
import { receiveInformationalResponse } from '../exchanges/informational/receive-response.ts'
import type { MessageRow } from '../sa/transition-table.ts'

/** The message fits the row. A response ends the request it answers. */
export function hear(context: Context, row: MessageRow, received: Received): void {
  const { sa, channel } = received
  const { state } = sa
  const { pending } = channel
  if (row.role === 'response') channel.pending = null
  switch (row.handler) {
    case 'intermediateRequest':
      if (state.phase === 'intermediateAwaited') receiveIntermediateRequest(context, received, state)
      break
    case 'intermediateResponse':
      if (state.phase === 'intermediateSent') receiveIntermediateResponse(context, received, state)
      break
    case 'authRequest':
      if (state.phase === 'initAnswered') receiveAuthRequest(context, received, state)
      break
    case 'resumedAuth':
      if (state.phase === 'resumeAnswered') receiveResumedAuth(context, received, state)
      break
    case 'eapResponse':
      if (state.phase === 'eapSent') receiveEapResponse(context, received, state)
      break
    case 'eapAuth':
      if (state.phase === 'eapProven') receiveEapAuth(context, received, state)
      break
    case 'authResponse':
      if (state.phase === 'authSent') receiveAuthResponse(context, received, state)
      break
    case 'createChildSaRequest':
      if ('attachment' in state) receiveCreateChildSaRequest(context, received, state.attachment)
      break
    case 'createChildSaResponse':
      if ('attachment' in state && pending !== null) {
        receiveCreateChildSaResponse(context, received, state.attachment, pending.attempt)
      }
      break
    case 'followUpKeRequest':
      if ('attachment' in state) receiveFollowUpRequest(context, received, state.attachment)
      break
    case 'followUpKeResponse':
      if ('attachment' in state && pending !== null) {
        receiveFollowUpResponse(context, received, state.attachment, pending.attempt)
      }
      break
    case 'informationalRequest':
      if ('attachment' in state) receiveInformationalRequest(context, received, state.attachment)
      break
    case 'informationalResponse':
      if ('attachment' in state && pending !== null) {
        receiveInformationalResponse(context, received, state.attachment, pending)
      }
      break
    case 'resumeRequest':
    case 'resumeResponse':
    case 'initRequest':
    case 'initResponse':
      break
  }
  const isKnown = context.tables.bySpi.get(sa.localSpi) === sa
  context.observe?.(row, isKnown ? sa.state.phase : 'gone')
}
