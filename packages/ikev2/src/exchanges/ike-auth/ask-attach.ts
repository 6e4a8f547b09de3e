/**
 * The peer has proven who it is: asks whether it may attach (RFC 7296 2.15). From here on it has an attachment.
 */
import type { ProofKind, TierName } from '../../endpoint/contract.ts'
import { ask, type Context } from '../../endpoint/context.ts'
import { policyOfPeer } from '../../endpoint/policies.ts'
import { newAttachmentKey } from '../../endpoint/tables.ts'
import type { MessageId } from '../../message/model.ts'
import { createAttachment } from '../../sa/attachment.ts'
import type { CredentialAsked, EapProven, IkeSa, OwnProof, ResumeAsked } from '../../sa/ike-sa.ts'
import { wipeOwnProof } from './own-proof.ts'
import { rejectTier } from './reject.ts'

export interface Proven {
  /** The request whose AUTH payload was good. */
  readonly messageId: MessageId
  readonly subject: string
  readonly credential: string | null
  readonly proof: ProofKind | 'ticket'
  /** Those its credential may use; left out for any. */
  readonly tiers: readonly TierName[] | undefined
  readonly ownProof: OwnProof
  /** A PPK was mixed into the keys. */
  readonly ppkMixed: boolean
}

export function askAttach(
  context: Context,
  sa: IkeSa,
  state: CredentialAsked | EapProven | ResumeAsked,
  proven: Proven,
): void {
  const { env, tables } = context
  const { claim, channel, init, digest, expiresAtMs } = state
  const { messageId, subject, credential, proof, ownProof, ppkMixed } = proven
  const policy = policyOfPeer(context, channel, proven.tiers)
  if (policy === null) {
    wipeOwnProof(ownProof)
    rejectTier(context, sa, state, proven)
    return
  }
  const key = newAttachmentKey(tables)
  const attachment = createAttachment({ key, subject, role: 'responder', route: sa.route, policy }, env.nowMs)
  const asked = ask(context, sa, {
    kind: 'attach',
    key,
    subject,
    credential,
    proof,
    requested: claim.requested,
    initialContact: claim.initialContact,
    path: sa.route.path,
  })
  if (state.phase === 'eapProven') state.msk?.fill(0)
  sa.state = {
    phase: 'attachAsked',
    channel,
    init,
    digest,
    expiresAtMs,
    ask: asked,
    claim,
    messageId,
    attachment,
    credential,
    proof,
    ownProof,
    ppkMixed,
  }
  context.touched.add(sa)
}
