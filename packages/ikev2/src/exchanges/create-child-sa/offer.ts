/**
 * What we propose in CREATE_CHILD_SA, and our half of its key exchange (RFC 7296 1.3, 2.18).
 *
 * A rekey repeats what is in use: the group of the KE payload first, and with tiers, which are for peers of all kinds, only suites
 * that have what is in use. So the offer stays short, and a peer that knows one suite finds it.
 */
import type { SuitePolicy } from '../../endpoint/contract.ts'
import type { Context } from '../../endpoint/context.ts'
import type { Payload, Proposal, Spi, Transform } from '../../message/model.ts'
import { KE, PROTOCOL } from '../../message/numbers.ts'
import { proposalsFor } from '../../proposal/offer.ts'
import { childSuitesOf, ikeSuitesOf } from '../../proposal/peer-policy.ts'
import { sameTransform } from '../../proposal/transform.ts'
import type { Attachment } from '../../sa/attachment.ts'
import type { Channel } from '../../sa/channel.ts'
import type { ChildSa } from '../../sa/child-sa.ts'
import type { KeyOffer } from '../../sa/request.ts'
import { NONCE_BYTES } from '../ike-sa-init/first-request.ts'
import { protocolIdOf, spiBytes } from '../notify.ts'

/** @param group of the KE payload, null for our choice. @returns null when the provider lacks it. */
export function offerIkeRekey(
  context: Context,
  { policy }: Attachment,
  { transforms }: Channel,
  group: number | null,
): KeyOffer | null {
  const suites = ikeSuitesOf(policy, transforms.tier)
  const known = suites.flatMap(({ ke }) => ke.map(({ id }) => id))
  // The policy may have changed: the KE payload is of a group we offer (C14).
  const first = known.includes(transforms.ke.id) ? transforms.ke.id : (known[0] ?? transforms.ke.id)
  const chosen = group ?? first
  const inUse = transforms.tier === null ? suites : withTransforms(suites, transforms, chosen)
  return makeOffer(context, PROTOCOL.IKE, chosen, inUse, transforms.additionalKe.length > 0)
}

export function offerChildRekey(
  context: Context,
  { policy }: Attachment,
  { transforms }: Channel,
  child: ChildSa,
  group: number | null,
): KeyOffer | null {
  const [best] = policy.tiers
  const hasTiers = best === undefined || best.name !== null
  // Only a peer that made a key exchange for this Child SA is offered one: some fail the rekey otherwise.
  const allowed = childSuitesOf(policy, child.protocol)
  const chosen = group ?? (hasTiers ? child.group : (allowed[0]?.ke[0]?.id ?? KE.NONE))
  const suites = hasTiers ? withTransforms(allowed, child, chosen) : allowed
  const additionalKe = child.additionalKe || (!hasTiers && transforms.additionalKe.length > 0)
  return makeOffer(context, protocolIdOf(child.protocol), chosen, suites, additionalKe)
}

export function offerNewChild(
  context: Context,
  { policy }: Attachment,
  { transforms }: Channel,
  group: number | null,
): KeyOffer | null {
  const suites = childSuitesOf(policy, policy.proposes)
  const chosen = group ?? suites[0]?.ke[0]?.id ?? KE.NONE
  return makeOffer(context, protocolIdOf(policy.proposes), chosen, suites, transforms.additionalKe.length > 0)
}

/** The suites that hold what is in use, of Child SAs without a key exchange the first; all when none does. */
function withTransforms(
  suites: readonly SuitePolicy[],
  { encr, integ }: { readonly encr: Transform; readonly integ: Transform | null },
  group: number,
): readonly SuitePolicy[] {
  const fitting = suites.filter(
    (suite) =>
      (suite.encr.length === 0 || suite.encr.some((transform) => sameTransform(transform, encr))) &&
      (integ === null || suite.integ.some((transform) => sameTransform(transform, integ))) &&
      (group === KE.NONE || suite.ke.some(({ id }) => id === group)),
  )
  if (fitting.length === 0) return suites
  return group === KE.NONE ? fitting.slice(0, 1) : fitting
}

function makeOffer(
  context: Context,
  protocolId: number,
  group: number,
  suites: readonly SuitePolicy[],
  additionalKe: boolean,
): KeyOffer | null {
  const { env } = context
  const keyExchange = group === KE.NONE ? null : env.crypto.keyExchange(group)?.generate(env.rng)
  if (keyExchange === undefined) return null
  return { protocolId, suites, additionalKe, nonce: env.rng(NONCE_BYTES), group, keyExchange }
}

export function ikeProposalsOf({ suites, group, additionalKe }: KeyOffer, spi: Uint8Array): readonly Proposal[] {
  return proposalsFor(suites, PROTOCOL.IKE, spi, { kePolicy: 'required', keGroupFirst: group, additionalKe })
}

export function childProposalsOf(
  { protocolId, suites, group, additionalKe }: KeyOffer,
  spiIn: Spi,
): readonly Proposal[] {
  const kePolicy = group === KE.NONE ? 'absent' : 'optional'
  return proposalsFor(suites, protocolId, spiBytes(spiIn), { kePolicy, keGroupFirst: group, additionalKe })
}

export function keyPayload({ group, keyExchange }: KeyOffer): readonly Payload[] {
  return keyExchange === null ? [] : [{ kind: 'ke', group, data: keyExchange.publicValue }]
}
