/** Wycheproof: AES-GCM and ChaCha20-Poly1305 with modified tags, counter wraps and Poly1305 edge cases. */
import { InvariantError, concatBytes } from '@culvert/bytes'
import { ENCR } from '@culvert/crypto'
import type { AeadCipher } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, aead, sameBytes } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface AeadFile {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly ivSize: number
    readonly keySize: number
    readonly tagSize: number
    readonly tests: readonly AeadTest[]
  }[]
}

interface AeadTest {
  readonly tcId: number
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
  readonly result: 'valid' | 'invalid'
}

const FILES = [
  ['aes_gcm_test.json', ENCR.AES_GCM_16, 316, 150],
  ['chacha20_poly1305_test.json', ENCR.CHACHA20_POLY1305, 325, 300],
] as const
const NONCE_BITS = 96

describe.each(PROVIDERS)('Wycheproof AEAD on $name', (provider) => {
  describe.each(FILES)('%s', (name, id, count, atLeast) => {
    const file = readJson<AeadFile>(`wycheproof/${name}`)
    const cipherOf = (keySize: number) => aead(provider, id, id === ENCR.CHACHA20_POLY1305 ? null : keySize)

    it('seals valid cases as stated, opens them, and refuses every invalid one', () => {
      const groups = file.testGroups.filter((group) => group.ivSize === NONCE_BITS)
      const wrong = groups.flatMap((group) => {
        expect(group.tagSize).toBe(128)
        return group.tests.filter((test) => !behavesAsStated(cipherOf(group.keySize), test)).map((test) => test.tcId)
      })
      expect(wrong).toEqual([])
      expect(groups.flatMap((group) => group.tests).length).toBeGreaterThan(atLeast)
    })

    it('takes no nonce but one of 12 octets', () => {
      const groups = file.testGroups.filter((group) => group.ivSize !== NONCE_BITS)
      for (const group of groups) {
        for (const { key, iv, aad, ct, tag } of group.tests) {
          const sealed = concatBytes(hex(ct), hex(tag))
          expect(() => cipherOf(group.keySize).open(hex(key), hex(iv), hex(aad), sealed)).toThrow(InvariantError)
        }
      }
      expect(groups.length).toBeGreaterThan(0)
    })

    it('is complete', () => {
      expect(file.numberOfTests).toBe(count)
      expect(file.testGroups.flatMap((group) => group.tests)).toHaveLength(count)
    })
  })
})

function behavesAsStated(cipher: AeadCipher, test: AeadTest): boolean {
  const [key, nonce, aad, plaintext] = [hex(test.key), hex(test.iv), hex(test.aad), hex(test.msg)]
  const sealed = concatBytes(hex(test.ct), hex(test.tag))
  const opened = cipher.open(key, nonce, aad, sealed)
  if (test.result === 'invalid') return opened === null
  return sameBytes(opened, plaintext) && sameBytes(cipher.seal(key, nonce, aad, plaintext), sealed)
}
