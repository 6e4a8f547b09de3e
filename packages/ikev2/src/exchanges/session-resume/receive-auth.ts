/**
 * IKE_AUTH on a resumed IKE SA as responder (RFC 5723 4.3.3, 5.2).
 *
 * ```
 *   HDR, SK {IDi, [IDr], AUTH, [CP], SAi2, TSi, TSr, N(..)}  -->     proven with SK_pi: ask resume
 *   first use, credential still good                         -->     ask attach
 *   anything wrong with it                                  <--      HDR, SK {N(AUTHENTICATION_FAILED)}       rejected
 * ```
 */
import { constantTimeEqual } from '@culvert/bytes'
import type { Answer } from '../../endpoint/contract.ts'
import { ask, type Context, type Received } from '../../endpoint/context.ts'
import { answerFatally } from '../../endpoint/fatal.ts'
import { AUTH_METHOD } from '../../message/numbers.ts'
import type { AuthClaim, IkeSa, ResumeAnswered, ResumeAsked } from '../../sa/ike-sa.ts'
import { askAttach } from '../ike-auth/ask-attach.ts'
import { authOctets } from '../ike-auth/auth-octets.ts'
import { beginAnswer, isWholeChildRequest, readClaim } from '../ike-auth/receive-request.ts'
import { rejectPeer } from '../ike-auth/reject.ts'
import { prfOf } from '../ike-keys.ts'

type ResumeAnswer = Extract<Answer, { kind: 'resume' }>

export function receiveResumedAuth(context: Context, received: Received, state: ResumeAnswered): void {
  if (!isWholeChildRequest(context, received)) {
    answerFatally(context, received)
    return
  }
  const { sa } = received
  const claim = readClaim(received)
  if (claim === null || !beginAnswer(received)) return
  const { messageId, idI } = claim
  const { subject, credential, ticketId, ppkMixed } = state.resumed
  if (!isProven(context, state, claim)) {
    const detail = 'no proof of the keys behind the ticket'
    rejectPeer(context, sa, { ...state, claim }, { messageId, subject: null, reason: 'authenticationFailed', detail })
    return
  }
  context.tables.usedTickets.add(ticketId)
  const { tier } = received.channel.transforms
  const { path } = received
  const question = { kind: 'resume', idI, subject, credential, ticketId, tier, ppkMixed, path } as const
  sa.state = { ...state, phase: 'resumeAsked', claim, ask: ask(context, sa, question) }
  context.touched.add(sa)
}

/** The same identity as before, and the keys that only the old IKE SA gave. */
function isProven({ env }: Context, { channel, init, resumed }: ResumeAnswered, claim: AuthClaim): boolean {
  const prf = prfOf(env.crypto, channel)
  const octets = authOctets(prf, init, 'initiator', claim.idBody, init.skPi)
  const isSame = constantTimeEqual(claim.idBody, resumed.idBody)
  const isMade = constantTimeEqual(prf.compute(init.skPi, ...octets), claim.auth.data)
  return isSame && isMade && claim.auth.method === AUTH_METHOD.SHARED_KEY_MIC
}

export function answerResume(context: Context, sa: IkeSa, state: ResumeAsked, { isAllowed }: ResumeAnswer): void {
  const { claim, resumed, init, channel } = state
  const { messageId } = claim
  const { subject, credential, ppkMixed } = resumed
  if (!isAllowed) {
    const detail = 'the ticket was used before, or its credential is not good any more'
    rejectPeer(context, sa, state, { messageId, subject, reason: 'authenticationFailed', detail })
    return
  }
  const { tier } = channel.transforms
  const tiers = tier === null ? undefined : [tier]
  const ownProof = { kind: 'sharedKey', authKey: init.skPr.slice() } as const
  askAttach(context, sa, state, { messageId, subject, credential, proof: 'ticket', tiers, ownProof, ppkMixed })
}
