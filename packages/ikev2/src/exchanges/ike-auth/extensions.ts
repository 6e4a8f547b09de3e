/**
 * The notifies of IKE_AUTH with which the two ends agree on extensions (C18: only what the features say is offered or answered).
 *
 * ```
 *   HDR, SK {IDi, ..., N(MOBIKE_SUPPORTED)}  -->
 *                                           <--  HDR, SK {IDr, ..., N(MOBIKE_SUPPORTED)}     RFC 4555 3.1
 * ```
 */
import type { Context } from '../../endpoint/context.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { agreeOnMobike, type Attachment } from '../../sa/attachment.ts'
import type { AuthWishes } from '../../sa/ike-sa.ts'
import { findNotify } from '../../sa/payload-shape.ts'
import { notify } from '../notify.ts'

/** What the request that carries the selectors asks for. */
export function readWishes(payloads: readonly Payload[]): AuthWishes {
  return {
    mobike: findNotify(payloads, NOTIFY.MOBIKE_SUPPORTED) !== null,
    transportMode: findNotify(payloads, NOTIFY.USE_TRANSPORT_MODE) !== null,
    ticket: findNotify(payloads, NOTIFY.TICKET_REQUEST) !== null,
  }
}

/** As responder: agrees to what both ends do. @returns what the last response says of it. */
export function answerWishes(context: Context, attachment: Attachment, wishes: AuthWishes): readonly Payload[] {
  const { config, env } = context
  if (!wishes.mobike || config.features?.mobike !== true) return []
  agreeOnMobike(attachment, env.nowMs)
  return [notify(NOTIFY.MOBIKE_SUPPORTED)]
}

/** As initiator: what the request asks for. */
export function wishesOf({ config }: Context): readonly Payload[] {
  return config.features?.mobike === true ? [notify(NOTIFY.MOBIKE_SUPPORTED)] : []
}

/** As initiator: what the responder agreed to. */
export function hearExtensions({ config, env }: Context, attachment: Attachment, payloads: readonly Payload[]): void {
  const isMobile = findNotify(payloads, NOTIFY.MOBIKE_SUPPORTED) !== null
  if (isMobile && config.features?.mobike === true) agreeOnMobike(attachment, env.nowMs)
}
