/** AES-GCM ESP packets (RFC 4106) of draft-mcgrew-gcm-test-01, nine of them with extended sequence numbers. */
import { concatBytes } from '@culvert/bytes'
import { ENCR } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, aead } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface EspCase {
  readonly case: number
  readonly key: string
  readonly salt: string
  readonly iv: string
  readonly spi: string
  readonly seq: string
  readonly esn: boolean
  readonly aad: string
  readonly plaintext: string
  readonly ciphertext: string
  readonly icv: string
}

const CASES = readJson<{ readonly cases: readonly EspCase[] }>('rfc/draft-mcgrew-gcm-test-01_esp_gcm.json').cases

describe.each(PROVIDERS)('RFC 4106 ESP packets on $name', (provider) => {
  it.each(CASES)('case $case (ESN: $esn) seals and opens', (entry) => {
    const key = hex(entry.key)
    const cipher = aead(provider, ENCR.AES_GCM_16, 8 * key.length)
    const nonce = concatBytes(hex(entry.salt), hex(entry.iv))
    const aad = concatBytes(hex(entry.spi), hex(entry.seq))
    const sealed = concatBytes(hex(entry.ciphertext), hex(entry.icv))
    expect(aad).toEqual(hex(entry.aad))
    expect(cipher.seal(key, nonce, aad, hex(entry.plaintext))).toEqual(sealed)
    expect(cipher.open(key, nonce, aad, sealed)).toEqual(hex(entry.plaintext))
    expect(cipher.open(key, nonce, aad.subarray(0, 4), sealed)).toBeNull()
  })

  it('covers 14 packets', () => {
    expect(CASES).toHaveLength(14)
    expect(CASES.filter((entry) => entry.esn)).toHaveLength(9)
  })
})
