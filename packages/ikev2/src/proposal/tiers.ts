/**
 * The tiers a responder takes peers in, best first.
 *
 * ```
 *             IKE                                            ESP                          groups
 *   modern    AES-GCM, ChaCha20-Poly1305; HMAC-SHA2          AES-GCM, ChaCha20-Poly1305   Curve25519, ECP; ML-KEM beside it
 *   standard  the same, and AES-CBC with HMAC-SHA2           the same, and AES-CBC        these, and MODP from 2048 bits
 *   compat    the same, and HMAC-SHA1, short ICVs            the same, and HMAC-SHA1      these, and MODP 1536 and 1024
 * ```
 *
 * A tier holds what the tiers above it hold, so a peer that mixes old and new finds one. Compat is for firmware that cannot do
 * better (RFC 8247 2.4: groups 2 and 5 SHOULD NOT be used); it never comes before the others. In CREATE_CHILD_SA a Child SA may be
 * without a key exchange in every tier. ML-KEM is optional everywhere (RFC 9370). The data plane carries all ESP suites.
 */
import type { ProposalTier, SuitePolicy } from '../endpoint/contract.ts'
import type { Transform } from '../message/model.ts'
import { ENCR, ESN, INTEG, KE, PRF, TRANSFORM_TYPE } from '../message/numbers.ts'

function transforms(type: number, ids: readonly number[]): readonly Transform[] {
  return ids.map((id) => ({ type, id, keyBits: null }))
}

function aes(id: number, ...keyBits: readonly number[]): readonly Transform[] {
  return keyBits.map((bits) => ({ type: TRANSFORM_TYPE.ENCR, id, keyBits: bits }))
}

const CHACHA = transforms(TRANSFORM_TYPE.ENCR, [ENCR.CHACHA20_POLY1305])
const AEAD = [...aes(ENCR.AES_GCM_16, 256, 128, 192), ...CHACHA]
const SHORT_ICV = [...AEAD, ...aes(ENCR.AES_GCM_12, 256, 128, 192), ...aes(ENCR.AES_GCM_8, 256, 128, 192)]
const CBC = aes(ENCR.AES_CBC, 256, 128, 192)

const SHA2_PRFS = [PRF.HMAC_SHA2_384, PRF.HMAC_SHA2_256, PRF.HMAC_SHA2_512]
const SHA2_MACS = [INTEG.HMAC_SHA2_256_128, INTEG.HMAC_SHA2_384_192, INTEG.HMAC_SHA2_512_256]

const CURVES = [KE.CURVE25519, KE.ECP_256, KE.ECP_384, KE.ECP_521]
const WITH_MODP = [...CURVES, KE.MODP_2048, KE.MODP_3072, KE.MODP_4096]
const WITH_SHORT_MODP = [...WITH_MODP, KE.MODP_1536, KE.MODP_1024]

const ML_KEM = [transforms(TRANSFORM_TYPE.ADDKE1, [KE.ML_KEM_768, KE.ML_KEM_1024, KE.NONE])]
const SEQUENCE_NUMBERS = transforms(TRANSFORM_TYPE.ESN, [ESN.NO, ESN.YES])

interface IkeParts {
  readonly encr: readonly Transform[]
  readonly prfs: readonly number[]
  /** None for AEADs. */
  readonly macs?: readonly number[]
  readonly groups: readonly number[]
}

function ikeSuite({ encr, prfs, macs = [], groups }: IkeParts): SuitePolicy {
  return {
    encr,
    prf: transforms(TRANSFORM_TYPE.PRF, prfs),
    integ: transforms(TRANSFORM_TYPE.INTEG, macs),
    ke: transforms(TRANSFORM_TYPE.KE, groups),
    esn: [],
    additionalKe: ML_KEM,
  }
}

function espSuite({ encr, macs = [], groups }: Omit<IkeParts, 'prfs'>): SuitePolicy {
  return { ...ikeSuite({ encr, prfs: [], macs, groups }), esn: SEQUENCE_NUMBERS }
}

export const modernTier: ProposalTier = {
  name: 'modern',
  ike: [ikeSuite({ encr: AEAD, prfs: SHA2_PRFS, groups: CURVES })],
  esp: [espSuite({ encr: AEAD, groups: CURVES })],
}

export const standardTier: ProposalTier = {
  name: 'standard',
  ike: [
    ikeSuite({ encr: AEAD, prfs: SHA2_PRFS, groups: WITH_MODP }),
    ikeSuite({ encr: CBC, prfs: SHA2_PRFS, macs: SHA2_MACS, groups: WITH_MODP }),
  ],
  esp: [espSuite({ encr: AEAD, groups: WITH_MODP }), espSuite({ encr: CBC, macs: SHA2_MACS, groups: WITH_MODP })],
}

const OLD_PRFS = [...SHA2_PRFS, PRF.HMAC_SHA1]
const OLD_MACS = [...SHA2_MACS, INTEG.HMAC_SHA1_96]

export const compatTier: ProposalTier = {
  name: 'compat',
  ike: [
    ikeSuite({ encr: SHORT_ICV, prfs: OLD_PRFS, groups: WITH_SHORT_MODP }),
    ikeSuite({ encr: CBC, prfs: OLD_PRFS, macs: OLD_MACS, groups: WITH_SHORT_MODP }),
  ],
  esp: [
    espSuite({ encr: SHORT_ICV, groups: WITH_SHORT_MODP }),
    espSuite({ encr: CBC, macs: OLD_MACS, groups: WITH_SHORT_MODP }),
  ],
}

/** All tiers in the order in which a responder tries them. */
export const proposalTiers: readonly ProposalTier[] = [modernTier, standardTier, compatTier]
