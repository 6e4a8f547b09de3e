/**
 * The response to our IKE_SA_INIT request (RFC 7296 1.2, 2.6.1, 2.21.1).
 *
 * Nothing here is authenticated. A demand for a cookie or another group is followed a bounded number of times; any other error
 * is only a suspicion, believed when no better answer came until the request would be sent again. A response that does not fit
 * our offer is dropped: the right one may still come.
 */
import { closeAttachment, forgetIkeSa, reportFailure } from '../../endpoint/closing.ts'
import type { CloseReason, GatewayIdentity, Path } from '../../endpoint/contract.ts'
import { type Context, emit } from '../../endpoint/context.ts'
import { shareTransforms } from '../../endpoint/tables.ts'
import { isNonceLongEnough } from '../../keys/key-schedule.ts'
import { type IkeHeader, type Payload, ZERO_SPI } from '../../message/model.ts'
import { NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { EMPTY, readU16 } from '../../message/octets.ts'
import { checkChoice } from '../../proposal/offer.ts'
import type { IkeSa, InitSent } from '../../sa/ike-sa.ts'
import { findNotify, findPayload, firstError } from '../../sa/payload-shape.ts'
import { exposeKeys } from '../expose-keys.ts'
import { deriveChannel, resolveIkeSuite } from '../ike-keys.ts'
import { proceed } from '../ike-intermediate/initiate.ts'
import { readRedirect } from '../redirect/newcomers.ts'
import { ikeProposals, retryInit } from './initiate.ts'
import { announcedHashes, takesPpk } from './auth-abilities.ts'
import { detectNat } from './nat-detection.ts'

const MAX_RETRIES = 8
const MAX_COOKIE_BYTES = 64
const IKE_PORT = 500
const NAT_TRAVERSAL_PORT = 4500

export interface InitResponse {
  readonly header: IkeHeader
  readonly payloads: readonly Payload[]
  readonly bytes: Uint8Array
  readonly path: Path
}

export function receiveInitResponse(context: Context, sa: IkeSa, state: InitSent, response: InitResponse): void {
  const { payloads } = response
  const cookie = findNotify(payloads, NOTIFY.COOKIE)
  const otherGroup = findNotify(payloads, NOTIFY.INVALID_KE_PAYLOAD)
  const error = firstError(payloads)
  const elsewhere = readRedirect(context, payloads, state.nonceI)
  if (elsewhere !== null) leave(context, sa, state, elsewhere)
  else if (cookie !== null) followCookie(context, sa, state, cookie.data)
  else if (otherGroup !== null) followGroup(context, sa, state, readU16(otherGroup.data, 0))
  else if (error !== null) {
    state.suspicion = error.type === NOTIFY.NO_PROPOSAL_CHOSEN ? 'noProposal' : 'protocolError'
  } else accept(context, sa, state, response)
}

/** The gateway sends us elsewhere (RFC 5685 3); only who saw our nonce can have said so. */
function leave(context: Context, sa: IkeSa, state: InitSent, to: GatewayIdentity): void {
  emit(context, { kind: 'redirected', key: null, subject: state.peer.label, to })
  failInitiation(context, sa, state, 'redirected')
}

/** Ends an attempt of ours that came to nothing. */
export function failInitiation(context: Context, sa: IkeSa, state: InitSent, reason: CloseReason): void {
  const { attachment, peer } = state
  forgetIkeSa(context, sa)
  closeAttachment(context, attachment, reason)
  const detail = reason === 'peerSilent' ? 'no answer to IKE_SA_INIT' : 'IKE_SA_INIT was refused'
  const { path, label: subject, localId: idI } = peer
  reportFailure(context, { path, subject, idI, stage: 'init', reason, detail })
}

function followCookie(context: Context, sa: IkeSa, state: InitSent, cookie: Uint8Array): void {
  const isWellFormed = cookie.length >= 1 && cookie.length <= MAX_COOKIE_BYTES
  if (isWellFormed && state.retries < MAX_RETRIES) retryInit(context, sa, state, { cookie: cookie.slice() })
}

/** Only a group of our own policy is taken, and not the one just refused. */
function followGroup(context: Context, sa: IkeSa, state: InitSent, group: number): void {
  const isOurs = context.config.proposals.ike.some((suite) => suite.ke.some(({ id }) => id === group))
  if (isOurs && group !== state.group && state.retries < MAX_RETRIES) retryInit(context, sa, state, { group })
}

function accept(context: Context, sa: IkeSa, state: InitSent, response: InitResponse): void {
  const { env, config, tables } = context
  const proposal = findPayload(response.payloads, 'sa')
  const ke = findPayload(response.payloads, 'ke')
  const nonce = findPayload(response.payloads, 'nonce')
  const { spiR } = response.header
  if (state.peer.ppk?.isRequired === true && !takesPpk(response.payloads)) {
    state.suspicion = 'protocolError'
    return
  }
  if (proposal === null || ke === null || nonce === null || spiR === ZERO_SPI || ke.group !== state.group) return
  const offered = ikeProposals(context, EMPTY, state.group)
  const options = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: state.group } as const
  const selected = checkChoice(config.proposals.ike, offered, proposal.proposals, options)
  const resolved = selected === null ? null : resolveIkeSuite(env.crypto, selected, null)
  if (resolved === null || resolved.transforms.ke.id !== state.group) return
  const knowsIntermediate = findNotify(response.payloads, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED) !== null
  if (resolved.transforms.additionalKe.length > 0 && !knowsIntermediate) return
  if (!isNonceLongEnough(resolved.suite.prf, nonce.data)) return
  const sharedSecret = state.keyExchange.sharedSecret(ke.data)
  if (sharedSecret === null) return
  const nonceR = nonce.data.slice()
  const { channel, keys } = deriveChannel({
    resolved: { ...resolved, transforms: shareTransforms(tables, resolved.transforms) },
    originalInitiator: true,
    fragmentation: findNotify(response.payloads, NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED) !== null,
    nonceI: state.nonceI,
    nonceR,
    spiI: sa.spiI,
    spiR,
    sharedSecret,
  })
  sharedSecret.fill(0)
  sa.spiR = spiR
  float(context, sa, response)
  exposeKeys(context, sa, channel)
  const isChildless =
    state.peer.childless === true && findNotify(response.payloads, NOTIFY.CHILDLESS_IKEV2_SUPPORTED) !== null
  const init = {
    request: state.request,
    response: response.bytes.slice(),
    nonceI: state.nonceI,
    nonceR,
    skPi: keys.skPi,
    skPr: keys.skPr,
    intAuth: EMPTY,
    hashes: announcedHashes(response.payloads),
    usesPpk: state.peer.ppk !== undefined && takesPpk(response.payloads),
    isResumed: false,
  }
  proceed(context, sa, { attachment: state.attachment, peer: state.peer, isChildless, channel, init })
}

/** Learns of NATs, and moves from port 500 to 4500 (2.23); with MOBIKE always, as another path may have a NAT (RFC 4555 3.3). */
export function float(context: Context, sa: IkeSa, { payloads, header, path }: InitResponse): void {
  const { route } = sa
  const nat = detectNat(context, header, path, payloads)
  route.peerBehindNat = nat.peerBehindNat
  route.localBehindNat = nat.localBehindNat
  const { local, remote } = route.path
  const moves =
    (context.config.forceUdpEncap ?? true) ||
    context.config.features?.mobike === true ||
    nat.peerBehindNat ||
    nat.localBehindNat
  if (!moves || remote.port !== IKE_PORT) return
  const localPort = local.port === IKE_PORT ? NAT_TRAVERSAL_PORT : local.port
  route.path = { local: { ...local, port: localPort }, remote: { ...remote, port: NAT_TRAVERSAL_PORT } }
}
