import { concatBytes } from '@culvert/bytes'
import { type CryptoProvider, nobleProvider, opensslProvider } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { decodeMessage, decodePayloads } from './decode.ts'
import { encodeGenericHeader, encodePayloads } from './encode.ts'
import { encodeHeader } from './header.ts'
import type { IkeHeader, IkeSpi, MessageId, Payload, Result } from './model.ts'
import { ENCR, EXCHANGE, INTEG, PAYLOAD } from './numbers.ts'
import { addFragment, type FragmentSet } from './reassembly.ts'
import { openMessage, sealMessage, type SkKeys } from './seal.ts'

const header: IkeHeader = {
  spiI: '0123456789abcdef' as IkeSpi,
  spiR: 'fedcba9876543210' as IkeSpi,
  exchangeType: EXCHANGE.IKE_AUTH,
  messageId: 1 as MessageId,
  fromOriginalInitiator: true,
  isResponse: false,
}
const payloads: readonly Payload[] = [
  { kind: 'idI', id: { type: 2, data: new Uint8Array(300).fill(0x61) } },
  { kind: 'nonce', data: new Uint8Array(200).fill(7) },
  { kind: 'cert', encoding: 4, data: new Uint8Array(1500).fill(9) },
]
const whole = { fragmentBytes: 1200, fragmentation: false }

const suites: readonly [name: string, encr: number, keyBits: number | null, integ: number | null][] = [
  ['AES-GCM-256', ENCR.AES_GCM_16, 256, null],
  ['AES-GCM-128 with 8 octets of ICV', ENCR.AES_GCM_8, 128, null],
  ['ChaCha20-Poly1305', ENCR.CHACHA20_POLY1305, null, null],
  ['AES-CBC-256 with SHA-256', ENCR.AES_CBC, 256, INTEG.HMAC_SHA2_256_128],
  ['AES-CBC-128 with SHA-512', ENCR.AES_CBC, 128, INTEG.HMAC_SHA2_512_256],
]

const cases = [opensslProvider, nobleProvider].flatMap((provider) =>
  suites.map(([name, encr, keyBits, integ]) => ({
    title: `${name} (${provider.name})`,
    keys: keysOf(provider, encr, keyBits, integ),
  })),
)

describe.each(cases)('SK with $title', ({ keys }) => {
  it('opens what it sealed, for every length of the last block', () => {
    for (let length = 0; length <= 33; length++) {
      const sent: Payload[] = [{ kind: 'vendor', data: new Uint8Array(length) }]
      const [datagram] = sealMessage(header, sent, keys, ivs(keys), whole)
      expect(openInner(datagram!, keys)).toEqual({ ok: true, value: sent })
    }
    const [nothing] = sealMessage(header, [], keys, ivs(keys), whole)
    expect(openInner(nothing!, keys)).toEqual({ ok: true, value: [] })
  })

  it('refuses a message with any single bit changed', () => {
    const [datagram] = sealMessage(header, [payloads[1]!], keys, ivs(keys), whole)
    const decoded = decodeMessage(datagram!)
    if (!decoded.ok) throw new Error(decoded.error.code)
    for (let index = 0; index < datagram!.length; index++) {
      const changed = datagram!.slice()
      changed[index]! ^= 1 << (index % 8)
      expect(openMessage(changed, decoded.value, keys)).toMatchObject({ ok: false, error: { code: 'badIcv' } })
    }
  })

  it('refuses a body too short for IV, block and ICV, and any cut', () => {
    const [datagram] = sealMessage(header, [payloads[1]!], keys, ivs(keys), whole)
    const decoded = decodeMessage(datagram!)
    if (!decoded.ok) throw new Error(decoded.error.code)
    for (let length = 32; length < datagram!.length; length++) {
      const opened = openMessage(datagram!.subarray(0, length), decoded.value, keys)
      expect(['badIcv', 'payloadTooShort']).toContain(opened.ok ? 'fine' : opened.error.code)
    }
  })

  it('accepts any padding that aligns and refuses a pad length beyond the content (C09)', () => {
    const block = keys.cipher.kind === 'block' ? 16 : 1
    for (const padLength of [15, 31, 255]) {
      const content = new Uint8Array(block === 1 ? 20 : 16 * 17 - 1 - padLength)
      const padding = new Uint8Array(padLength + 1).fill(0xee)
      padding[padLength] = padLength
      expect(openMessageOf(sealRaw(keys, concatBytes(content, padding)), keys)).toEqual({ ok: true, value: content })
    }
    const lying = new Uint8Array(16).fill(16)
    expect(openMessageOf(sealRaw(keys, lying), keys)).toMatchObject({ ok: false, error: { code: 'badPadding' } })
  })

  it('splits a message that is too large into fragments that come together again (RFC 7383)', () => {
    const datagrams = sealMessage(header, payloads, keys, ivs(keys), { fragmentBytes: 576, fragmentation: true })
    expect(datagrams.length).toBeGreaterThan(3)
    for (const datagram of datagrams) expect(datagram.length).toBeLessThanOrEqual(576)
    let set: FragmentSet | null = null
    let complete: ReturnType<typeof addFragment>['complete'] = null
    for (const datagram of datagrams.toReversed()) {
      expect(complete).toBeNull()
      const decoded = decodeMessage(datagram)
      if (!decoded.ok || decoded.value.sealed === null) throw new Error('not a fragment')
      const opened = openMessage(datagram, decoded.value, keys)
      if (!opened.ok) throw new Error(opened.error.code)
      ;({ set, complete } = addFragment(set, decoded.value.sealed, opened.value))
    }
    expect(complete).not.toBeNull()
    expect(decodePayloads(complete!.innerType, complete!.bytes)).toEqual({ ok: true, value: payloads })
  })

  it('stays in one datagram when it fits exactly, or when the peer takes no fragments', () => {
    const { bytes } = encodePayloads(payloads)
    const [one] = sealMessage(header, payloads, keys, ivs(keys), whole)
    expect(one!.length).toBeGreaterThan(bytes.length)
    const limit = { fragmentBytes: one!.length, fragmentation: true }
    expect(sealMessage(header, payloads, keys, ivs(keys), limit)).toHaveLength(1)
    const below = { fragmentBytes: one!.length - 1, fragmentation: true }
    expect(sealMessage(header, payloads, keys, ivs(keys), below)).toHaveLength(2)
  })

  it('asks for one IV per datagram', () => {
    let asked = 0
    const nextIv = (): Uint8Array => new Uint8Array(keys.cipher.ivBytes).fill(++asked)
    const datagrams = sealMessage(header, payloads, keys, nextIv, { fragmentBytes: 576, fragmentation: true })
    expect(asked).toBe(datagrams.length)
  })
})

function keysOf(provider: CryptoProvider, encr: number, keyBits: number | null, integId: number | null): SkKeys {
  const cipher = provider.cipher(encr, keyBits)
  const integ = integId === null ? null : provider.integrity(integId)
  if (cipher === null) throw new Error('no such cipher')
  const encrKey = new Uint8Array(cipher.keyBytes + cipher.saltBytes).map((_, index) => index * 7)
  return { cipher, integ, encrKey, integKey: new Uint8Array(integ?.keyBytes ?? 0).fill(3) }
}

function ivs(keys: SkKeys): () => Uint8Array {
  let count = 0
  return () => new Uint8Array(keys.cipher.ivBytes).fill(++count)
}

function openMessageOf(datagram: Uint8Array, keys: SkKeys): Result<Uint8Array> {
  const decoded = decodeMessage(datagram)
  if (!decoded.ok) return decoded
  return openMessage(datagram, decoded.value, keys)
}

function openInner(datagram: Uint8Array, keys: SkKeys): ReturnType<typeof decodePayloads> {
  const decoded = decodeMessage(datagram)
  if (!decoded.ok) return decoded
  const opened = openMessage(datagram, decoded.value, keys)
  return opened.ok ? decodePayloads(decoded.value.sealed?.innerType ?? -1, opened.value) : opened
}

/** An SK message around a plaintext whose padding is already there, as another implementation might pad. */
function sealRaw(keys: SkKeys, padded: Uint8Array): Uint8Array {
  const { cipher, integ } = keys
  const iv = new Uint8Array(cipher.ivBytes).fill(5)
  const icvBytes = cipher.kind === 'aead' ? cipher.icvBytes : (integ?.icvBytes ?? 0)
  const bodyBytes = iv.length + padded.length + icvBytes
  const aad = concatBytes(encodeHeader(header, PAYLOAD.SK, 32 + bodyBytes), encodeGenericHeader(0, bodyBytes))
  if (cipher.kind === 'aead') {
    const key = keys.encrKey.subarray(0, cipher.keyBytes)
    const nonce = concatBytes(keys.encrKey.subarray(cipher.keyBytes), iv)
    return concatBytes(aad, iv, cipher.seal(key, nonce, aad, padded))
  }
  const unsigned = concatBytes(aad, iv, cipher.encrypt(keys.encrKey, iv, padded))
  return concatBytes(unsigned, integ?.compute(keys.integKey, unsigned) ?? new Uint8Array(0))
}
