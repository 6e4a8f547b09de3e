/**
 * What the two exchanges that begin an IKE SA have in common as responder: IKE_SA_INIT and IKE_SESSION_RESUME (RFC 7296 2.6,
 * RFC 5723 4.3.2). Nothing of it keeps state before a place in the half-open table is taken.
 */
import { closeHalfOpen } from '../../endpoint/closing.ts'
import type { Path } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { type CookieSubject, isValidCookie, makeCookie } from '../../endpoint/cookie.ts'
import { demandsCookies } from '../../endpoint/cookie-gate.ts'
import type { Place } from '../../endpoint/half-open.ts'
import { encodeMessage } from '../../message/encode.ts'
import { type IkeHeader, type IkeSpi, type Payload, ZERO_SPI } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { toHex } from '../../message/octets.ts'
import type { IkeSa } from '../../sa/ike-sa.ts'
import { mayRepeat } from '../../sa/message-window.ts'
import { findNotify } from '../../sa/payload-shape.ts'
import { notify } from '../notify.ts'

export const NONCE_BYTES = 32
/** Octets of the digest under which a half-open SA is found. */
const DIGEST_BYTES = 16

export interface InitRequest {
  readonly header: IkeHeader
  readonly payloads: readonly Payload[]
  readonly bytes: Uint8Array
  readonly path: Path
}

/** The same request from the same source, and nothing else, has the same digest. */
export function digestOf(context: Context, { bytes, path }: InitRequest): string {
  const hash = context.env.crypto.sha256(bytes)
  return `${toHex(hash.slice(0, DIGEST_BYTES))}/${path.remote.address}/${path.remote.port}`
}

/** A repeated request gets the same octets again (C19), but not a burst of them. @returns false for a new one. */
export function repeatAnswer(context: Context, request: InitRequest, digest: string): boolean {
  const known = context.tables.halfOpen.get(digest)
  if (known === undefined) return false
  const { state } = known
  if ('init' in state && mayRepeat(state.channel.received, context.env.nowMs)) {
    sendClear(context, request, state.init.response)
  }
  return true
}

/** What a cookie says of who asks: nobody was asked for one, or it came, so the peer is where it says. */
export type CookieProof = 'notAsked' | 'shown'

/** @returns null when a good cookie is needed and did not come; then one was demanded. */
export function passCookie(context: Context, request: InitRequest, nonceI: Uint8Array): CookieProof | null {
  if (!demandsCookies(context, request.path.remote.address)) return 'notAsked'
  if (hasGoodCookie(context, request, nonceI)) return 'shown'
  const cookie = makeCookie(context.tables.cookies, cookieSubjectOf(request, nonceI), context.env)
  refuse(context, request, notify(NOTIFY.COOKIE, cookie))
  return null
}

/** Whether the peer has shown that it is where it says. */
export function hasGoodCookie({ tables, env }: Context, request: InitRequest, nonceI: Uint8Array): boolean {
  const cookie = findNotify(request.payloads, NOTIFY.COOKIE)
  return cookie !== null && isValidCookie(tables.cookies, cookieSubjectOf(request, nonceI), cookie.data, env)
}

function cookieSubjectOf({ path, header }: InitRequest, nonceI: Uint8Array): CookieSubject {
  return { nonceI, remote: path.remote, spiI: header.spiI }
}

/**
 * Before anything dear is computed: a source that has no room costs nothing more.
 *
 * @returns null when the request is dropped.
 */
export function makeRoom(
  context: Context,
  { path }: InitRequest,
  { cookie, ticketOf }: { readonly cookie: CookieProof; readonly ticketOf: string | null },
): Place | null {
  const { tables, config, env } = context
  const newcomer = { remote: path.remote, isThere: cookie === 'shown', ticketOf }
  return tables.halfOpen.makeRoom(newcomer, config.maxHalfOpen, env.nowMs, (oldest) => {
    closeHalfOpen(context, oldest, 'expired')
  })
}

/** From now on the peer's next request finds it. */
export function register(context: Context, sa: IkeSa, digest: string, place: Place): void {
  context.tables.bySpi.set(sa.localSpi, sa)
  context.tables.halfOpen.add(digest, place, sa, context.env.nowMs)
  context.touched.add(sa)
}

/** Answers without keeping anything. */
export function refuse(context: Context, request: InitRequest, payload: Payload): void {
  sendClear(context, request, encodeMessage(responseHeader(request, ZERO_SPI), [payload]))
}

export function responseHeader({ header }: InitRequest, spiR: IkeSpi): IkeHeader {
  const { spiI, exchangeType, messageId } = header
  return { spiI, spiR, exchangeType, messageId, fromOriginalInitiator: false, isResponse: true }
}

export function sendClear(context: Context, { path }: InitRequest, bytes: Uint8Array): void {
  context.effects.push({ kind: 'send', path, bytes })
}
