/** RFC 7634 appendices A and B: a whole ESP packet and a whole IKEv2 message under ChaCha20-Poly1305. */
import { concatBytes } from '@culvert/bytes'
import { ENCR } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { PROVIDERS, aead } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface Example {
  readonly keymat: string
  readonly iv: string
  readonly aad: string
  readonly plaintext: string
  readonly ciphertext: string
  readonly tag: string
}

const FILE = readJson<{
  readonly esp: Example & { readonly ipv4_esp_packet: string }
  readonly ike: Example & { readonly ike_message: string }
}>('rfc/rfc7634_chacha20poly1305_esp_and_ike.json')
const IPV4_HEADER_BYTES = 20

describe.each(PROVIDERS)('RFC 7634 on $name', (provider) => {
  const cipher = aead(provider, ENCR.CHACHA20_POLY1305, null)

  it.each([
    ['ESP packet', FILE.esp, hex(FILE.esp.ipv4_esp_packet).subarray(IPV4_HEADER_BYTES)],
    ['IKEv2 message', FILE.ike, hex(FILE.ike.ike_message)],
  ] as const)('seals the %s octet by octet and opens it', (_title, example, datagram) => {
    const keymat = hex(example.keymat) // key, then salt (RFC 7634 2)
    const key = keymat.subarray(0, cipher.keyBytes)
    const nonce = concatBytes(keymat.subarray(cipher.keyBytes), hex(example.iv))
    const aad = hex(example.aad)
    const sealed = cipher.seal(key, nonce, aad, hex(example.plaintext))
    expect(concatBytes(aad, hex(example.iv), sealed)).toEqual(new Uint8Array(datagram))
    expect(cipher.open(key, nonce, aad, sealed)).toEqual(hex(example.plaintext))
  })

  it('has a key of 32 octets, a salt of 4, an IV of 8 and an ICV of 16', () => {
    expect([cipher.keyBytes, cipher.saltBytes, cipher.ivBytes, cipher.icvBytes]).toEqual([32, 4, 8, 16])
    expect(hex(FILE.esp.keymat)).toHaveLength(cipher.keyBytes + cipher.saltBytes)
  })
})
