/**
 * The responder has proven itself: our attachment stands, with or without a Child SA (RFC 7296 1.2, C33).
 */
import { wipeProof } from '../../endpoint/closing.ts'
import { type Context, emit } from '../../endpoint/context.ts'
import type { Payload, Spi } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { readU32 } from '../../message/octets.ts'
import { checkChoice } from '../../proposal/offer.ts'
import { childSuitesOf } from '../../proposal/peer-policy.ts'
import { addTask, allowSelectors, type Attachment } from '../../sa/attachment.ts'
import type { ChildSa } from '../../sa/child-sa.ts'
import type { AuthSent, IkeSa, TrustAsked } from '../../sa/ike-sa.ts'
import { findNotify, findPayload, firstError } from '../../sa/payload-shape.ts'
import { narrow } from '../../traffic-selector/narrow.ts'
import { childSummary, installChild, protocolsFor, resolveChildSuite } from '../child-keys.ts'
import { establishIkeSa, ikeSummary } from '../ike-establish.ts'
import { prfOf } from '../ike-keys.ts'
import { protocolIdOf } from '../notify.ts'
import { originalAddressesOf } from '../transport-mode.ts'
import { followRedirect } from '../redirect/attached.ts'
import { hearTicket } from '../session-resume/grant.ts'
import { assignedAddresses } from './configuration.ts'
import { hearExtensions } from './extensions.ts'
import { firstChildProposals } from './initiate.ts'

type InitiatorState = AuthSent | TrustAsked

/** @param payloads of the response with the AUTH payload that was checked. */
export function completeInitiation(
  context: Context,
  sa: IkeSa,
  state: InitiatorState,
  payloads: readonly Payload[],
): void {
  const { attachment, channel } = state
  const { ip4, ip6 } = assignedAddresses(findPayload(payloads, 'cp'))
  wipeProof(state)
  attachment.transportMode = state.peer.transportMode === true
  establishIkeSa(context, attachment, sa, channel)
  const child = firstChild(context, state, payloads)
  if (child === null) giveUpChild(context, state, payloads)
  if (child === null && followRedirect(context, attachment, payloads)) return
  const ike = ikeSummary(sa, channel)
  const { key, subject } = attachment
  emit(context, { kind: 'established', key, subject, role: 'initiator', ike, credential: null, proof: null, ip4, ip6 })
  if (child !== null) emit(context, { kind: 'childEstablished', key, child: childSummary(child) })
  else if (state.spiIn !== null) tellRefusal(context, attachment, payloads)
  hearExtensions(context, attachment, payloads)
  hearTicket(context, attachment, channel, payloads)
}

/** The IKE SA stays without a Child SA; unless the responder believes in one that is not what we offered. */
function giveUpChild(context: Context, { attachment, spiIn }: InitiatorState, payloads: readonly Payload[]): void {
  if (spiIn !== null) context.effects.push({ kind: 'releaseSpi', spiIn })
  if (findPayload(payloads, 'sa') === null) return
  addTask(attachment, { work: { kind: 'deleteIke', reason: 'protocolError' }, notBeforeMs: 0, refusals: 0 })
}

/** The first Child SA was asked for and is not there: whoever wants to carry something has to know. */
function tellRefusal(context: Context, { key }: Attachment, payloads: readonly Payload[]): void {
  const error = firstError(payloads)
  if (error !== null) emit(context, { kind: 'childRefused', key, notify: error.type, offered: null })
}

/** @returns null when the responder refused it or chose what we did not offer. */
function firstChild(context: Context, state: InitiatorState, payloads: readonly Payload[]): ChildSa | null {
  const { attachment, channel, init, peer, spiIn } = state
  const answered = findPayload(payloads, 'sa')
  const tsLocal = narrow(findPayload(payloads, 'tsI')?.selectors ?? [], peer.tsLocal)
  const tsRemote = narrow(findPayload(payloads, 'tsR')?.selectors ?? [], peer.tsRemote)
  if (spiIn === null || answered === null || tsLocal === null || tsRemote === null) return null
  const isTransport = findNotify(payloads, NOTIFY.USE_TRANSPORT_MODE) !== null
  if (isTransport && peer.transportMode !== true) return null
  const { policy } = attachment
  if (!protocolsFor(attachment, null).includes(policy.proposes)) return null
  const options = { protocolId: protocolIdOf(policy.proposes), kePolicy: 'absent' } as const
  const offered = firstChildProposals(attachment, spiIn)
  const selected = checkChoice(childSuitesOf(policy, policy.proposes), offered, answered.proposals, options)
  const suite = selected === null ? null : resolveChildSuite(context.env, selected)
  if (selected === null || suite === null || selected.proposal.spi.length !== 4) return null
  allowSelectors(attachment, peer) // the responder may grant more of it later
  const mode = isTransport ? 'transport' : 'tunnel'
  return installChild(context, attachment, {
    prf: prfOf(context.env.crypto, channel),
    skD: channel.skD,
    suite,
    nonceI: init.nonceI,
    nonceR: init.nonceR,
    secrets: null,
    exchangeInitiator: true,
    spiIn,
    spiOut: readU32(selected.proposal.spi, 0) as Spi,
    mode,
    tsLocal,
    tsRemote,
    originalAddresses: originalAddressesOf(mode, attachment.route),
    outbound: true,
    replaces: null,
  })
}
