/**
 * Chooses one of the proposals a peer offers (RFC 7296 2.7, 3.3.6; RFC 5282 8).
 *
 * The peer's order of preference decides, among what the policy allows, first over proposals, then over the transforms of a
 * type; but a choice that uses the group of the peer's KE payload goes before one that would cost an INVALID_KE_PAYLOAD.
 * What is refused whatever the policy says: no key exchange for IKE, ENCR_NULL for IKE, no integrity without an AEAD, and an
 * AEAD beside a real integrity transform (C24, C25). Additional key exchanges (RFC 9370) are in `additional-ke.ts`.
 */
import type { SuitePolicy } from '../endpoint/contract.ts'
import type { Proposal, Transform } from '../message/model.ts'
import { ENCR, INTEG, KE, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'
import { readU32 } from '../message/octets.ts'
import { chooseAdditionalKe } from './additional-ke.ts'
import { isAead, type KePolicy, sameTransform, typesOf } from './transform.ts'

/** 0 is never on the wire and 1 to 255 are reserved (RFC 4303 2.1). */
const FIRST_CHILD_SPI = 256

export interface SelectOptions {
  readonly protocolId: number
  /** Group of the KE payload that came with the offer; null when there was none. */
  readonly keGroupOffered?: number | null
  readonly kePolicy: KePolicy
  /** False when the peer cannot do additional key exchanges now: only NONE is chosen. Left out: it can. */
  readonly additionalKe?: boolean
  /** When given, proposals with an SPI of another length are passed over (IKE: 0 at first, 8 at a rekey). */
  readonly spiBytes?: number
}

/** The chosen transforms; null where the protocol or the cipher has none. A `ke` of NONE is null too. */
export interface SelectedSuite {
  /** To be answered as it is: the peer's number and SPI, one transform of each type chosen. */
  readonly proposal: Proposal
  readonly encr: Transform | null
  readonly prf: Transform | null
  readonly integ: Transform | null
  readonly ke: Transform | null
  readonly esn: Transform | null
  /** Of the additional key exchanges in order, without NONE. */
  readonly additionalKe: readonly Transform[]
}

/**
 * @param offered proposals as decoded; numbered from 1 (C22).
 * @returns null when nothing is acceptable (NO_PROPOSAL_CHOSEN). When `ke` differs from the group of the KE payload, the
 * answer is INVALID_KE_PAYLOAD naming `ke.id`.
 */
export function selectProposal(
  offered: readonly Proposal[],
  policy: readonly SuitePolicy[],
  options: SelectOptions,
): SelectedSuite | null {
  if (offered[0]?.number !== 1) return null
  return firstMatch(offered, policy, options)
}

function firstMatch(
  offered: readonly Proposal[],
  policy: readonly SuitePolicy[],
  options: SelectOptions,
): SelectedSuite | null {
  let fallback: SelectedSuite | null = null
  for (const proposal of offered) {
    if (!isUsable(proposal, options)) continue
    for (const suite of policy) {
      const selected = matchSuite(proposal, suite, options)
      if (selected === null) continue
      if (avoidsRetry(selected, options)) return selected
      fallback ??= selected
    }
  }
  return fallback
}

function isUsable(proposal: Proposal, { protocolId, spiBytes }: SelectOptions): boolean {
  if (proposal.protocolId !== protocolId) return false
  if (spiBytes !== undefined && proposal.spi.length !== spiBytes) return false
  if (protocolId !== PROTOCOL.IKE && readU32(proposal.spi, 0) < FIRST_CHILD_SPI) return false
  const types = typesOf(protocolId)
  return proposal.transforms.every((transform) => types.includes(transform.type))
}

function avoidsRetry(selected: SelectedSuite, { keGroupOffered, kePolicy }: SelectOptions): boolean {
  if (kePolicy === 'absent' || keGroupOffered === null || keGroupOffered === undefined) return true
  return selected.ke?.id === keGroupOffered
}

/** `undefined`: no acceptable transform of this type, so no match. `null`: the type stays out of the answer. */
type Choice = Transform | null | undefined

function matchSuite(proposal: Proposal, suite: SuitePolicy, options: SelectOptions): SelectedSuite | null {
  const { protocolId } = options
  const encr = protocolId === PROTOCOL.AH ? null : chooseEncr(proposal, suite, protocolId)
  if (encr === undefined) return null
  const integ = chooseInteg(proposal, suite, encr)
  const prf = protocolId === PROTOCOL.IKE ? chooseFrom(proposal, TRANSFORM_TYPE.PRF, suite.prf) : null
  const esn = protocolId === PROTOCOL.IKE ? null : chooseFrom(proposal, TRANSFORM_TYPE.ESN, suite.esn)
  const ke = chooseKe(proposal, suite, options)
  if (integ === undefined || prf === undefined || esn === undefined || ke === undefined) return null
  const isReal = ke !== null && ke.id !== KE.NONE && (options.additionalKe ?? true)
  const additional = chooseAdditionalKe(proposal, suite, isReal ? ke.id : null, options.kePolicy)
  if (additional === null) return null
  const chosen = [encr, prf, integ, ke, esn, ...additional].filter((transform) => transform !== null)
  const transforms = proposal.transforms.filter((transform) => chosen.includes(transform))
  return {
    proposal: { number: proposal.number, protocolId, spi: proposal.spi, transforms },
    encr,
    prf,
    integ: integ?.id === INTEG.NONE ? null : integ,
    ke: ke?.id === KE.NONE ? null : ke,
    esn,
    additionalKe: additional.filter(({ id }) => id !== KE.NONE),
  }
}

function chooseFrom(proposal: Proposal, type: number, allowed: readonly Transform[]): Transform | undefined {
  return ofType(proposal, type).find((transform) => allowed.some((other) => sameTransform(transform, other)))
}

function ofType(proposal: Proposal, type: number): Transform[] {
  return proposal.transforms.filter((transform) => transform.type === type)
}

function chooseEncr(proposal: Proposal, suite: SuitePolicy, protocolId: number): Transform | undefined {
  const hasIntegrity = ofType(proposal, TRANSFORM_TYPE.INTEG).some(({ id }) => id !== INTEG.NONE)
  return ofType(proposal, TRANSFORM_TYPE.ENCR).find((transform) => {
    if (hasIntegrity && isAead(transform)) return false
    if (protocolId === PROTOCOL.IKE && transform.id === ENCR.NULL) return false
    return suite.encr.some((other) => sameTransform(transform, other))
  })
}

/** An AEAD takes no integrity transform, or NONE when that was offered; everything else takes a real one. */
function chooseInteg(proposal: Proposal, suite: SuitePolicy, encr: Transform | null): Choice {
  if (encr !== null && isAead(encr)) {
    const offered = ofType(proposal, TRANSFORM_TYPE.INTEG)
    return offered.find((transform) => transform.keyBits === null && transform.unknownAttribute === undefined) ?? null
  }
  const real = suite.integ.filter(({ id }) => id !== INTEG.NONE)
  return chooseFrom(proposal, TRANSFORM_TYPE.INTEG, real)
}

function chooseKe(proposal: Proposal, suite: SuitePolicy, options: SelectOptions): Choice {
  const { kePolicy, keGroupOffered = null } = options
  const offered = ofType(proposal, TRANSFORM_TYPE.KE)
  const none = offered.find(isNone)
  if (kePolicy === 'absent') return none ?? null
  const groups = offered.filter(
    (transform) => transform.id !== KE.NONE && suite.ke.some((other) => sameTransform(transform, other)),
  )
  const group = groups.find(({ id }) => id === keGroupOffered) ?? groups[0]
  if (kePolicy === 'required') return group
  if (keGroupOffered !== null && group !== undefined) return group
  return none ?? (offered.length === 0 ? null : undefined)
}

function isNone(transform: Transform): boolean {
  return transform.id === KE.NONE && transform.keyBits === null && transform.unknownAttribute === undefined
}
