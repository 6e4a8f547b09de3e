/**
 * The suites accepted and offered unless an organization decides otherwise (RFC 8221, RFC 8247 as updated by RFC 9395).
 *
 * Two proposals each, because AEADs and ciphers with a MAC cannot share one (RFC 7296 3.3): first AES-GCM and
 * ChaCha20-Poly1305, then AES-CBC with HMAC-SHA2. Nothing with SHA-1 or a group below 2048 bits.
 */
import type { SuitePolicy } from '../endpoint/contract.ts'
import type { Transform } from '../message/model.ts'
import { ENCR, ESN, INTEG, KE, PRF, TRANSFORM_TYPE } from '../message/numbers.ts'

function transform(type: number, id: number, keyBits: number | null = null): Transform {
  return { type, id, keyBits }
}

const AEAD = [
  transform(TRANSFORM_TYPE.ENCR, ENCR.AES_GCM_16, 256),
  transform(TRANSFORM_TYPE.ENCR, ENCR.AES_GCM_16, 128),
  transform(TRANSFORM_TYPE.ENCR, ENCR.CHACHA20_POLY1305),
]

const CBC = [transform(TRANSFORM_TYPE.ENCR, ENCR.AES_CBC, 256), transform(TRANSFORM_TYPE.ENCR, ENCR.AES_CBC, 128)]

const MACS = [INTEG.HMAC_SHA2_256_128, INTEG.HMAC_SHA2_384_192, INTEG.HMAC_SHA2_512_256].map((id) =>
  transform(TRANSFORM_TYPE.INTEG, id),
)

const PRFS = [PRF.HMAC_SHA2_256, PRF.HMAC_SHA2_384, PRF.HMAC_SHA2_512].map((id) => transform(TRANSFORM_TYPE.PRF, id))

const GROUPS = [KE.CURVE25519, KE.ECP_256, KE.ECP_384, KE.MODP_2048, KE.MODP_3072, KE.MODP_4096, KE.ECP_521].map((id) =>
  transform(TRANSFORM_TYPE.KE, id),
)

const SEQUENCE_NUMBERS = [ESN.NO, ESN.YES].map((id) => transform(TRANSFORM_TYPE.ESN, id))

export const defaultIkeSuites: readonly SuitePolicy[] = [
  { encr: AEAD, prf: PRFS, integ: [], ke: GROUPS, esn: [] },
  { encr: CBC, prf: PRFS, integ: MACS, ke: GROUPS, esn: [] },
]

export const defaultEspSuites: readonly SuitePolicy[] = [
  { encr: AEAD, prf: [], integ: [], ke: GROUPS, esn: SEQUENCE_NUMBERS },
  { encr: CBC, prf: [], integ: MACS, ke: GROUPS, esn: SEQUENCE_NUMBERS },
]

/** For who allows AH beside ESP; nobody does unless told. */
export const defaultAhSuites: readonly SuitePolicy[] = [
  { encr: [], prf: [], integ: MACS, ke: GROUPS, esn: SEQUENCE_NUMBERS },
]
