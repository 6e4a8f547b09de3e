/**
 * The initiator's side of a negotiation: makes proposals from a policy and checks that the answer is one of them (RFC 7296 2.7).
 */
import type { SuitePolicy } from '../endpoint/contract.ts'
import type { Proposal, Transform } from '../message/model.ts'
import { KE, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'
import { selectProposal, type SelectedSuite } from './select.ts'
import { ADDITIONAL_KE_TYPES, type KePolicy, sameTransform } from './transform.ts'

export interface OfferOptions {
  /** `optional` offers the groups and NONE, `absent` leaves the type out. IKE: always `required`. */
  readonly kePolicy: KePolicy
  /** The group of our KE payload: proposals that have it name it first. */
  readonly keGroupFirst?: number
  /** False: without additional key exchanges, whatever the suites say. */
  readonly additionalKe?: boolean
}

/**
 * @param spi of ours: empty for the first IKE SA, 8 octets at its rekey, 4 for ESP.
 * @returns one proposal for each suite, and before it one more where additional key exchanges are wanted but may be left out: who
 * does not know them passes over a proposal that names them.
 */
export function proposalsFor(
  policy: readonly SuitePolicy[],
  protocolId: number,
  spi: Uint8Array,
  options: OfferOptions,
): readonly Proposal[] {
  const withoutAdditional = options.kePolicy === 'absent' || options.additionalKe === false
  return policy
    .flatMap((suite) => {
      const plain = transformsOffered(suite, protocolId, options)
      const additional = withoutAdditional ? [] : additionalOffered(suite)
      if (additional.length === 0) return [plain]
      const isOptional = (suite.additionalKe ?? []).every(mayBePassedOver)
      return isOptional ? [[...plain, ...additional], plain] : [[...plain, ...additional]]
    })
    .map((transforms, index) => ({ number: index + 1, protocolId, spi, transforms }))
}

function transformsOffered(suite: SuitePolicy, protocolId: number, options: OfferOptions): readonly Transform[] {
  return [
    ...suite.encr,
    ...(protocolId === PROTOCOL.IKE ? suite.prf : []),
    ...suite.integ,
    ...groupsOffered(suite.ke, options),
    ...(protocolId === PROTOCOL.IKE ? [] : suite.esn),
  ]
}

function additionalOffered({ additionalKe = [] }: SuitePolicy): readonly Transform[] {
  return additionalKe.flatMap((methods, index) =>
    methods.map(({ id, keyBits }) => ({ type: ADDITIONAL_KE_TYPES[index] ?? TRANSFORM_TYPE.ADDKE1, id, keyBits })),
  )
}

function mayBePassedOver(methods: readonly Transform[]): boolean {
  return methods.length === 0 || methods.some(({ id }) => id === KE.NONE)
}

function groupsOffered(groups: readonly Transform[], { kePolicy, keGroupFirst }: OfferOptions): readonly Transform[] {
  if (kePolicy === 'absent' || groups.length === 0) return []
  const first = groups.filter(({ id }) => id === keGroupFirst)
  const others = groups.filter(({ id }) => id !== keGroupFirst)
  const none = { type: TRANSFORM_TYPE.KE, id: KE.NONE, keyBits: null }
  return [...first, ...others, ...(kePolicy === 'optional' ? [none] : [])]
}

/**
 * Checks the responder's choice against what was offered.
 *
 * @param answered the SA payload of the response.
 * @returns null unless it is exactly one proposal with a number we gave, one transform for each type we offered under it, and
 * nothing we did not offer.
 */
export function checkChoice(
  policy: readonly SuitePolicy[],
  offered: readonly Proposal[],
  answered: readonly Proposal[],
  options: { readonly protocolId: number; readonly kePolicy: KePolicy; readonly keGroupOffered?: number | null },
): SelectedSuite | null {
  const [answer] = answered
  if (answer === undefined || answered.length !== 1) return null
  const ours = offered.find(({ number }) => number === answer.number)
  if (ours === undefined || !hasOneOfEach(ours, answer)) return null
  const selected = selectProposal([{ ...answer, number: 1 }], policy, options)
  if (selected === null || selected.proposal.transforms.length !== answer.transforms.length) return null
  return { ...selected, proposal: answer }
}

/** Every transform comes from the offer and no type comes twice. Types whose offer included NONE may be left out. */
function hasOneOfEach(ours: Proposal, answer: Proposal): boolean {
  const types = answer.transforms.map(({ type }) => type)
  if (new Set(types).size !== types.length) return false
  const isOffered = answer.transforms.every((transform) =>
    ours.transforms.some((other) => sameTransform(transform, other)),
  )
  return isOffered && ours.transforms.every((other) => types.includes(other.type) || mayBeLeftOut(ours, other.type))
}

function mayBeLeftOut(ours: Proposal, type: number): boolean {
  const hasNone = type === TRANSFORM_TYPE.KE || type === TRANSFORM_TYPE.INTEG || ADDITIONAL_KE_TYPES.includes(type)
  if (!hasNone) return false
  return ours.transforms.some((transform) => transform.type === type && transform.id === 0)
}
