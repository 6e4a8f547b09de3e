/**
 * IKE_SA_INIT as responder (RFC 7296 1.2, 2.6, 2.7).
 *
 * ```
 *   HDR, [N(COOKIE)], SAi1, KEi, Ni, N(..)  -->
 *                                          <--  HDR, N(COOKIE)                       busy, no good cookie     no state
 *                                          <--  HDR, N(REDIRECT)                     newcomers go elsewhere   no state
 *                                          <--  HDR, N(INVALID_KE_PAYLOAD)           another group            no state
 *                                          <--  HDR, N(NO_PROPOSAL_CHOSEN)           nothing acceptable       no state
 *                                          <--  HDR, SAr1, KEr, Nr, N(..)            half-open
 * ```
 *
 * Nothing is remembered before the last line. A repeated request gets the same octets again (C19), but not a burst of them.
 * Whether there is room for one more device is decided when it has proven who it is: it may replace its own attachment.
 */
import type { Path } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { closeHalfOpen } from '../../endpoint/closing.ts'
import { isValidCookie, makeCookie } from '../../endpoint/cookie.ts'
import { newcomerPolicy } from '../../endpoint/policies.ts'
import { shareTransforms } from '../../endpoint/tables.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import { encodeMessage } from '../../message/encode.ts'
import { type IkeHeader, type IkeSpi, type Payload, ZERO_SPI } from '../../message/model.ts'
import { EXCHANGE, NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { EMPTY, toHex } from '../../message/octets.ts'
import type { SelectedSuite } from '../../proposal/select.ts'
import { createIkeSa, type IkeSa } from '../../sa/ike-sa.ts'
import { mayRepeat } from '../../sa/message-window.ts'
import { findNotify, findPayload, type PayloadOf } from '../../sa/payload-shape.ts'
import { exchangeKeys } from '../child-answer.ts'
import { exposeKeys } from '../expose-keys.ts'
import { chooseIkeSuite, deriveChannel, type ResolvedIkeSuite } from '../ike-keys.ts'
import { invalidKePayload, notify } from '../notify.ts'
import { redirectNewcomer } from '../redirect/newcomers.ts'
import { announcedHashes, authAbilities, certificateRequest, takesPpk } from './auth-abilities.ts'
import { detectNat, natDetectionNotifies } from './nat-detection.ts'
import { reportRefusedOffer } from './offered.ts'

export const NONCE_BYTES = 32
/** Octets of the digest under which a half-open SA is found. */
const DIGEST_BYTES = 16

export interface InitRequest {
  readonly header: IkeHeader
  readonly payloads: readonly Payload[]
  readonly bytes: Uint8Array
  readonly path: Path
}

/** An IKE_SA_INIT request with SPIr 0 and message id 0 whose payloads fit the table. */
export function answerInitRequest(context: Context, request: InitRequest): void {
  const { tables, env } = context
  const { payloads } = request
  const digest = digestOf(context, request)
  const known = tables.halfOpen.get(digest)
  if (known !== undefined) {
    if ('init' in known.state && mayRepeat(known.state.channel.received, env.nowMs)) {
      send(context, request, known.state.init.response)
    }
    return
  }
  const sa = findPayload(payloads, 'sa')
  const ke = findPayload(payloads, 'ke')
  const nonce = findPayload(payloads, 'nonce')
  if (sa === null || ke === null || nonce === null) return
  const elsewhere = redirectNewcomer(context, payloads, nonce.data)
  if (elsewhere !== null) {
    refuse(context, request, elsewhere)
    return
  }
  if (!passesCookie(context, request, nonce.data)) return
  const chosen = chooseIkeSuite(env.crypto, sa.proposals, newcomerPolicy(context).tiers, {
    protocolId: PROTOCOL.IKE,
    keGroupOffered: ke.group,
    kePolicy: 'required',
    additionalKe: findNotify(payloads, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED) !== null,
    spiBytes: 0,
  })
  if (chosen === null) {
    refuse(context, request, notify(NOTIFY.NO_PROPOSAL_CHOSEN))
    reportRefusedOffer(context, request.path, sa.proposals)
    return
  }
  const { selected, resolved } = chosen
  if (resolved.transforms.ke.id !== ke.group) refuse(context, request, invalidKePayload(resolved.transforms.ke.id))
  else if (isNonceLongEnough(resolved.suite.prf, nonce.data) && makeRoom(context, request)) {
    accept(context, request, { ke, nonceI: nonce.data.slice(), selected, resolved, digest })
  }
}

/** The same request from the same source, and nothing else, has the same digest. */
function digestOf(context: Context, { bytes, path }: InitRequest): string {
  const hash = context.env.crypto.sha256(bytes)
  return `${toHex(hash.subarray(0, DIGEST_BYTES))}/${path.remote.address}/${path.remote.port}`
}

/** True when no cookie is needed or a good one came; else demands one. */
function passesCookie(context: Context, request: InitRequest, nonceI: Uint8Array): boolean {
  const { tables, config, env } = context
  if (tables.halfOpen.size < config.cookieThreshold && tables.halfOpen.isCalm(env.nowMs)) return true
  const subject = { nonceI, address: request.path.remote.address, spiI: request.header.spiI }
  const cookie = findNotify(request.payloads, NOTIFY.COOKIE)
  if (cookie !== null && isValidCookie(tables.cookies, subject, cookie.data, env)) return true
  refuse(context, request, notify(NOTIFY.COOKIE, makeCookie(tables.cookies, subject, env)))
  return false
}

interface Acceptable {
  readonly ke: PayloadOf<'ke'>
  readonly nonceI: Uint8Array
  readonly selected: SelectedSuite
  readonly resolved: ResolvedIkeSuite
  readonly digest: string
}

function accept(context: Context, request: InitRequest, acceptable: Acceptable): void {
  const { env, tables, config } = context
  const { ke, nonceI, resolved, digest } = acceptable
  const exchanged = exchangeKeys(context, ke.group, ke)
  if (exchanged === undefined) {
    tables.halfOpen.noteWaste(request.path.remote.address, env.nowMs)
    return
  }
  const spis = { spiI: request.header.spiI, spiR: env.allocateIkeSpi() }
  const nat = detectNat(context, { spiI: spis.spiI, spiR: ZERO_SPI }, request.path, request.payloads)
  const nonceR = env.rng(NONCE_BYTES)
  const fragmentation = findNotify(request.payloads, NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED) !== null
  const hashes = announcedHashes(request.payloads)
  const usesPpk = config.features?.ppk === true && takesPpk(request.payloads)
  const hasMore = resolved.transforms.additionalKe.length > 0
  const response = encodeMessage(responseHeader(request, spis.spiR), [
    { kind: 'sa', proposals: [{ ...acceptable.selected.proposal, spi: EMPTY }] },
    { kind: 'ke', group: ke.group, data: exchanged.publicValue },
    { kind: 'nonce', data: nonceR },
    ...natDetectionNotifies(context, spis, request.path, (config.forceUdpEncap ?? true) && !nat.peerBehindNat),
    ...(fragmentation ? [notify(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED)] : []),
    ...authAbilities({ signatures: hashes !== null, ppk: usesPpk }),
    ...certificateRequest(context),
    ...(config.features?.childless === true ? [notify(NOTIFY.CHILDLESS_IKEV2_SUPPORTED)] : []),
    ...(hasMore ? [notify(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED)] : []),
  ])
  const { channel, keys } = deriveChannel({
    resolved: { ...resolved, transforms: shareTransforms(tables, resolved.transforms) },
    originalInitiator: false,
    fragmentation,
    nonceI,
    nonceR,
    ...spis,
    sharedSecret: exchanged.sharedSecret,
  })
  exchanged.sharedSecret.fill(0)
  const answered = {
    channel,
    init: {
      request: request.bytes.slice(),
      response,
      nonceI,
      nonceR,
      skPi: keys.skPi,
      skPr: keys.skPr,
      intAuth: EMPTY,
      hashes,
      usesPpk,
    },
    digest,
    expiresAtMs: env.nowMs + config.timing.halfOpenMs,
  }
  const sa = createIkeSa({
    ...spis,
    originalInitiator: false,
    route: { path: request.path, ...nat, movedAtMs: env.nowMs, trial: null, sentAtMs: env.nowMs },
    state: hasMore
      ? { ...answered, phase: 'intermediateAwaited', progress: { done: 0, intAuthI: EMPTY, intAuthR: EMPTY } }
      : { ...answered, phase: 'initAnswered' },
  })
  register(context, sa, digest, request.path)
  exposeKeys(context, sa, channel)
  send(context, request, response)
}

function register(context: Context, sa: IkeSa, digest: string, path: Path): void {
  context.tables.bySpi.set(sa.localSpi, sa)
  context.tables.halfOpen.add(digest, path.remote.address, sa, context.env.nowMs)
  context.touched.add(sa)
}

/** Before the key exchange is computed: a source that has no room costs nothing more. */
function makeRoom(context: Context, { path }: InitRequest): boolean {
  const { tables, config, env } = context
  return tables.halfOpen.makeRoom(path.remote.address, config.maxHalfOpen, env.nowMs, (oldest) => {
    closeHalfOpen(context, oldest, 'expired')
  })
}

function refuse(context: Context, request: InitRequest, payload: Payload): void {
  send(context, request, encodeMessage(responseHeader(request, ZERO_SPI), [payload]))
}

function responseHeader({ header }: InitRequest, spiR: IkeSpi): IkeHeader {
  return {
    spiI: header.spiI,
    spiR,
    exchangeType: EXCHANGE.IKE_SA_INIT,
    messageId: header.messageId,
    fromOriginalInitiator: false,
    isResponse: true,
  }
}

function send(context: Context, { path }: InitRequest, bytes: Uint8Array): void {
  context.effects.push({ kind: 'send', path, bytes })
}
