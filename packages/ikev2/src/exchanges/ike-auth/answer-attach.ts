/**
 * The last response of IKE_AUTH: the peer has proven who it is, and the driver said whether it may attach (RFC 7296 1.2, 2.21.2).
 *
 * ```
 *   may not attach                <--  HDR, SK {N(AUTHENTICATION_FAILED)}                       rejected
 *   goes elsewhere                <--  HDR, SK {IDr, AUTH, N(REDIRECT)}                         established, to be left
 *   may attach                    <--  HDR, SK {IDr, AUTH, [CP], SAr2, TSi, TSr}                established
 *   may attach, no Child SA       <--  HDR, SK {IDr, AUTH, N(why)}                              established (C33)
 * ```
 */
import { closeAttachment, wipeProof } from '../../endpoint/closing.ts'
import type { Answer, AttachGrant, GatewayIdentity } from '../../endpoint/contract.ts'
import { type Context, emit } from '../../endpoint/context.ts'
import { respond } from '../../endpoint/outbound.ts'
import { identityBody } from '../../message/identity-codec.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { allowSelectors, type Attachment } from '../../sa/attachment.ts'
import type { ChildSa } from '../../sa/child-sa.ts'
import type { AttachAsked, IkeSa } from '../../sa/ike-sa.ts'
import { answerChildRequest } from '../child-answer.ts'
import { childSummary } from '../child-keys.ts'
import { prfOf } from '../ike-keys.ts'
import { establishIkeSa, ikeSummary } from '../ike-establish.ts'
import { notify } from '../notify.ts'
import { awaitLeaving, redirectPayload } from '../redirect/attached.ts'
import { cameFollowing } from '../redirect/newcomers.ts'
import { reportRefusal } from '../report-refusal.ts'
import { authOctets } from './auth-octets.ts'
import { answerTicketRequest } from '../session-resume/grant.ts'
import { replyFor } from './configuration.ts'
import { answerWishes } from './extensions.ts'
import { authPayload, certificatePayloads } from './own-proof.ts'
import { ppkConfirmation } from './ppk.ts'
import { rejectPeer } from './reject.ts'

type AttachAnswer = Extract<Answer, { kind: 'attach' }>

/** Establishes the IKE SA and, if it can be, the first Child SA. */
export function answerAttach(context: Context, sa: IkeSa, state: AttachAsked, answer: AttachAnswer): void {
  const { attachment } = state
  const { grant, refusal } = answer
  if (grant === null && answer.redirect !== undefined && cameFollowing(context, state.init.request)) {
    sendElsewhere(context, sa, state, answer.redirect)
    return
  }
  const isRefused = grant === null && refusal !== 'addressFailure'
  if (isRefused || !hasRoom(context, attachment, grant)) {
    const detail = isRefused ? 'attachment refused' : 'no room for another attachment'
    const { messageId } = state
    rejectPeer(context, sa, state, { messageId, subject: attachment.subject, reason: 'refused', detail })
    closeAttachment(context, attachment, 'refused')
    return
  }
  establish(context, sa, state, grant)
}

/** The IKE SA stands only for the peer to hear in confidence where to go, and to leave. */
function sendElsewhere(context: Context, sa: IkeSa, state: AttachAsked, to: GatewayIdentity): void {
  const { attachment, channel, messageId } = state
  const redirect = redirectPayload(to)
  const proof = proofPayloads(context, state)
  wipeProof(state)
  establishIkeSa(context, attachment, sa, channel)
  const exchange = { sa, channel, exchangeType: EXCHANGE.IKE_AUTH }
  respond(context, exchange, messageId, [...proof, ...(redirect === null ? [] : [redirect])], sa.route.path)
  awaitLeaving(context, attachment)
}

/** A device that is attached may always take the place of its own attachment. */
function hasRoom({ config, tables }: Context, attachment: Attachment, grant: AttachGrant | null): boolean {
  if (tables.established < config.maxIkeSas) return true
  return (grant?.replaces ?? []).some((key) => {
    const other = tables.attachments.get(key)
    return other !== undefined && isOlderOf(attachment, other)
  })
}

/** Whatever keys a grant names, nobody closes the attachment of another subject. */
function isOlderOf(attachment: Attachment, other: Attachment): boolean {
  return other !== attachment && other.subject === attachment.subject
}

function establish(context: Context, sa: IkeSa, state: AttachAsked, grant: AttachGrant | null): void {
  const { tables } = context
  const { attachment, channel, claim, messageId } = state
  const proof = proofPayloads(context, state)
  wipeProof(state)
  establishIkeSa(context, attachment, sa, channel)
  const extensions = answerWishes(context, attachment, claim.wishes, grant)
  const ticket = answerTicketRequest(context, state, grant)
  attachment.followsRedirects = cameFollowing(context, state.init.request)
  const first = grant === null ? addressFailure() : firstChild(context, attachment, state, grant)
  const exchange = { sa, channel, exchangeType: EXCHANGE.IKE_AUTH }
  respond(context, exchange, messageId, [...proof, ...first.payloads, ...extensions, ...ticket], sa.route.path)
  emit(context, {
    kind: 'established',
    key: attachment.key,
    subject: attachment.subject,
    role: 'responder',
    ike: ikeSummary(sa, channel),
    credential: state.credential,
    proof: state.proof,
    ip4: grant?.ip4 ?? null,
    ip6: grant?.ip6 ?? null,
  })
  if (first.child !== null) {
    emit(context, { kind: 'childEstablished', key: attachment.key, child: childSummary(first.child) })
  } else if (first.payloads[0] !== undefined) reportRefusal(context, attachment, first.payloads[0], claim.proposals)
  for (const key of grant?.replaces ?? []) {
    const other = tables.attachments.get(key)
    if (other !== undefined && isOlderOf(attachment, other)) closeAttachment(context, other, 'superseded')
  }
}

/** IDr and certificates, unless an earlier response of EAP brought them, AUTH, and whether a PPK is in use. */
function proofPayloads({ env, config }: Context, state: AttachAsked): readonly Payload[] {
  const { channel, init, ownProof, proof, ppkMixed } = state
  const prf = prfOf(env.crypto, channel)
  const octets = authOctets(prf, init, 'responder', identityBody(config.localId), init.skPr)
  const introduction: readonly Payload[] =
    proof === 'eap' ? [] : [{ kind: 'idR', id: config.localId }, ...certificatePayloads(ownProof)]
  return [...introduction, authPayload(prf, ownProof, octets), ...ppkConfirmation(ppkMixed && proof !== 'ticket')]
}

interface FirstChild {
  readonly child: ChildSa | null
  readonly payloads: readonly Payload[]
}

function addressFailure(): FirstChild {
  return { child: null, payloads: [notify(NOTIFY.INTERNAL_ADDRESS_FAILURE)] }
}

function firstChild(context: Context, attachment: Attachment, state: AttachAsked, grant: AttachGrant): FirstChild {
  const { claim, channel, init } = state
  allowSelectors(attachment, grant)
  const reply = replyFor(claim.configuration, grant)
  if (reply === null) return addressFailure()
  if (claim.wishes.childless) return { child: null, payloads: reply }
  const answer = answerChildRequest(context, attachment, {
    prf: prfOf(context.env.crypto, channel),
    skD: channel.skD,
    proposals: claim.proposals,
    kePolicy: 'absent',
    ke: null,
    nonceI: init.nonceI,
    nonceR: init.nonceR,
    tsI: claim.tsI,
    tsR: claim.tsR,
    transportMode: claim.wishes.transportMode,
    replaces: null,
  })
  if (answer.ok) return { child: answer.child, payloads: [...reply, answer.sa, ...answer.selectors] }
  const lacksAddress = reply.length === 0 && isNotify(answer.refusal, NOTIFY.TS_UNACCEPTABLE)
  return { child: null, payloads: [lacksAddress ? notify(NOTIFY.FAILED_CP_REQUIRED) : answer.refusal] }
}

function isNotify(payload: Payload, type: number): boolean {
  return payload.kind === 'notify' && payload.type === type
}
