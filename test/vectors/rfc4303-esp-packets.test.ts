/**
 * Whole ESP packets of RFCs and drafts through the ESP transforms, octet for octet: AES-GCM with and without extended sequence
 * numbers (draft-mcgrew-gcm-test-01), AES-CBC (RFC 3602 section 4), ChaCha20-Poly1305 (RFC 7634 appendix A).
 */
import { concatBytes } from '@culvert/bytes'
import type { CryptoProvider } from '@culvert/crypto'
import { createTransformPair, type EspOpener, RandomPool } from '@culvert/esp'
import type { ChildKeys } from '@culvert/ikev2'
import { describe, expect, it } from 'vitest'
import { PROVIDERS } from './provider-cases.ts'
import { hex, readJson } from './vector-file.ts'

interface GcmCase {
  readonly case: number
  readonly key: string
  readonly salt: string
  readonly iv: string
  readonly spi: string
  readonly seq: string
  readonly esn: boolean
  readonly plaintext: string
  readonly ciphertext: string
  readonly icv: string
}

interface CbcCase {
  readonly case: number
  readonly key: string
  readonly spi: string
  readonly seq: number
  readonly iv: string
  readonly plaintext: string
  readonly ciphertext: string
}

const GCM = readJson<{ readonly cases: readonly GcmCase[] }>('rfc/draft-mcgrew-gcm-test-01_esp_gcm.json').cases
const CBC = readJson<{ readonly cases: readonly CbcCase[] }>('rfc/rfc3602_aes_cbc_esp.json').cases
const CHACHA = readJson<{ readonly esp: Readonly<Record<'keymat' | 'plaintext' | 'ipv4_esp_packet', string>> }>(
  'rfc/rfc7634_chacha20poly1305_esp_and_ike.json',
).esp

describe.each(PROVIDERS)('ESP packets on $name', (provider) => {
  it.each(GCM)('AES-GCM case $case opens (ESN: $esn)', (entry) => {
    const key = hex(entry.key)
    const material = concatBytes(key, hex(entry.salt))
    const opener = openerOf(provider, aead(20, 8 * key.length, material, entry.esn))
    const [sequenceHigh, sequenceLow] = entry.esn ? [entry.seq.slice(0, 8), entry.seq.slice(8)] : ['0', entry.seq]
    const packet = hex(entry.spi + sequenceLow + entry.iv + entry.ciphertext + entry.icv)
    expect(asHex(opener.open(packet, Number.parseInt(sequenceHigh, 16)))).toBe(entry.plaintext)
    expect(opener.open(packet, 0x12345678) === null).toBe(entry.esn)
  })

  it('a ChaCha20-Poly1305 packet opens (RFC 7634 appendix A)', () => {
    const opener = openerOf(provider, aead(28, null, hex(CHACHA.keymat), false))
    const packet = hex(CHACHA.ipv4_esp_packet).subarray(20)
    expect(asHex(opener.open(packet, 0))).toBe(CHACHA.plaintext)
    expect(opener.open(packet.subarray(0, packet.length - 1), 0)).toBeNull()
  })

  it.each(CBC)('AES-CBC case $case opens and is sealed to the same octets (RFC 3602 section 4)', (entry) => {
    const integrityKey = new Uint8Array(32).fill(3)
    const key = hex(entry.key)
    const pair = createTransformPair(
      {
        encr: { type: 1, id: 12, keyBits: 128 },
        integ: { type: 3, id: 12, keyBits: null },
        esn: false,
        inboundKey: key,
        outboundKey: key,
        inboundIntegKey: integrityKey,
        outboundIntegKey: integrityKey,
      },
      { provider, incarnation: 0, random: new RandomPool(() => hex(entry.iv)) },
    )
    if (!pair.ok) throw new Error(pair.error)
    const header = hex(entry.spi + entry.seq.toString(16).padStart(8, '0'))
    const body = concatBytes(header, hex(entry.iv), hex(entry.ciphertext))
    const icv = provider.integrity(12)!.compute(integrityKey, body)
    const packet = concatBytes(body, icv)
    expect(asHex(pair.value.opener.open(packet, 0))).toBe(entry.plaintext)
    const sealed = new Uint8Array(packet.length)
    sealed.set(header)
    pair.value.sealer.seal(hex(entry.plaintext), sealed, 0, 0)
    expect(asHex(sealed)).toBe(asHex(packet))
  })

  it('are 14, 1 and 4', () => {
    expect([GCM.length, CBC.length]).toEqual([14, 4])
  })
})

function aead(id: number, keyBits: number | null, material: Uint8Array, esn: boolean): ChildKeys {
  const none = new Uint8Array(0)
  return {
    encr: { type: 1, id, keyBits },
    integ: null,
    esn,
    inboundKey: material,
    outboundKey: material,
    inboundIntegKey: none,
    outboundIntegKey: none,
  }
}

function openerOf(provider: CryptoProvider, keys: ChildKeys): EspOpener {
  const random = new RandomPool((length) => new Uint8Array(length))
  const pair = createTransformPair(keys, { provider, incarnation: 0, random })
  if (!pair.ok) throw new Error(pair.error)
  return pair.value.opener
}

function asHex(bytes: Uint8Array | null): string {
  return bytes === null ? 'refused' : Buffer.from(bytes).toString('hex')
}
