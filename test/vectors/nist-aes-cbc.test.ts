/** NIST CAVS 11.1 known answers for AES-CBC: GFSbox and KeySbox, keys of 128 and 256 bits. */
import { ENCR } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, blockCipher, sameBytes } from './provider-cases.ts'
import { octets, readRsp } from './vector-file.ts'

const FILES = [
  ['GFSbox', 128, 14],
  ['GFSbox', 256, 10],
  ['KeySbox', 128, 42],
  ['KeySbox', 256, 32],
] as const

describe.each(PROVIDERS)('NIST AES-CBC on $name', (provider) => {
  it.each(FILES)('%s with a key of %d bits gives the known answer both ways', (name, keyBits, count) => {
    const records = readRsp(`nist/aes_CBC${name}${keyBits}.rsp`)
    const cipher = blockCipher(provider, ENCR.AES_CBC, keyBits)
    expect(records).toHaveLength(count)
    const wrong = records.filter((record) => {
      const [key, iv] = [octets(record, 'KEY'), octets(record, 'IV')]
      const [plaintext, ciphertext] = [octets(record, 'PLAINTEXT'), octets(record, 'CIPHERTEXT')]
      return 'ENCRYPT' in record.section
        ? !sameBytes(cipher.encrypt(key, iv, plaintext), ciphertext)
        : !sameBytes(cipher.decrypt(key, iv, ciphertext), plaintext)
    })
    expect(wrong.map((record) => record.fields.get('COUNT'))).toEqual([])
  })
})
