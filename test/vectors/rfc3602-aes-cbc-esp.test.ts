/** RFC 3602 section 4: the encrypted part of ESP packets with AES-CBC, padding and trailer included. */
import { concatBytes } from '@culvert/bytes'
import { ENCR } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, blockCipher } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface CbcCase {
  readonly case: number
  readonly key: string
  readonly iv: string
  readonly orig_data: string
  readonly plaintext: string
  readonly ciphertext: string
}

const CASES = readJson<{ readonly cases: readonly CbcCase[] }>('rfc/rfc3602_aes_cbc_esp.json').cases

describe.each(PROVIDERS)('RFC 3602 ESP packets on $name', (provider) => {
  it.each(CASES)('case $case encrypts and decrypts', (entry) => {
    const cipher = blockCipher(provider, ENCR.AES_CBC, 128)
    const [key, iv, plaintext] = [hex(entry.key), hex(entry.iv), hex(entry.plaintext)]
    expect(cipher.encrypt(key, iv, plaintext)).toEqual(hex(entry.ciphertext))
    expect(cipher.decrypt(key, iv, hex(entry.ciphertext))).toEqual(plaintext)
  })

  it.each(CASES)('case $case: the plaintext is data, padding 1, 2, 3 and so on, pad length, next header', (entry) => {
    const plaintext = hex(entry.plaintext)
    const padLength = plaintext.at(-2) ?? 0
    const padding = Uint8Array.from({ length: padLength }, (_, index) => index + 1)
    const head = plaintext.subarray(0, plaintext.length - 2 - padLength)
    expect(plaintext.subarray(0, -2)).toEqual(concatBytes(head, padding))
    expect(Buffer.from(head).toString('hex')).toContain(entry.orig_data)
  })

  it('covers 4 packets', () => {
    expect(CASES).toHaveLength(4)
  })
})
