/**
 * Turns IKE_SA_INIT requests without a good cookie away while cookies are demanded (RFC 7296 2.6), before they are decoded: a flood
 * is answered from the chain of payloads alone, with no state and a tenth of the work.
 *
 * ```
 *   header ─▶ chain of payloads: SA, KE, Ni, N(COOKIE)? ─▶ a good cookie, or repeats what we hold ─▶ goes on as ever
 *                                                     └──▶ N(COOKIE)
 * ```
 *
 * What is not shaped like a first request goes on too, to be refused there.
 */
import type { Path } from './contract.ts'
import type { Context } from './context.ts'
import { isValidCookie, makeCookie } from './cookie.ts'
import { notify } from '../exchanges/notify.ts'
import { encodeMessage } from '../message/encode.ts'
import { HEADER_BYTES } from '../message/header.ts'
import { MAX_NONCE_BYTES, MAX_PAYLOADS, MIN_NONCE_BYTES } from '../message/limits.ts'
import { type MessageId, ZERO_SPI } from '../message/model.ts'
import { EXCHANGE, NOTIFY, PAYLOAD } from '../message/numbers.ts'
import { readIkeSpi, readU16, readU32, readU8 } from '../message/octets.ts'

const GENERIC_HEADER_BYTES = 4
/** Protocol, SPI size and type of a notify. */
const NOTIFY_FIXED_BYTES = 4
const VERSION_2 = 2
const FLAGS = 0x28
const FLAG_INITIATOR = 0x08

/** Whether many ask who may be nobody: from then on a cookie is demanded. */
export function demandsCookies({ tables, config, env }: Context, address: string): boolean {
  return tables.halfOpen.size >= config.cookieThreshold || !tables.halfOpen.isCalm(address, env.nowMs)
}

/** @returns true when the datagram was answered with the demand for a cookie, and is dealt with. */
export function turnAway(context: Context, bytes: Uint8Array, path: Path): boolean {
  const { address } = path.remote
  if (!isFirstShaped(bytes) || context.tables.redirectTo !== null || !demandsCookies(context, address)) return false
  const asked = findAsked(bytes)
  if (asked === null) return false
  const { tables, env } = context
  const spiI = readIkeSpi(bytes, 0)
  if (spiI === ZERO_SPI || tables.halfOpen.hasOf(spiI, address)) return false
  const subject = { nonceI: asked.nonceI, remote: path.remote, spiI }
  if (asked.cookie !== null && isValidCookie(tables.cookies, subject, asked.cookie, env)) return false
  const header = {
    spiI,
    spiR: ZERO_SPI,
    exchangeType: EXCHANGE.IKE_SA_INIT,
    messageId: 0 as MessageId,
    fromOriginalInitiator: false,
    isResponse: true,
  }
  const demand = notify(NOTIFY.COOKIE, makeCookie(tables.cookies, subject, env))
  context.effects.push({ kind: 'send', path, bytes: encodeMessage(header, [demand]) })
  return true
}

/** The header of a request that begins an IKE SA, as long as it says. */
function isFirstShaped(bytes: Uint8Array): boolean {
  return (
    bytes.length >= HEADER_BYTES &&
    readU8(bytes, 18) === EXCHANGE.IKE_SA_INIT &&
    readU32(bytes, 8) === 0 &&
    readU32(bytes, 12) === 0 &&
    (readU8(bytes, 19) & FLAGS) === FLAG_INITIATOR &&
    readU8(bytes, 17) >>> 4 === VERSION_2 &&
    readU32(bytes, 20) === 0 &&
    readU32(bytes, 24) === bytes.length
  )
}

interface Asked {
  readonly nonceI: Uint8Array
  readonly cookie: Uint8Array | null
}

/** @returns null when it is no IKE_SA_INIT request with one each of SA, KE and Ni. */
function findAsked(bytes: Uint8Array): Asked | null {
  let nonceI: Uint8Array | null = null
  let cookie: Uint8Array | null = null
  let [sas, kes] = [0, 0]
  let type = readU8(bytes, 16)
  let offset = HEADER_BYTES
  for (let count = 0; type !== PAYLOAD.NONE; count += 1) {
    const length = readU16(bytes, offset + 2)
    const end = offset + length
    if (count === MAX_PAYLOADS || length < GENERIC_HEADER_BYTES || end > bytes.length) return null
    const bodyAt = offset + GENERIC_HEADER_BYTES
    if (type === PAYLOAD.SA) sas += 1
    else if (type === PAYLOAD.KE) kes += 1
    else if (type === PAYLOAD.NONCE) {
      if (nonceI !== null) return null
      nonceI = bytes.subarray(bodyAt, end)
    } else if (type === PAYLOAD.NOTIFY) cookie ??= cookieAt(bytes, bodyAt, end)
    type = readU8(bytes, offset)
    offset = end
  }
  if (nonceI === null || nonceI.length < MIN_NONCE_BYTES || nonceI.length > MAX_NONCE_BYTES) return null
  return sas === 1 && kes === 1 && offset === bytes.length ? { nonceI, cookie } : null
}

/** @returns null for another notify. */
function cookieAt(bytes: Uint8Array, at: number, end: number): Uint8Array | null {
  const dataAt = at + NOTIFY_FIXED_BYTES + readU8(bytes, at + 1)
  return dataAt <= end && readU16(bytes, at + 2) === NOTIFY.COOKIE ? bytes.subarray(dataAt, end) : null
}
