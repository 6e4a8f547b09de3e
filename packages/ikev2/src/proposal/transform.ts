/**
 * What has to be known about transforms to negotiate them: which ciphers authenticate by themselves, which types a protocol
 * takes, when two transforms are the same (RFC 7296 3.3.2 to 3.3.6, RFC 5282 8, RFC 7634 4).
 */
import type { Transform } from '../message/model.ts'
import { ENCR, PROTOCOL, TRANSFORM_TYPE } from '../message/numbers.ts'

const AEAD_IDS: ReadonlySet<number> = new Set([
  ENCR.AES_CCM_8,
  ENCR.AES_CCM_12,
  ENCR.AES_CCM_16,
  ENCR.AES_GCM_8,
  ENCR.AES_GCM_12,
  ENCR.AES_GCM_16,
  ENCR.NULL_AUTH_AES_GMAC,
  ENCR.CAMELLIA_CCM_8,
  ENCR.CAMELLIA_CCM_12,
  ENCR.CAMELLIA_CCM_16,
  ENCR.CHACHA20_POLY1305,
  ENCR.AES_CCM_8_IIV,
  ENCR.AES_GCM_16_IIV,
  ENCR.CHACHA20_POLY1305_IIV,
])

/** Types of the additional key exchanges in their order (RFC 9370 2.2.1). */
export const ADDITIONAL_KE_TYPES: readonly number[] = [
  TRANSFORM_TYPE.ADDKE1,
  TRANSFORM_TYPE.ADDKE2,
  TRANSFORM_TYPE.ADDKE3,
  TRANSFORM_TYPE.ADDKE4,
  TRANSFORM_TYPE.ADDKE5,
  TRANSFORM_TYPE.ADDKE6,
  TRANSFORM_TYPE.ADDKE7,
]

/** Whether an encryption transform needs no integrity transform beside it, and must not have one. */
export function isAead(encr: Transform): boolean {
  return AEAD_IDS.has(encr.id)
}

/** Types a proposal of this protocol may hold; any other makes it unusable (C21). */
export function typesOf(protocolId: number): readonly number[] {
  switch (protocolId) {
    case PROTOCOL.IKE:
      return [TRANSFORM_TYPE.ENCR, TRANSFORM_TYPE.PRF, TRANSFORM_TYPE.INTEG, TRANSFORM_TYPE.KE, ...ADDITIONAL_KE_TYPES]
    case PROTOCOL.AH:
      return [TRANSFORM_TYPE.INTEG, TRANSFORM_TYPE.KE, TRANSFORM_TYPE.ESN, ...ADDITIONAL_KE_TYPES]
    case PROTOCOL.ESP:
      return [TRANSFORM_TYPE.ENCR, TRANSFORM_TYPE.INTEG, TRANSFORM_TYPE.KE, TRANSFORM_TYPE.ESN, ...ADDITIONAL_KE_TYPES]
    default:
      return []
  }
}

/**
 * Same type, id and Key Length, and no attribute we do not understand. As policies hold well-formed transforms only, this is
 * also the rule about Key Length: present for AES, absent for ciphers of one key size (C23).
 */
export function sameTransform(a: Transform, b: Transform): boolean {
  return (
    a.type === b.type &&
    a.id === b.id &&
    a.keyBits === b.keyBits &&
    a.unknownAttribute === undefined &&
    b.unknownAttribute === undefined
  )
}

/**
 * How a key exchange stands in this exchange: `required` for the IKE SA, `optional` for CREATE_CHILD_SA (a group, NONE or
 * nothing), `absent` in IKE_AUTH, where no KE payload can be (offered groups are passed over).
 */
export type KePolicy = 'required' | 'optional' | 'absent'
