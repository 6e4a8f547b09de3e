/**
 * Agrees to a Child SA the peer asks for, in IKE_AUTH or CREATE_CHILD_SA (RFC 7296 1.2, 1.3.1, 1.3.3, 2.9).
 *
 * Checks come first and leave nothing behind; the inbound SPI is allocated last. The Child SA is installed before the response
 * leaves (C43). A refusal is a notify and never ends the IKE SA.
 */
import type { KeyExchangeAnswer, Prf } from '@culvert/crypto'
import type { Context } from '../endpoint/context.ts'
import type { Payload, Proposal, Spi } from '../message/model.ts'
import { KE, NOTIFY } from '../message/numbers.ts'
import { readU32 } from '../message/octets.ts'
import type { KePolicy, SelectedSuite } from '../proposal/select.ts'
import { type Attachment, findChildOut, MAX_CHILD_SAS, MAX_NEW_CHILD_SAS } from '../sa/attachment.ts'
import type { ChildSa } from '../sa/child-sa.ts'
import type { PayloadOf } from '../sa/payload-shape.ts'
import { type AgreedSelectors, agreeSelectors, type SelectorRequest } from './child-selectors.ts'
import { chooseChildSuite, installChild, type ResolvedChildSuite } from './child-keys.ts'
import { invalidKePayload, notify, spiBytes } from './notify.ts'

/** SPIs below are reserved by IANA (RFC 4303 2.1). */
const FIRST_SPI = 256

export interface ChildRequest extends SelectorRequest {
  readonly prf: Prf
  readonly skD: Uint8Array
  readonly proposals: readonly Proposal[]
  readonly kePolicy: KePolicy
  /** KE payload of the request; null without. */
  readonly ke: PayloadOf<'ke'> | null
  readonly nonceI: Uint8Array
  readonly nonceR: Uint8Array
}

export type ChildAnswer =
  | {
      readonly ok: true
      readonly child: ChildSa
      readonly sa: Payload
      /** KEr, when there is one. */
      readonly ke: readonly Payload[]
      /** TSi and TSr, and USE_TRANSPORT_MODE where that was agreed. */
      readonly selectors: readonly Payload[]
    }
  | { readonly ok: false; readonly refusal: Payload }

/** Answers a request for a Child SA and installs it when it is granted. */
export function answerChildRequest(context: Context, attachment: Attachment, request: ChildRequest): ChildAnswer {
  const chosen = chooseChildSuite(context.env, request.proposals, attachment.policy, {
    keGroupOffered: request.ke?.group ?? null,
    kePolicy: request.kePolicy,
    additionalKe: false,
    spiBytes: 4,
  })
  if (chosen === null) return refuse(NOTIFY.NO_PROPOSAL_CHOSEN)
  const { selected, suite } = chosen
  const group = selected.ke?.id ?? KE.NONE
  if (group !== KE.NONE && request.ke?.group !== group) return { ok: false, refusal: invalidKePayload(group) }
  const spiOut = readU32(selected.proposal.spi, 0) as Spi
  if (spiOut < FIRST_SPI || findChildOut(attachment, spiOut) !== null) return refuse(NOTIFY.NO_PROPOSAL_CHOSEN)
  const selectors = agreeSelectors(attachment, request)
  if (selectors === null) return refuse(NOTIFY.TS_UNACCEPTABLE)
  const most = request.replaces === null ? MAX_NEW_CHILD_SAS : MAX_CHILD_SAS
  if (attachment.children.length >= most) return refuse(NOTIFY.NO_ADDITIONAL_SAS)
  return grant(context, attachment, request, { selected, suite, spiOut, group, selectors })
}

interface Agreed {
  readonly selected: SelectedSuite
  readonly suite: ResolvedChildSuite
  readonly spiOut: Spi
  readonly group: number
  readonly selectors: AgreedSelectors
}

function grant(context: Context, attachment: Attachment, request: ChildRequest, agreed: Agreed): ChildAnswer {
  const exchanged = agreed.group === KE.NONE ? null : exchangeKeys(context, agreed.group, request.ke)
  if (exchanged === undefined) return refuse(NOTIFY.INVALID_SYNTAX)
  const spiIn = context.env.allocateChildSpi()
  if (spiIn === null) return refuse(NOTIFY.NO_ADDITIONAL_SAS)
  const { mode, tsLocal, tsRemote, tsI, tsR } = agreed.selectors
  const child = installChild(context, attachment, {
    prf: request.prf,
    skD: request.skD,
    suite: agreed.suite,
    nonceI: request.nonceI,
    nonceR: request.nonceR,
    secrets: exchanged && { group: agreed.group, sharedSecret: exchanged.sharedSecret, additional: [] },
    exchangeInitiator: false,
    spiIn,
    spiOut: agreed.spiOut,
    mode,
    tsLocal,
    tsRemote,
    outbound: request.replaces === null,
    replaces: request.replaces?.spiIn ?? null,
  })
  exchanged?.sharedSecret.fill(0)
  return {
    ok: true,
    child,
    sa: { kind: 'sa', proposals: [{ ...agreed.selected.proposal, spi: spiBytes(spiIn) }] },
    ke: exchanged === null ? [] : [{ kind: 'ke', group: agreed.group, data: exchanged.publicValue }],
    selectors: [
      ...(mode === 'transport' ? [notify(NOTIFY.USE_TRANSPORT_MODE)] : []),
      { kind: 'tsI', selectors: tsI },
      { kind: 'tsR', selectors: tsR },
    ],
  }
}

/** Our half of a key exchange, and the secret. @returns undefined when the peer's value is no good (RFC 6989). */
export function exchangeKeys(
  { env }: Context,
  group: number,
  ke: PayloadOf<'ke'> | null,
): KeyExchangeAnswer | undefined {
  if (ke === null || ke.group !== group) return undefined
  return env.crypto.keyExchange(group)?.respond(env.rng, ke.data) ?? undefined
}

function refuse(type: number): ChildAnswer {
  return { ok: false, refusal: notify(type) }
}
