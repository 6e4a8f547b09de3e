/**
 * Answers of the driver, by ticket. One that is late, doubled, for nobody or of the wrong kind does nothing.
 */
import type { Answer } from './contract.ts'
import type { Context } from './context.ts'
import { answerAttach } from '../exchanges/ike-auth/answer-attach.ts'
import { answerCredential } from '../exchanges/ike-auth/answer-credential.ts'
import { answerEap } from '../exchanges/ike-auth/answer-eap.ts'
import { answerResume } from '../exchanges/session-resume/receive-auth.ts'
import { answerTrust } from '../exchanges/ike-auth/receive-response.ts'

export function hearAnswer(context: Context, ticket: number, answer: Answer): void {
  const { asks } = context.tables
  const sa = asks.get(ticket)
  if (sa === undefined) return
  const { state } = sa
  if (state.phase === 'credentialAsked' && answer.kind === 'credential') {
    asks.delete(ticket)
    answerCredential(context, sa, state, answer)
  } else if (state.phase === 'resumeAsked' && answer.kind === 'resume') {
    asks.delete(ticket)
    answerResume(context, sa, state, answer)
  } else if (state.phase === 'eapAsked' && answer.kind === 'eap') {
    asks.delete(ticket)
    answerEap(context, sa, state, answer)
  } else if (state.phase === 'trustAsked' && answer.kind === 'trust') {
    asks.delete(ticket)
    answerTrust(context, sa, state, answer)
  } else if (state.phase === 'attachAsked' && answer.kind === 'attach') {
    asks.delete(ticket)
    answerAttach(context, sa, state, answer)
  }
}
