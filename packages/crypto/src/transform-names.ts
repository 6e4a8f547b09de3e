/**
 * IANA numbers of the IKEv2 transforms this product speaks or prints, and names for people.
 *
 * Source: "Internet Key Exchange Version 2 (IKEv2) Parameters". A number in a table here is only a name: what a provider
 * implements is what its lookups return. Unknown numbers print as themselves, so a log line stays bounded (N08).
 */

export const TRANSFORM_TYPE = { ENCR: 1, PRF: 2, INTEG: 3, KE: 4, ESN: 5 } as const

export const ENCR = {
  TRIPLE_DES: 3,
  NULL: 11,
  AES_CBC: 12,
  AES_CTR: 13,
  AES_CCM_8: 14,
  AES_CCM_12: 15,
  AES_CCM_16: 16,
  AES_GCM_8: 18,
  AES_GCM_12: 19,
  AES_GCM_16: 20,
  CHACHA20_POLY1305: 28,
} as const

export const PRF = {
  HMAC_MD5: 1,
  HMAC_SHA1: 2,
  AES128_XCBC: 4,
  HMAC_SHA2_256: 5,
  HMAC_SHA2_384: 6,
  HMAC_SHA2_512: 7,
  AES128_CMAC: 8,
} as const

export const INTEG = {
  NONE: 0,
  HMAC_MD5_96: 1,
  HMAC_SHA1_96: 2,
  AES_XCBC_96: 5,
  AES_CMAC_96: 8,
  HMAC_SHA2_256_128: 12,
  HMAC_SHA2_384_192: 13,
  HMAC_SHA2_512_256: 14,
} as const

export const KE = {
  NONE: 0,
  MODP_768: 1,
  MODP_1024: 2,
  MODP_1536: 5,
  MODP_2048: 14,
  MODP_3072: 15,
  MODP_4096: 16,
  MODP_6144: 17,
  MODP_8192: 18,
  ECP_256: 19,
  ECP_384: 20,
  ECP_521: 21,
  CURVE25519: 31,
  CURVE448: 32,
  ML_KEM_512: 35,
  ML_KEM_768: 36,
  ML_KEM_1024: 37,
} as const

export const ESN = { NONE: 0, ESN: 1 } as const

/** @param keyBits value of the Key Length attribute, or null. @returns for example `ENCR_AES_GCM_16-256` or `KE_CURVE25519`. */
export function transformName(type: number, id: number, keyBits: number | null = null): string {
  const table = TABLES.get(type)
  if (table === undefined) return `TYPE_${type}_${id}`
  const name = `${table.prefix}_${table.names.get(id) ?? id}`
  return keyBits === null ? name : `${name}-${keyBits}`
}

interface NameTable {
  readonly prefix: string
  readonly names: ReadonlyMap<number, string>
}

const TABLES: ReadonlyMap<number, NameTable> = new Map([
  [TRANSFORM_TYPE.ENCR, nameTable('ENCR', ENCR)],
  [TRANSFORM_TYPE.PRF, nameTable('PRF', PRF)],
  [TRANSFORM_TYPE.INTEG, nameTable('INTEG', INTEG)],
  [TRANSFORM_TYPE.KE, nameTable('KE', KE)],
  [TRANSFORM_TYPE.ESN, nameTable('ESN', ESN)],
])

function nameTable(prefix: string, ids: Readonly<Record<string, number>>): NameTable {
  return { prefix, names: new Map(Object.entries(ids).map(([name, id]) => [id, name])) }
}
