/**
 * IKE_AUTH request, second half: what the driver knows of the claimed identity comes in, and the proof is checked with it
 * (RFC 7296 2.15).
 *
 * ```
 *   credential known and proven   -->  ask attach
 *   anything wrong with it        <--  HDR, SK {N(AUTHENTICATION_FAILED)}                       rejected
 * ```
 */
import type { Answer } from '../../endpoint/contract.ts'
import { ask, type Context } from '../../endpoint/context.ts'
import { policyOfPeer } from '../../endpoint/policies.ts'
import { newAttachmentKey } from '../../endpoint/tables.ts'
import { AUTH_METHOD } from '../../message/numbers.ts'
import { createAttachment } from '../../sa/attachment.ts'
import type { CredentialAsked, IkeSa } from '../../sa/ike-sa.ts'
import { prfOf } from '../ike-keys.ts'
import { findProvenPsk } from './psk.ts'
import { rejectPeer, rejectTier } from './reject.ts'

type CredentialAnswer = Extract<Answer, { kind: 'credential' }>

/** Checks the proof with what was found; goes on to ask whether the peer may attach. */
export function answerCredential(
  context: Context,
  sa: IkeSa,
  state: CredentialAsked,
  { found }: CredentialAnswer,
): void {
  const { env, tables } = context
  const { claim, channel, init } = state
  const proof = { init, idBody: claim.idBody, authData: claim.authData }
  const psk = findProvenPsk(env, prfOf(env.crypto, channel), proof, found?.candidates ?? [])
  if (found === null || found.subject === null || psk === null || claim.authMethod !== AUTH_METHOD.SHARED_KEY_MIC) {
    const detail = found === null ? 'identity not known' : 'no proof of a valid secret'
    rejectPeer(context, sa, state, { subject: null, reason: 'authenticationFailed', detail })
    return
  }
  const { subject } = found
  const policy = policyOfPeer(context, channel, found.tiers)
  if (policy === null) {
    rejectTier(context, sa, state, subject)
    return
  }
  const key = newAttachmentKey(tables)
  const attachment = createAttachment({ key, subject, role: 'responder', route: sa.route, policy }, env.nowMs)
  const asked = ask(context, sa, {
    kind: 'attach',
    key,
    subject,
    credential: psk.id,
    proof: 'psk',
    requested: claim.requested,
    initialContact: claim.initialContact,
    path: sa.route.path,
  })
  sa.state = { ...state, phase: 'attachAsked', ask: asked, attachment, credential: psk.id, psk: psk.secret.slice() }
}
