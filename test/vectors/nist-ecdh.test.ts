/** NIST CAVS 14.1, ECC CDH primitive on P-256, P-384 and P-521. */
import { concatBytes } from '@culvert/bytes'
import { KE } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, privateValue, rightmost, sameBytes } from './provider-cases.ts'
import { octets, readRsp } from './vector-file.ts'
import type { RspRecord } from './vector-file.ts'

const CURVES = [
  ['P-256', KE.ECP_256, 32],
  ['P-384', KE.ECP_384, 48],
  ['P-521', KE.ECP_521, 66],
] as const

describe.each(PROVIDERS)('NIST ECDH on $name', (provider) => {
  it.each(CURVES)('%s gives the stated public value and shared secret', (curve, id, length) => {
    const records = readRsp('nist/ecdh_cdh_primitive_P256_P384_P521.txt').filter((record) => curve in record.section)
    expect(records).toHaveLength(25)
    const number = (record: RspRecord, name: string) => rightmost(octets(record, name), length)
    const wrong = records.filter((record) => {
      const own = privateValue(provider, id, octets(record, 'DIUT'))
      const publicValue = concatBytes(number(record, 'QIUTX'), number(record, 'QIUTY'))
      const shared = own.sharedSecret(concatBytes(number(record, 'QCAVSX'), number(record, 'QCAVSY')))
      return !sameBytes(own.publicValue, publicValue) || !sameBytes(shared, number(record, 'ZIUT'))
    })
    expect(wrong.map((record) => record.fields.get('COUNT'))).toEqual([])
  })
})
