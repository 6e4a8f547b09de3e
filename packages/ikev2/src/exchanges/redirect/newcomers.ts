/**
 * Sends newcomers elsewhere in IKE_SA_INIT (RFC 5685 3), without any state, and what a device says of redirects there.
 *
 * ```
 *   HDR, SAi1, KEi, Ni, N(REDIRECT_SUPPORTED)  -->
 *                                             <--  HDR, N(REDIRECT: gateway, Ni)
 * ```
 *
 * A device that says it was sent here by the very gateway we would send it to is kept: it would never arrive.
 */
import type { GatewayIdentity, InitiatorConfig } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { decodeMessage } from '../../message/decode.ts'
import { decodeGateway, encodeGateway } from '../../message/gateway-identity-codec.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { compareBytes } from '../../message/octets.ts'
import { findNotify } from '../../sa/payload-shape.ts'
import { notify } from '../notify.ts'

/** @returns the answer to a request of somebody who goes elsewhere; null for one who stays. */
export function redirectNewcomer(
  { config, tables }: Context,
  payloads: readonly Payload[],
  nonceI: Uint8Array,
): Payload | null {
  const to = tables.redirectTo
  if (to === null || config.features?.redirect !== true || !followsRedirects(payloads)) return null
  const from = findNotify(payloads, NOTIFY.REDIRECTED_FROM)
  const own = encodeGateway(to)
  if (own === null || (from !== null && compareBytes(from.data, own) === 0)) return null
  const data = encodeGateway(to, nonceI)
  return data === null ? null : notify(NOTIFY.REDIRECT, data)
}

/** @param payloads of an IKE_SA_INIT request. */
export function followsRedirects(payloads: readonly Payload[]): boolean {
  const types: readonly number[] = [NOTIFY.REDIRECT_SUPPORTED, NOTIFY.REDIRECTED_FROM]
  return payloads.some((payload) => payload.kind === 'notify' && types.includes(payload.type))
}

/** The same of the request that began an attempt. */
export function cameFollowing({ config }: Context, request: Uint8Array): boolean {
  if (config.features?.redirect !== true) return false
  const decoded = decodeMessage(request)
  return decoded.ok && followsRedirects(decoded.value.payloads)
}

/** As initiator: that we follow redirects, or where one came from (5). */
export function redirectNotifies({ config }: Context, { redirectedFrom }: InitiatorConfig): readonly Payload[] {
  if (config.features?.redirect !== true) return []
  const from = redirectedFrom === undefined ? null : encodeGateway(redirectedFrom)
  return [from === null ? notify(NOTIFY.REDIRECT_SUPPORTED) : notify(NOTIFY.REDIRECTED_FROM, from)]
}

/**
 * As initiator: where a response sends us.
 *
 * @param nonceI of our IKE_SA_INIT request, which the response repeats (3); null where the message itself is protected.
 * @returns null when it does not, or is not well-formed, or we do not follow redirects.
 */
export function readRedirect(
  { config }: Context,
  payloads: readonly Payload[],
  nonceI: Uint8Array | null,
): GatewayIdentity | null {
  const redirect = config.features?.redirect === true ? findNotify(payloads, NOTIFY.REDIRECT) : null
  const decoded = redirect === null ? null : decodeGateway(redirect.data)
  if (decoded === null || (nonceI !== null && compareBytes(decoded.nonce, nonceI) !== 0)) return null
  return decoded.gateway
}
