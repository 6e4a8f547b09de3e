/**
 * Makes a Child SA once everything is agreed: keys (RFC 7296 2.17), the description for the data plane, our own record.
 *
 * The exchange initiator's outbound keys come first in KEYMAT (C42), whoever was the original initiator of the IKE SA.
 */
import type { ChildProtocol, ChildSaDescription, ChildSaSummary, Env } from '../endpoint/contract.ts'
import type { Context } from '../endpoint/context.ts'
import { deriveChildKeys } from '../keys/key-schedule.ts'
import type { Proposal, Transform } from '../message/model.ts'
import { ENCR, ESN, KE, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'
import { protocolIdOf } from './notify.ts'
import type { PeerPolicy } from '../proposal/peer-policy.ts'
import { selectProposal, type SelectedSuite, type SelectOptions } from '../proposal/select.ts'
import type { ChildInput, ResolvedChildSuite } from '../sa/agreement.ts'
import { addChild, type Attachment } from '../sa/attachment.ts'
import { hardLifetimeMs, jitteredLifetimeMs } from '../sa/channel.ts'
import { type ChildSa, createChildSa } from '../sa/child-sa.ts'
import { usesUdp } from '../sa/encapsulation.ts'

/** @returns null when the provider lacks one of them, or the choice is not complete. */
export function resolveChildSuite(env: Env, selected: SelectedSuite): ResolvedChildSuite | null {
  const { encr, integ, esn, proposal } = selected
  if (proposal.protocolId === PROTOCOL.AH) return resolveAhSuite(env, selected)
  if (encr === null) return null
  const cipher = env.crypto.cipher(encr.id, encr.keyBits)
  const integrity = integ === null ? null : env.crypto.integrity(integ.id)
  if (cipher === null || (integ !== null && integrity === null)) return null
  if (cipher.kind === 'block' && integrity === null) return null
  return { protocol: 'esp', encr, integ, esn: esn?.id === ESN.YES, cipher, integrity }
}

function resolveAhSuite(env: Env, { integ, esn }: SelectedSuite): ResolvedChildSuite | null {
  const integrity = integ === null ? null : env.crypto.integrity(integ.id)
  if (integrity === null) return null
  return { protocol: 'ah', encr: NO_ENCRYPTION, integ, esn: esn?.id === ESN.YES, cipher: null, integrity }
}

const NO_ENCRYPTION: Transform = { type: TRANSFORM_TYPE.ENCR, id: ENCR.NULL, keyBits: null }

export interface ChosenChildSuite {
  readonly selected: SelectedSuite
  readonly suite: ResolvedChildSuite
}

/** The first tier of the peer in which something it offers can be taken. @returns null for NO_PROPOSAL_CHOSEN. */
export function chooseChildSuite(
  env: Env,
  offered: readonly Proposal[],
  { tiers }: PeerPolicy,
  options: Omit<SelectOptions, 'protocolId'> & { readonly protocols: readonly ChildProtocol[] },
): ChosenChildSuite | null {
  for (const tier of tiers) {
    for (const protocol of options.protocols) {
      const suites = protocol === 'ah' ? (tier.ah ?? []) : tier.esp
      const selected = selectProposal(offered, suites, { ...options, protocolId: protocolIdOf(protocol) })
      const suite = selected === null ? null : resolveChildSuite(env, selected)
      if (selected !== null && suite !== null) return { selected, suite }
    }
  }
  return null
}

/**
 * What a Child SA may be protected with, best first. AH covers the outer addresses, so it is for paths that change none: no NAT, no
 * MOBIKE (RFC 4302 3.3.3.1, RFC 3948 1). A rekey keeps its protocol.
 */
export function protocolsFor({ route, mobike }: Attachment, replaces: ChildSa | null): readonly ChildProtocol[] {
  const isStill = !route.peerBehindNat && !route.localBehindNat && mobike === null
  const allowed: readonly ChildProtocol[] = isStill ? ['esp', 'ah'] : ['esp']
  return replaces === null ? allowed : allowed.filter((protocol) => protocol === replaces.protocol)
}

/** Hands the Child SA to the data plane and adds it to the attachment. */
export function installChild(context: Context, attachment: Attachment, input: ChildInput): ChildSa {
  const { env, config, effects } = context
  const { suite, spiIn, spiOut, mode, tsLocal, tsRemote, outbound, replaces } = input
  effects.push({ kind: 'installChildSa', key: attachment.key, child: describe(context, attachment, input) })
  const lifetimeMs = config.timing.childRekeyMs
  const child = createChildSa({
    spiIn,
    spiOut,
    protocol: suite.protocol,
    encr: suite.encr,
    integ: suite.integ,
    esn: suite.esn,
    group: input.secrets?.group ?? KE.NONE,
    additionalKe: (input.secrets?.additional.length ?? 0) > 0,
    mode,
    tsLocal,
    tsRemote,
    replaces,
    outboundActive: outbound,
    rekeyAtMs: env.nowMs + jitteredLifetimeMs(lifetimeMs, env.rng(2)),
    expiresAtMs: env.nowMs + hardLifetimeMs(lifetimeMs, config.timing),
  })
  addChild(attachment, child)
  return child
}

function describe({ config }: Context, { route }: Attachment, input: ChildInput): ChildSaDescription {
  const { suite, exchangeInitiator, nonceI, nonceR, secrets } = input
  const keys = deriveChildKeys(
    input.prf,
    input.skD,
    { cipher: suite.cipher, integ: suite.integrity },
    { nonceI, nonceR, ...secrets },
  )
  const outboundKeys = exchangeInitiator ? keys.initiator : keys.responder
  const inboundKeys = exchangeInitiator ? keys.responder : keys.initiator
  return {
    spiIn: input.spiIn,
    spiOut: input.spiOut,
    keys: {
      encr: suite.encr,
      integ: suite.integ,
      esn: suite.esn,
      inboundKey: inboundKeys.encrKey,
      outboundKey: outboundKeys.encrKey,
      inboundIntegKey: inboundKeys.integKey,
      outboundIntegKey: outboundKeys.integKey,
    },
    path: route.path,
    udpEncap: usesUdp(config, route, suite.protocol),
    ...(suite.protocol === 'ah' && { protocol: suite.protocol }),
    peerBehindNat: route.peerBehindNat,
    mode: input.mode,
    tsLocal: input.tsLocal,
    tsRemote: input.tsRemote,
    ...(input.originalAddresses && { originalAddresses: input.originalAddresses }),
    outbound: input.outbound,
    replaces: input.replaces,
  }
}

export function childSummary(child: ChildSa): ChildSaSummary {
  const { spiIn, spiOut, encr, integ, esn, mode, tsLocal, tsRemote, replaces } = child
  const summary = { spiIn, spiOut, encr, integ, esn, mode, tsLocal, tsRemote, replaces }
  return child.protocol === 'ah' ? { ...summary, protocol: child.protocol } : summary
}
