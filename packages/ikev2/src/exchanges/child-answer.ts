/**
 * Agrees to a Child SA the peer asks for, in IKE_AUTH or CREATE_CHILD_SA (RFC 7296 1.2, 1.3.1, 1.3.3, 2.9).
 *
 * Checks come first and leave nothing behind; the inbound SPI is allocated last. The Child SA is installed before the response
 * leaves (C43). A refusal is a notify and never ends the IKE SA.
 */
import type { KeyExchangeAnswer, Prf } from '@culvert/crypto'
import type { Context } from '../endpoint/context.ts'
import type { Payload, Proposal, Spi, Transform } from '../message/model.ts'
import { KE, NOTIFY } from '../message/numbers.ts'
import { readU32 } from '../message/octets.ts'
import type { SelectedSuite } from '../proposal/select.ts'
import type { KePolicy } from '../proposal/transform.ts'
import type { ChildInput, ResolvedChildSuite } from '../sa/agreement.ts'
import { type Attachment, findChildOut, MAX_CHILD_SAS, MAX_NEW_CHILD_SAS } from '../sa/attachment.ts'
import type { ChildSa } from '../sa/child-sa.ts'
import type { PayloadOf } from '../sa/payload-shape.ts'
import { type AgreedSelectors, agreeSelectors, type SelectorRequest } from './child-selectors.ts'
import { chooseChildSuite, installChild, protocolsFor } from './child-keys.ts'
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

export type ChildAnswer = ({ readonly ok: true; readonly child: ChildSa } & Answered) | Refused

interface Refused {
  readonly ok: false
  readonly refusal: Payload
}

/** What the response holds. */
interface Answered {
  readonly sa: Payload
  /** KEr, when there is one. */
  readonly ke: readonly Payload[]
  /** TSi and TSr, and USE_TRANSPORT_MODE where that was agreed. */
  readonly selectors: readonly Payload[]
}

export type ChildAgreement =
  | ({
      readonly ok: true
      readonly input: ChildInput
      /** Methods of the additional key exchanges that have to follow (RFC 9370 2.2.4). */
      readonly additionalKe: readonly Transform[]
    } & Answered)
  | Refused

/** Answers a request for a Child SA in IKE_AUTH and installs it when it is granted. */
export function answerChildRequest(context: Context, attachment: Attachment, request: ChildRequest): ChildAnswer {
  const agreed = agreeOnChild(context, attachment, request)
  return agreed.ok ? { ...agreed, child: installChild(context, attachment, agreed.input) } : agreed
}

/** Agrees to a Child SA and allocates its SPI; whoever does not install it gives that back. */
export function agreeOnChild(context: Context, attachment: Attachment, request: ChildRequest): ChildAgreement {
  const chosen = chooseChildSuite(context.env, request.proposals, attachment.policy, {
    keGroupOffered: request.ke?.group ?? null,
    kePolicy: request.kePolicy,
    spiBytes: 4,
    protocols: protocolsFor(attachment, request.replaces),
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
  const { children, unfinished } = attachment
  if (children.length + unfinished.length >= most) return refuse(NOTIFY.NO_ADDITIONAL_SAS)
  return grant(context, request, { selected, suite, spiOut, group, selectors })
}

interface Agreed {
  readonly selected: SelectedSuite
  readonly suite: ResolvedChildSuite
  readonly spiOut: Spi
  readonly group: number
  readonly selectors: AgreedSelectors
}

function grant(
  context: Context,
  request: ChildRequest,
  { group, selected, selectors, suite, spiOut }: Agreed,
): ChildAgreement {
  const exchanged = group === KE.NONE ? null : exchangeKeys(context, group, request.ke)
  if (exchanged === undefined) return refuse(NOTIFY.INVALID_SYNTAX)
  const spiIn = context.env.allocateChildSpi()
  if (spiIn === null) return refuse(NOTIFY.NO_ADDITIONAL_SAS)
  const { prf, skD, nonceI, nonceR, replaces } = request
  const { mode, tsLocal, tsRemote, tsI, tsR, originalAddresses } = selectors
  const input: ChildInput = {
    prf,
    skD,
    suite,
    nonceI,
    nonceR,
    secrets: exchanged && { group, sharedSecret: exchanged.sharedSecret, additional: [] },
    exchangeInitiator: false,
    spiIn,
    spiOut,
    mode,
    tsLocal,
    tsRemote,
    originalAddresses,
    outbound: replaces === null,
    replaces: replaces?.spiIn ?? null,
  }
  return {
    ok: true,
    input,
    additionalKe: selected.additionalKe,
    sa: { kind: 'sa', proposals: [{ ...selected.proposal, spi: spiBytes(spiIn) }] },
    ke: exchanged === null ? [] : [{ kind: 'ke', group, data: exchanged.publicValue }],
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

function refuse(type: number): Refused {
  return { ok: false, refusal: notify(type) }
}
