/** NIST CAVS 14.0, GCM with 96-bit IV and tags of 128, 96 and 64 bits: the ICV lengths of RFC 4106. */
import { ENCR } from '@culvert/crypto'
import type { AeadCipher, CryptoProvider } from '@culvert/crypto'
import { concatBytes } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, aead, sameBytes } from './provider-cases.ts'
import { octets, readRsp } from './vector-file.ts'
import type { RspRecord } from './vector-file.ts'

const ID_BY_TAG_BITS: Readonly<Record<string, number>> = {
  '64': ENCR.AES_GCM_8,
  '96': ENCR.AES_GCM_12,
  '128': ENCR.AES_GCM_16,
}

describe.each(PROVIDERS)('NIST AES-GCM on $name', (provider) => {
  it.each([128, 256])('seals every encryption vector with a key of %d bits', (keyBits) => {
    const records = readRsp(`nist/gcmEncryptExtIV${keyBits}_iv96.rsp`)
    expect(records).toHaveLength(1125)
    const wrong = records.filter((record) => !seals(cipherOf(provider, record), record))
    expect(wrong.map((record) => [record.section, record.fields.get('COUNT')])).toEqual([])
  })

  it.each([128, 256])('opens every good decryption vector and refuses every bad one, key of %d bits', (keyBits) => {
    const records = readRsp(`nist/gcmDecrypt${keyBits}_iv96.rsp`)
    expect(records).toHaveLength(1125)
    expect(records.filter((record) => record.fields.has('FAIL')).length).toBeGreaterThan(400)
    const wrong = records.filter((record) => !opensAsStated(cipherOf(provider, record), record))
    expect(wrong.map((record) => [record.section, record.fields.get('COUNT')])).toEqual([])
  })
})

function cipherOf(provider: CryptoProvider, record: RspRecord): AeadCipher {
  const id = ID_BY_TAG_BITS[record.section['Taglen'] ?? '']
  if (id === undefined) throw new Error('vector with an unexpected tag length')
  return aead(provider, id, Number(record.section['Keylen']))
}

function seals(cipher: AeadCipher, record: RspRecord): boolean {
  const sealed = cipher.seal(octets(record, 'KEY'), octets(record, 'IV'), octets(record, 'AAD'), octets(record, 'PT'))
  return sameBytes(sealed, concatBytes(octets(record, 'CT'), octets(record, 'TAG')))
}

function opensAsStated(cipher: AeadCipher, record: RspRecord): boolean {
  const sealed = concatBytes(octets(record, 'CT'), octets(record, 'TAG'))
  const opened = cipher.open(octets(record, 'KEY'), octets(record, 'IV'), octets(record, 'AAD'), sealed)
  return record.fields.has('FAIL') ? opened === null : sameBytes(opened, octets(record, 'PT'))
}
