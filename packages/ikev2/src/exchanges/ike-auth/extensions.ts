/**
 * The notifies of IKE_AUTH with which the two ends agree on extensions (C18: only what the features say is offered or answered).
 *
 * ```
 *   HDR, SK {IDi, ..., [N(MOBIKE_SUPPORTED), N(ADDITIONAL_IP*_ADDRESS)...], [N(USE_TRANSPORT_MODE)]}  -->
 *                                     <--  HDR, SK {IDr, ..., [N(MOBIKE_SUPPORTED), N(ADDITIONAL_IP*_ADDRESS)...],
 *                                                   [N(AUTH_LIFETIME)]}
 * ```
 *
 * RFC 4555 3.1, RFC 7296 1.3.1, RFC 4478.
 */
import type { AttachGrant, InitiatorConfig } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { agreeOnMobike, type Attachment } from '../../sa/attachment.ts'
import type { AuthWishes } from '../../sa/ike-sa.ts'
import { findNotify, findPayload } from '../../sa/payload-shape.ts'
import { hearAuthLifetime, startAuthLifetime } from '../auth-lifetime.ts'
import { additionalAddresses } from '../informational/additional-addresses.ts'
import { notify } from '../notify.ts'
import { ticketWish } from '../session-resume/grant.ts'

/** What the request that carries the selectors asks for. */
export function readWishes(payloads: readonly Payload[]): AuthWishes {
  return {
    childless: findPayload(payloads, 'sa') === null,
    mobike: findNotify(payloads, NOTIFY.MOBIKE_SUPPORTED) !== null,
    transportMode: findNotify(payloads, NOTIFY.USE_TRANSPORT_MODE) !== null,
    ticket: findNotify(payloads, NOTIFY.TICKET_REQUEST) !== null,
  }
}

/** As responder: agrees to what both ends do. @returns what the last response says of it. */
export function answerWishes(
  context: Context,
  attachment: Attachment,
  wishes: AuthWishes,
  grant: AttachGrant | null,
): readonly Payload[] {
  const { config, env } = context
  const isMobile = wishes.mobike && config.features?.mobike === true
  if (isMobile) agreeOnMobike(attachment, env.nowMs)
  attachment.transportMode = !isMobile && grant?.transportMode === true
  const mobile = isMobile ? [notify(NOTIFY.MOBIKE_SUPPORTED), ...additionalAddresses(context, attachment)] : []
  return [...mobile, ...startAuthLifetime(context, attachment, grant)]
}

/** As initiator: what the request asks for. */
export function wishesOf(context: Context, attachment: Attachment, peer: InitiatorConfig): readonly Payload[] {
  const { config } = context
  return [
    ...(config.features?.mobike === true
      ? [notify(NOTIFY.MOBIKE_SUPPORTED), ...additionalAddresses(context, attachment)]
      : []),
    ...ticketWish(context, peer),
    ...(peer.transportMode === true ? [notify(NOTIFY.USE_TRANSPORT_MODE)] : []),
  ]
}

/** As initiator: what the responder agreed to. */
export function hearExtensions(context: Context, attachment: Attachment, payloads: readonly Payload[]): void {
  const { config, env } = context
  const isMobile = findNotify(payloads, NOTIFY.MOBIKE_SUPPORTED) !== null
  if (isMobile && config.features?.mobike === true) agreeOnMobike(attachment, env.nowMs)
  hearAuthLifetime(context, attachment, payloads)
}
