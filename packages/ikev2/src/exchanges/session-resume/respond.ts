/**
 * IKE_SESSION_RESUME as responder (RFC 5723 4.3.2): a device comes back with a ticket in place of a key exchange.
 *
 * ```
 *   HDR, [N(COOKIE)], Ni, N(TICKET_OPAQUE), N(..)  -->
 *                                                 <--  HDR, N(COOKIE)         busy, no good cookie          no state
 *                                                 <--  HDR, N(TICKET_NACK)    not good any more, or never   no state
 *                                                 <--  HDR, Nr, N(..)         half-open
 * ```
 *
 * The defences of IKE_SA_INIT hold here too. Whether the ticket is used for the first time, and whether its credential still
 * stands, is asked when IKE_AUTH has proven that the device holds the keys: so who copied a ticket on its way spends nobody's.
 */
import type { Context } from '../../endpoint/context.ts'
import type { Place } from '../../endpoint/half-open.ts'
import { newcomerPolicy } from '../../endpoint/policies.ts'
import { shareTransforms } from '../../endpoint/tables.ts'
import { encodeMessage } from '../../message/encode.ts'
import { ZERO_SPI } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { EMPTY, toHex } from '../../message/octets.ts'
import { createIkeSa } from '../../sa/ike-sa.ts'
import { findNotify, findPayload } from '../../sa/payload-shape.ts'
import { exposeKeys } from '../expose-keys.ts'
import {
  digestOf,
  type InitRequest,
  makeRoom,
  NONCE_BYTES,
  passCookie,
  refuse,
  register,
  repeatAnswer,
  responseHeader,
  sendClear,
} from '../ike-sa-init/first-request.ts'
import { detectNat, natDetectionNotifies } from '../ike-sa-init/nat-detection.ts'
import { notify } from '../notify.ts'
import { resumeChannel } from './keys.ts'
import { decodeTicket, type TicketContent } from './ticket.ts'

/** A request with SPIr 0 and message id 0 whose payloads fit the table. */
export function answerResumeRequest(context: Context, request: InitRequest): void {
  const { payloads } = request
  const nonce = findPayload(payloads, 'nonce')
  const opaque = findNotify(payloads, NOTIFY.TICKET_OPAQUE)
  const digest = digestOf(context, request)
  if (nonce === null || opaque === null || repeatAnswer(context, request, digest)) return
  const cookie = passCookie(context, request, nonce.data)
  if (cookie === null) return
  const ticket = openTicket(context, opaque.data)
  if (ticket === null) {
    refuse(context, request, notify(NOTIFY.TICKET_NACK))
    return
  }
  const place = makeRoom(context, request, { cookie, ticketOf: ticket.subject })
  if (place === null) ticket.skD.fill(0)
  else accept(context, request, { ticket, nonceI: nonce.data.slice(), digest, place })
}

/** @returns null for a ticket that is not good, was used here, or is of a tier in which nobody may come now. */
function openTicket(context: Context, opaque: Uint8Array): TicketContent | null {
  const { env, tables } = context
  const content = env.tickets?.open(opaque) ?? null
  const ticket = content === null ? null : decodeTicket(content)
  content?.fill(0)
  if (ticket === null) return null
  const isUsed = tables.usedTickets.has(toHex(ticket.id))
  const isWelcome = newcomerPolicy(context).tiers.some(({ name }) => name === ticket.transforms.tier)
  if (isWelcome && !isUsed) return ticket
  ticket.skD.fill(0)
  return null
}

interface Acceptable {
  readonly ticket: TicketContent
  readonly nonceI: Uint8Array
  readonly digest: string
  readonly place: Place
}

function accept(context: Context, request: InitRequest, { ticket, nonceI, digest, place }: Acceptable): void {
  const { env, tables, config } = context
  const spis = { spiI: request.header.spiI, spiR: env.allocateIkeSpi() }
  const nonceR = env.rng(NONCE_BYTES)
  const fragmentation = findNotify(request.payloads, NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED) !== null
  const exchange = { originalInitiator: false, fragmentation, nonceI, nonceR, ...spis }
  const resumed = resumeChannel(env.crypto, ticket, (transforms) => shareTransforms(tables, transforms), exchange)
  if (resumed === null) {
    refuse(context, request, notify(NOTIFY.TICKET_NACK))
    return
  }
  const nat = detectNat(context, { spiI: spis.spiI, spiR: ZERO_SPI }, request.path, request.payloads)
  const response = encodeMessage(responseHeader(request, spis.spiR), [
    { kind: 'nonce', data: nonceR },
    ...natDetectionNotifies(context, spis, request.path, (config.forceUdpEncap ?? true) && !nat.peerBehindNat),
    ...(fragmentation ? [notify(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED)] : []),
    ...(config.features?.childless === true ? [notify(NOTIFY.CHILDLESS_IKEV2_SUPPORTED)] : []),
  ])
  const { channel, keys } = resumed
  const { skPi, skPr } = keys
  const { id, idBody, subject, credential, ppkMixed } = ticket
  const sa = createIkeSa({
    ...spis,
    originalInitiator: false,
    route: { path: request.path, ...nat, movedAtMs: env.nowMs, trial: null, sentAtMs: env.nowMs },
    state: {
      phase: 'resumeAnswered',
      channel,
      init: {
        request: request.bytes.slice(),
        response,
        nonceI,
        nonceR,
        skPi,
        skPr,
        intAuth: EMPTY,
        hashes: null,
        usesPpk: false,
        isResumed: true,
      },
      digest,
      expiresAtMs: env.nowMs + config.timing.halfOpenMs,
      resumed: { ticketId: toHex(id), idBody, subject, credential, ppkMixed },
    },
  })
  register(context, sa, digest, place)
  exposeKeys(context, sa, channel)
  sendClear(context, request, response)
}
