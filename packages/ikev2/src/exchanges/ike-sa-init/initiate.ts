/**
 * IKE_SA_INIT as initiator: the request, again with a cookie or another group when the responder wants that (RFC 7296 2.6.1).
 *
 * ```
 *   HDR, [N(COOKIE)], SAi1, KEi, Ni, N(NAT_DETECTION_*_IP), N(IKEV2_FRAGMENTATION_SUPPORTED)  -->
 * ```
 *
 * SPIi and nonce stay the same in all tries; the proposals are always complete (C13).
 */
import type { KeyExchangePrivate } from '@culvert/crypto'
import { reportFailure } from '../../endpoint/closing.ts'
import type { EndpointConfig, InitiatorConfig } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import { initiatorPolicy } from '../../endpoint/policies.ts'
import { newAttachmentKey } from '../../endpoint/tables.ts'
import { encodeMessage } from '../../message/encode.ts'
import { type IkeSpi, type MessageId, type Payload, type Proposal, ZERO_SPI } from '../../message/model.ts'
import { EXCHANGE, NOTIFY, PROTOCOL } from '../../message/numbers.ts'
import { EMPTY } from '../../message/octets.ts'
import { proposalsFor } from '../../proposal/offer.ts'
import { type Attachment, createAttachment } from '../../sa/attachment.ts'
import { createIkeSa, type IkeSa, type InitSent } from '../../sa/ike-sa.ts'
import { startRetransmission } from '../../sa/retransmission.ts'
import { notify } from '../notify.ts'
import { authAbilities } from './auth-abilities.ts'
import { redirectNotifies } from '../redirect/newcomers.ts'
import { natDetectionNotifies } from './nat-detection.ts'
import { NONCE_BYTES } from './first-request.ts'

/** Starts a new IKE SA towards `peer`. */
export function initiate(context: Context, peer: InitiatorConfig): void {
  const { env, config, tables } = context
  const group = config.proposals.ike[0]?.ke[0]?.id
  const keyExchange = group === undefined ? undefined : env.crypto.keyExchange(group)?.generate(env.rng)
  if (group === undefined || keyExchange === undefined) {
    const detail = 'no key exchange method of the policy is there'
    const { path, label: subject, localId: idI } = peer
    reportFailure(context, { path, subject, idI, stage: 'init', reason: 'noProposal', detail })
    return
  }
  const route = {
    path: peer.path,
    peerBehindNat: false,
    localBehindNat: false,
    movedAtMs: env.nowMs,
    trial: null,
    sentAtMs: env.nowMs,
  }
  const key = newAttachmentKey(tables)
  const policy = initiatorPolicy(context, peer.protocol)
  const attachment = createAttachment({ key, subject: peer.label, role: 'initiator', route, policy }, env.nowMs)
  const spiI = env.allocateIkeSpi()
  const nonceI = env.rng(NONCE_BYTES)
  const state = requestState(context, { attachment, peer, spiI, nonceI, group, keyExchange, cookie: null, retries: 0 })
  const sa = createIkeSa({ spiI, spiR: ZERO_SPI, originalInitiator: true, route, state })
  tables.bySpi.set(sa.localSpi, sa)
  sendInit(context, sa, state)
}

/** The same attempt again, with what the responder asked for. */
export function retryInit(
  context: Context,
  sa: IkeSa,
  state: InitSent,
  change: { readonly cookie?: Uint8Array; readonly group?: number },
): void {
  const { env } = context
  const group = change.group ?? state.group
  const keyExchange = group === state.group ? state.keyExchange : env.crypto.keyExchange(group)?.generate(env.rng)
  if (keyExchange === undefined) return
  const { attachment, peer, nonceI } = state
  const cookie = change.cookie ?? state.cookie
  const retries = state.retries + 1
  const next = requestState(context, { attachment, peer, spiI: sa.spiI, nonceI, group, keyExchange, cookie, retries })
  sa.state = next
  sendInit(context, sa, next)
}

/** What we offer for an IKE SA, the group of the KE payload first. */
export function ikeProposals(context: Context, spi: Uint8Array, group: number): readonly Proposal[] {
  const options = { kePolicy: 'required', keGroupFirst: group } as const
  return proposalsFor(context.config.proposals.ike, PROTOCOL.IKE, spi, options)
}

interface InitParameters {
  readonly attachment: Attachment
  readonly peer: InitiatorConfig
  readonly spiI: IkeSpi
  readonly nonceI: Uint8Array
  readonly group: number
  readonly keyExchange: KeyExchangePrivate
  readonly cookie: Uint8Array | null
  readonly retries: number
}

function requestState(context: Context, { spiI, ...parameters }: InitParameters): InitSent {
  const { peer, group, keyExchange, nonceI, cookie } = parameters
  const { config, env } = context
  const spis = { spiI, spiR: ZERO_SPI }
  const header = {
    ...spis,
    exchangeType: EXCHANGE.IKE_SA_INIT,
    messageId: 0 as MessageId,
    fromOriginalInitiator: true,
    isResponse: false,
  }
  const payloads: Payload[] = [
    ...(cookie === null ? [] : [notify(NOTIFY.COOKIE, cookie)]),
    { kind: 'sa', proposals: ikeProposals(context, EMPTY, group) },
    { kind: 'ke', group, data: keyExchange.publicValue },
    { kind: 'nonce', data: nonceI },
    ...natDetectionNotifies(context, spis, peer.path, config.forceUdpEncap ?? true),
    notify(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED),
    ...redirectNotifies(context, peer),
    ...authAbilities({ signatures: true, ppk: peer.ppk !== undefined }),
    ...(offersAdditionalKe(config) ? [notify(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED)] : []),
  ]
  const request = encodeMessage(header, payloads)
  const retransmission = startRetransmission([request], env.nowMs, config.timing)
  return { ...parameters, phase: 'initSent', request, retransmission, suspicion: null }
}

function offersAdditionalKe({ proposals }: EndpointConfig): boolean {
  return proposals.ike.some(({ additionalKe = [] }) => additionalKe.length > 0)
}

function sendInit(context: Context, sa: IkeSa, { request, peer }: InitSent): void {
  context.effects.push({ kind: 'send', path: peer.path, bytes: request })
  context.touched.add(sa)
}
