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
import type { Context } from '../../endpoint/context.ts'
import type { Place } from '../../endpoint/half-open.ts'
import { newcomerPolicy } from '../../endpoint/policies.ts'
import { shareTransforms } from '../../endpoint/tables.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import { encodeMessage } from '../../message/encode.ts'
import { ZERO_SPI } from '../../message/model.ts'
import { NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { EMPTY } from '../../message/octets.ts'
import type { SelectedSuite } from '../../proposal/select.ts'
import type { ResolvedIkeSuite } from '../../sa/agreement.ts'
import { createIkeSa } from '../../sa/ike-sa.ts'
import { findNotify, findPayload, type PayloadOf } from '../../sa/payload-shape.ts'
import { exposeKeys } from '../expose-keys.ts'
import { chooseIkeSuite, deriveChannel } from '../ike-keys.ts'
import { invalidKePayload, notify } from '../notify.ts'
import { redirectNewcomer } from '../redirect/newcomers.ts'
import { announcedHashes, authAbilities, certificateRequest, takesPpk } from './auth-abilities.ts'
import {
  digestOf,
  hasGoodCookie,
  type InitRequest,
  makeRoom,
  NONCE_BYTES,
  passCookie,
  refuse,
  register,
  repeatAnswer,
  responseHeader,
  sendClear,
} from './first-request.ts'
import { detectNat, natDetectionNotifies } from './nat-detection.ts'
import { reportRefusedOffer } from './offered.ts'

/** An IKE_SA_INIT request with SPIr 0 and message id 0 whose payloads fit the table. */
export function answerInitRequest(context: Context, request: InitRequest): void {
  const { env } = context
  const { payloads } = request
  const digest = digestOf(context, request)
  if (repeatAnswer(context, request, digest)) return
  const sa = findPayload(payloads, 'sa')
  const ke = findPayload(payloads, 'ke')
  const nonce = findPayload(payloads, 'nonce')
  if (sa === null || ke === null || nonce === null) return
  const elsewhere = redirectNewcomer(context, payloads, nonce.data)
  if (elsewhere !== null) {
    refuse(context, request, elsewhere)
    return
  }
  const cookie = passCookie(context, request, nonce.data)
  if (cookie === null) return
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
  else if (isNonceLongEnough(resolved.suite.prf, nonce.data)) {
    const place = makeRoom(context, request, { cookie, ticketOf: null })
    if (place !== null) accept(context, request, { ke, nonceI: nonce.data.slice(), selected, resolved, digest, place })
  }
}

interface Acceptable {
  readonly ke: PayloadOf<'ke'>
  readonly nonceI: Uint8Array
  readonly selected: SelectedSuite
  readonly resolved: ResolvedIkeSuite
  readonly digest: string
  readonly place: Place
}

function accept(context: Context, request: InitRequest, acceptable: Acceptable): void {
  const { env, tables, config } = context
  const { ke, nonceI, resolved, digest } = acceptable
  const exchanged = tables.ephemeralKeys.respond(env, ke.group, ke.data, tables.halfOpen.size)
  if (exchanged === null) {
    tables.halfOpen.noteWaste(request.path.remote, env.nowMs, hasGoodCookie(context, request, nonceI))
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
    ...spis,
    resolved: { suite: resolved.suite, transforms: shareTransforms(tables, resolved.transforms) },
    originalInitiator: false,
    fragmentation,
    nonceI,
    nonceR,
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
      isResumed: false,
    },
    digest,
    expiresAtMs: env.nowMs + config.timing.halfOpenMs,
  }
  const sa = createIkeSa({
    ...spis,
    originalInitiator: false,
    route: { ...nat, path: request.path, movedAtMs: env.nowMs, trial: null, sentAtMs: env.nowMs },
    state: hasMore
      ? { ...answered, phase: 'intermediateAwaited', progress: { done: 0, intAuthI: EMPTY, intAuthR: EMPTY } }
      : { ...answered, phase: 'initAnswered' },
  })
  register(context, sa, digest, acceptable.place)
  exposeKeys(context, sa, channel)
  sendClear(context, request, response)
}
