/**
 * Sends a peer elsewhere that has proven who it is: at the end of IKE_AUTH or later (RFC 5685 6, 7).
 *
 * ```
 *                          <--  HDR, SK {IDr, AUTH, N(REDIRECT: gateway)}      the IKE SA stands without Child SAs
 *                          <--  HDR, SK {N(REDIRECT: gateway)}                 an INFORMATIONAL request, and its answer
 *   HDR, SK {}             -->
 *   HDR, SK {D(IKE)}       -->                                                 the device leaves when it found the other gateway
 * ```
 *
 * A device that does not leave is deleted after a while.
 */
import type { GatewayIdentity } from '../../endpoint/contract.ts'
import { type Context, emit } from '../../endpoint/context.ts'
import { sendRequest } from '../../endpoint/outbound.ts'
import { encodeGateway } from '../../message/gateway-identity-codec.ts'
import type { Payload } from '../../message/model.ts'
import { EXCHANGE, NOTIFY } from '../../message/numbers.ts'
import { addTask, type Attachment, isEnding } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { notify } from '../notify.ts'
import { readRedirect } from './newcomers.ts'

/** Time for a device to find the other gateway and leave by itself. */
const LEAVING_MS = 10_000

/** @returns `skipped` for a gateway that cannot be named, `exhausted` when the IKE SA cannot send. */
export function requestRedirect(
  context: Context,
  ike: { readonly sa: IkeSa; readonly channel: Channel },
  to: GatewayIdentity,
): 'sent' | 'skipped' | 'exhausted' {
  const payload = redirectPayload(to)
  if (payload === null) return 'skipped'
  const exchange = { ...ike, exchangeType: EXCHANGE.INFORMATIONAL }
  return sendRequest(context, exchange, [payload], { kind: 'redirect' }) ? 'sent' : 'exhausted'
}

/** @returns null for a gateway that cannot be named. */
export function redirectPayload(to: GatewayIdentity): Payload | null {
  const data = encodeGateway(to)
  return data === null ? null : notify(NOTIFY.REDIRECT, data)
}

/** The device knows where to go: it has some time to leave. */
export function awaitLeaving(context: Context, attachment: Attachment): void {
  const notBeforeMs = context.env.nowMs + LEAVING_MS
  addTask(attachment, { work: { kind: 'deleteIke', reason: 'redirected' }, notBeforeMs, refusals: 0 })
}

/** As initiator: the driver hears where to go, and we leave. @returns false when nothing sends us elsewhere. */
export function followRedirect(context: Context, attachment: Attachment, payloads: readonly Payload[]): boolean {
  const { key, subject, role } = attachment
  const to = role === 'initiator' && !isEnding(attachment) ? readRedirect(context, payloads, null) : null
  if (to === null) return false
  emit(context, { kind: 'redirected', key, subject, to })
  addTask(attachment, { work: { kind: 'deleteIke', reason: 'redirected' }, notBeforeMs: 0, refusals: 0 })
  return true
}
