/**
 * Tickets in IKE_AUTH (RFC 5723 4.1): the initiator asks for one, the responder gives it or says no.
 *
 * ```
 *   HDR, SK {IDi, ..., N(TICKET_REQUEST)}  -->
 *                                         <--  HDR, SK {IDr, ..., N(TICKET_LT_OPAQUE: lifetime, ticket) | N(TICKET_NACK)}
 * ```
 *
 * A ticket lives no longer than the authentication behind it (RFC 4478), and where that is limited a resumed IKE SA gives none:
 * else a chain of tickets would outlive it.
 */
import type { AttachGrant, InitiatorConfig } from '../../endpoint/contract.ts'
import { type Context, emit } from '../../endpoint/context.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { concatBytes, readU32, writeU32 } from '../../message/octets.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { AttachAsked } from '../../sa/ike-sa.ts'
import { findNotify } from '../../sa/payload-shape.ts'
import { notify } from '../notify.ts'
import { encodeState, encodeTicket } from './ticket.ts'

const TICKET_ID_BYTES = 16
const LIFETIME_BYTES = 4
/** A notify has to fit its payload, and the ticket comes back in one datagram that is never fragmented. */
const MAX_TICKET_BYTES = 1_024

/** As responder: the answer to TICKET_REQUEST; nothing for who did not ask, or without the feature. */
export function answerTicketRequest(
  context: Context,
  state: AttachAsked,
  grant: AttachGrant | null,
): readonly Payload[] {
  const { config } = context
  if (!state.claim.wishes.ticket || config.features?.resumption !== true) return []
  const lifetimeMs = ticketLifetimeMs(state, grant)
  const ticket = lifetimeMs === null ? null : sealTicket(context, state, lifetimeMs)
  if (lifetimeMs === null || ticket === null) return [notify(NOTIFY.TICKET_NACK)]
  const lifetime = new Uint8Array(LIFETIME_BYTES)
  writeU32(lifetime, 0, Math.floor(lifetimeMs / 1000))
  return [notify(NOTIFY.TICKET_LT_OPAQUE, concatBytes(lifetime, ticket))]
}

function ticketLifetimeMs({ proof }: AttachAsked, grant: AttachGrant | null): number | null {
  const lifetimeMs = grant?.ticketLifetimeMs ?? null
  const authLifetimeMs = grant?.authLifetimeMs ?? null
  if (lifetimeMs === null || authLifetimeMs === null) return lifetimeMs
  return proof === 'ticket' ? null : Math.min(lifetimeMs, authLifetimeMs)
}

function sealTicket({ env }: Context, state: AttachAsked, lifetimeMs: number): Uint8Array | null {
  const { claim, attachment, credential, channel } = state
  const content = encodeTicket({
    id: env.rng(TICKET_ID_BYTES),
    idBody: claim.idBody,
    subject: attachment.subject,
    credential,
    transforms: channel.transforms,
    skD: channel.skD,
    ppkMixed: state.ppkMixed,
  })
  const ticket = env.tickets?.seal(content, lifetimeMs) ?? null
  content.fill(0)
  return ticket === null || ticket.length > MAX_TICKET_BYTES ? null : ticket
}

/** As initiator: that a ticket is wanted. */
export function ticketWish({ config }: Context, { requestTicket }: InitiatorConfig): readonly Payload[] {
  return requestTicket === true && config.features?.resumption === true ? [notify(NOTIFY.TICKET_REQUEST)] : []
}

/** As initiator: the ticket in a response, for the driver to keep. */
export function hearTicket(
  context: Context,
  { key }: Attachment,
  channel: Channel,
  payloads: readonly Payload[],
): void {
  const given = context.config.features?.resumption === true ? findNotify(payloads, NOTIFY.TICKET_LT_OPAQUE) : null
  if (given === null || given.data.length <= LIFETIME_BYTES) return
  const ticket = { ticket: given.data.slice(LIFETIME_BYTES), state: encodeState(channel) }
  emit(context, { kind: 'ticket', key, ticket, lifetimeMs: readU32(given.data, 0) * 1000 })
}
