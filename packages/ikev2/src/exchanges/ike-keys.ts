/**
 * From a negotiated suite and a shared secret to the protected channel of an IKE SA (RFC 7296 2.14, 2.18).
 */
import type { CryptoProvider, Prf } from '@culvert/crypto'
import type { TierName } from '../endpoint/contract.ts'
import { deriveIkeKeys, type IkeKeyInput, type IkeKeys } from '../keys/key-schedule.ts'
import type { Proposal } from '../message/model.ts'
import type { SkKeys } from '../message/seal.ts'
import type { NamedPolicy } from '../proposal/peer-policy.ts'
import { selectProposal, type SelectedSuite, type SelectOptions } from '../proposal/select.ts'
import type { ResolvedIkeSuite } from '../sa/agreement.ts'
import { type Channel, createChannel } from '../sa/channel.ts'

export interface ChosenIkeSuite {
  readonly selected: SelectedSuite
  readonly resolved: ResolvedIkeSuite
}

/**
 * The first tier in which something the peer offers can be taken; inside a tier the peer's order decides (C20).
 *
 * @returns null for NO_PROPOSAL_CHOSEN.
 */
export function chooseIkeSuite(
  crypto: CryptoProvider,
  offered: readonly Proposal[],
  tiers: readonly NamedPolicy[],
  options: SelectOptions,
): ChosenIkeSuite | null {
  for (const { ike, name } of tiers) {
    const selected = selectProposal(offered, ike, options)
    const resolved = selected === null ? null : resolveIkeSuite(crypto, selected, name)
    if (selected !== null && resolved !== null) return { selected, resolved }
  }
  return null
}

/** @returns null when the provider lacks one of them, or the choice is not complete. */
export function resolveIkeSuite(
  crypto: CryptoProvider,
  selected: Pick<SelectedSuite, 'encr' | 'prf' | 'integ' | 'ke' | 'additionalKe'>,
  tier: TierName | null,
): ResolvedIkeSuite | null {
  const { encr, prf: prfTransform, integ: integTransform, ke, additionalKe } = selected
  if (encr === null || prfTransform === null || ke === null) return null
  const cipher = crypto.cipher(encr.id, encr.keyBits)
  const prf = crypto.prf(prfTransform.id)
  const integ = integTransform === null ? null : crypto.integrity(integTransform.id)
  if (cipher === null || prf === null || (integTransform !== null && integ === null)) return null
  if (cipher.kind === 'block' && integ === null) return null
  if (additionalKe.some(({ id }) => crypto.keyExchange(id) === null)) return null
  const transforms = { encr, prf: prfTransform, integ: integTransform, ke, additionalKe, tier }
  return { transforms, suite: { cipher, prf, integ } }
}

export interface ChannelInput extends IkeKeyInput {
  readonly resolved: ResolvedIkeSuite
  /** Whether we are the original initiator of the new IKE SA. */
  readonly originalInitiator: boolean
  readonly fragmentation: boolean
  /** By a ticket: the first IKE SA of an attachment although it has an old SK_d (RFC 5723 5.1). */
  readonly isResumed?: boolean
}

/** @returns the channel, and the keys it does not keep: SK_pi and SK_pr. */
export function deriveChannel(input: ChannelInput): { readonly channel: Channel; readonly keys: IkeKeys } {
  const { resolved, originalInitiator, fragmentation } = input
  const { cipher, integ } = resolved.suite
  const keys = deriveIkeKeys(resolved.suite, input)
  const isFirstSa = input.oldSkD === undefined || input.isResumed === true
  const ofInitiator: SkKeys = { cipher, integ, encrKey: keys.skEi, integKey: keys.skAi }
  const ofResponder: SkKeys = { cipher, integ, encrKey: keys.skEr, integKey: keys.skAr }
  const channel = createChannel({
    transforms: resolved.transforms,
    skD: keys.skD,
    sending: originalInitiator ? ofInitiator : ofResponder,
    receiving: originalInitiator ? ofResponder : ofInitiator,
    fragmentation,
    firstSent: isFirstSa && originalInitiator ? 1 : 0,
    firstReceived: isFirstSa && !originalInitiator ? 1 : 0,
  })
  return { channel, keys }
}

/** The PRF of a channel; it was there when the channel was made. */
export function prfOf(crypto: CryptoProvider, channel: Channel): Prf {
  const prf = crypto.prf(channel.transforms.prf.id)
  if (prf === null) throw new TypeError('the provider lost a PRF it had')
  return prf
}
