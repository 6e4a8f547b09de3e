import { fromHex, toHex } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import { decodePayloads } from './decode.ts'
import { encodePayloads } from './encode.ts'
import type { DecodeErrorCode, Payload } from './model.ts'
import { CFG_ATTRIBUTE, CFG_TYPE, ENCR, ESN, ID_TYPE, KE, NOTIFY, PAYLOAD, PRF, TRANSFORM_TYPE } from './numbers.ts'

/** What a body cut to `length` octets must give: an error code, or `fine` where the shorter body is still whole. */
type Cut = (length: number) => DecodeErrorCode | 'fine'

interface Row {
  readonly title: string
  readonly payload: Payload
  readonly body: string
  readonly cut: Cut
}

const rows: readonly Row[] = [
  {
    title: 'SA with two proposals',
    payload: {
      kind: 'sa',
      proposals: [
        {
          number: 1,
          protocolId: 3,
          spi: octets('c0ffee01'),
          transforms: [
            { type: TRANSFORM_TYPE.ENCR, id: ENCR.AES_GCM_16, keyBits: 256 },
            { type: TRANSFORM_TYPE.ESN, id: ESN.NO, keyBits: null },
          ],
        },
        {
          number: 2,
          protocolId: 3,
          spi: octets('c0ffee01'),
          transforms: [{ type: TRANSFORM_TYPE.ESN, id: ESN.YES, keyBits: null }],
        },
      ],
    },
    body:
      '0200002001030402c0ffee01' +
      '0300000c01000014800e0100' +
      '0000000805000000' +
      '0000001402030401c0ffee01' +
      '0000000805000001',
    // the second proposal starts at octet 32
    cut: () => 'badProposal',
  },
  {
    title: 'SA of an IKE SA without SPI',
    payload: {
      kind: 'sa',
      proposals: [
        {
          number: 1,
          protocolId: 1,
          spi: octets(''),
          transforms: [
            { type: TRANSFORM_TYPE.PRF, id: PRF.HMAC_SHA2_256, keyBits: null },
            { type: TRANSFORM_TYPE.KE, id: KE.CURVE25519, keyBits: null },
          ],
        },
      ],
    },
    body: '0000001801010002' + '0300000802000005' + '000000080400001f',
    cut: () => 'badProposal',
  },
  {
    title: 'KE',
    payload: { kind: 'ke', group: 31, data: octets('00112233') },
    body: '001f000000112233',
    cut: (length) => (length < 4 ? 'payloadTooShort' : 'fine'),
  },
  {
    title: 'IDi with an FQDN',
    payload: { kind: 'idI', id: { type: ID_TYPE.FQDN, data: octets('612e62') } },
    body: '02000000612e62',
    cut: (length) => (length < 4 ? 'payloadTooShort' : 'fine'),
  },
  {
    title: 'IDr with an IPv4 address',
    payload: { kind: 'idR', id: { type: ID_TYPE.IPV4_ADDR, data: octets('c0000201') } },
    body: '01000000c0000201',
    cut: (length) => (length < 4 ? 'payloadTooShort' : 'badIdentity'),
  },
  {
    title: 'IDi with an IPv6 address and reserved octets that AUTH covers',
    payload: { kind: 'idI', id: { type: ID_TYPE.IPV6_ADDR, data: octets('fd'.repeat(16)) }, reserved: 0x010203 },
    body: `05010203${'fd'.repeat(16)}`,
    cut: (length) => (length < 4 ? 'payloadTooShort' : 'badIdentity'),
  },
  {
    title: 'CERT',
    payload: { kind: 'cert', encoding: 4, data: octets('3000') },
    body: '043000',
    cut: (length) => (length < 1 ? 'payloadTooShort' : 'fine'),
  },
  {
    title: 'CERTREQ',
    payload: { kind: 'certReq', encoding: 4, data: octets('aabb') },
    body: '04aabb',
    cut: (length) => (length < 1 ? 'payloadTooShort' : 'fine'),
  },
  {
    title: 'AUTH',
    payload: { kind: 'auth', method: 2, data: octets('0a0b0c') },
    body: '020000000a0b0c',
    cut: (length) => (length < 4 ? 'payloadTooShort' : 'fine'),
  },
  {
    title: 'nonce',
    payload: { kind: 'nonce', data: octets('5a'.repeat(18)) },
    body: '5a'.repeat(18),
    cut: (length) => (length < 16 ? 'payloadTooShort' : 'fine'),
  },
  {
    title: 'notify with SPI and data',
    payload: { kind: 'notify', protocolId: 3, spi: octets('01020304'), type: NOTIFY.REKEY_SA, data: octets('ff') },
    body: '0304400901020304ff',
    cut: (length) => (length < 4 ? 'payloadTooShort' : length < 8 ? 'badNotify' : 'fine'),
  },
  {
    title: 'delete of two ESP SAs',
    payload: { kind: 'delete', protocolId: 3, spis: [octets('01020304'), octets('05060708')] },
    body: '030400020102030405060708',
    cut: (length) => (length < 4 ? 'payloadTooShort' : 'badDelete'),
  },
  {
    title: 'delete of the IKE SA',
    payload: { kind: 'delete', protocolId: 1, spis: [] },
    body: '01000000',
    cut: () => 'payloadTooShort',
  },
  {
    title: 'vendor id',
    payload: { kind: 'vendor', data: octets('0102') },
    body: '0102',
    cut: () => 'fine',
  },
  {
    title: 'TSi with an IPv4 and an IPv6 selector',
    payload: {
      kind: 'tsI',
      selectors: [
        {
          type: 7,
          protocol: 6,
          startPort: 80,
          endPort: 81,
          startAddress: octets('0a000000'),
          endAddress: octets('0a0000ff'),
        },
        {
          type: 8,
          protocol: 0,
          startPort: 0xffff,
          endPort: 0,
          startAddress: octets('00'.repeat(16)),
          endAddress: octets('ff'.repeat(16)),
        },
      ],
    },
    body: `020000000706001000500051${'0a0000000a0000ff'}08000028ffff0000${'00'.repeat(16)}${'ff'.repeat(16)}`,
    cut: (length) => (length < 4 ? 'payloadTooShort' : 'badSelector'),
  },
  {
    title: 'TSr without selectors',
    payload: { kind: 'tsR', selectors: [] },
    body: '00000000',
    cut: () => 'payloadTooShort',
  },
  {
    title: 'configuration request',
    payload: {
      kind: 'cp',
      cfgType: CFG_TYPE.REQUEST,
      attributes: [
        { type: CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS, value: octets('') },
        { type: CFG_ATTRIBUTE.INTERNAL_IP4_DNS, value: octets('0a000001') },
      ],
    },
    body: '010000000001000000030004' + '0a000001',
    cut: (length) => (length < 4 ? 'payloadTooShort' : length === 4 || length === 8 ? 'fine' : 'badConfiguration'),
  },
  {
    title: 'EAP',
    payload: { kind: 'eap', data: octets('0101000501') },
    body: '0101000501',
    cut: (length) => (length < 4 ? 'payloadTooShort' : 'fine'),
  },
]

describe('payload bodies', () => {
  it.each(rows)('$title: decodes and encodes', ({ payload, body }) => {
    const { firstType, bytes } = encodePayloads([payload])
    expect(toHex(bytes.subarray(4))).toBe(body)
    expect(decodePayloads(firstType, bytes)).toEqual({ ok: true, value: [payload] })
  })

  it.each(rows)('$title: cut at every octet gives the right code', ({ payload, body, cut }) => {
    const whole = octets(body)
    for (let length = 0; length < whole.length; length++) {
      const code = codeOf(encodePayloads([payload]).firstType, whole.subarray(0, length))
      expect([length, code]).toEqual([length, cut(length)])
    }
  })

  it.each(rows)('$title: a wrong length in the generic header is found', ({ payload }) => {
    const { firstType, bytes } = encodePayloads([payload])
    expect(withLength(firstType, bytes, bytes.length + 1)).toBe('payloadOverrun')
    expect(withLength(firstType, bytes, 0xffff)).toBe('payloadOverrun')
    for (const length of [0, 1, 2, 3]) expect(withLength(firstType, bytes, length)).toBe('payloadTooShort')
  })
})

describe('SA payload (C22, C23, N16)', () => {
  const transform = '0000000805000000'

  it.each<[string, string, DecodeErrorCode]>([
    ['no proposal', '', 'badProposal'],
    ['proposal length 0', `0000000001030401${'00000001'}${transform}`, 'badProposal'],
    ['proposal length below its SPI', `0000000901030401${'00000001'}${transform}`, 'badProposal'],
    ['proposal length beyond the payload', `0000001501030401${'00000001'}${transform}`, 'badProposal'],
    ['more proposals announced than there are', `0200001401030401${'00000001'}${transform}`, 'badProposal'],
    ['octets behind the last proposal', `0000001401030401${'00000001'}${transform}00`, 'badProposal'],
    ['a marker that is neither 0 nor 2', `0100001401030401${'00000001'}${transform}`, 'badProposal'],
    ['proposal number 0', `0000001400030401${'00000001'}${transform}`, 'badProposal'],
    ['ESP with an SPI of 8 octets', `0000001801030801${'0000000100000001'}${transform}`, 'badProposal'],
    ['IKE with an SPI of 4 octets', `0000001401010401${'00000001'}${transform}`, 'badProposal'],
    ['fewer transforms than counted', `0000001401030402${'00000001'}${transform}`, 'badTransform'],
    ['more transforms than counted', `0000001401030400${'00000001'}${transform}`, 'badProposal'],
    ['transform length 0', `0000001401030401${'00000001'}0000000005000000`, 'badTransform'],
    ['transform length beyond the proposal', `0000001401030401${'00000001'}0000000905000000`, 'badTransform'],
    ['last transform marked as not the last', `0000001401030401${'00000001'}0300000805000000`, 'badTransform'],
    ['an attribute cut short', `0000001601030401${'00000001'}0000000a05000000800e`, 'badAttribute'],
    ['an attribute longer than the transform', `0000001801030401${'00000001'}0000000c01000014000f0001`, 'badAttribute'],
    ['Key Length in the long format', `0000001a01030401${'00000001'}0000000e01000014000e00020100`, 'badAttribute'],
    ['Key Length twice', `0000001c01030401${'00000001'}0000001001000014800e0100800e0080`, 'badAttribute'],
  ])('refuses %s', (_, body, code) => {
    expect(codeOf(PAYLOAD.SA, octets(body))).toBe(code)
  })

  it('refuses proposal numbers that do not rise by one', () => {
    const proposal = (marker: string, number: string): string =>
      `${marker}000014${number}030401${'00000001'}${transform}`
    expect(codeOf(PAYLOAD.SA, octets(proposal('02', '01') + proposal('00', '02')))).toBe('fine')
    expect(codeOf(PAYLOAD.SA, octets(proposal('02', '01') + proposal('00', '03')))).toBe('badProposal')
    expect(codeOf(PAYLOAD.SA, octets(proposal('02', '02') + proposal('00', '02')))).toBe('badProposal')
  })

  it('keeps a transform with an unknown attribute, marked as unusable, and keeps the mark when written again', () => {
    const long = octets(`0000001a01030401${'00000001'}0000000e010000140fff0002abcd`)
    const decoded = decodeBody(PAYLOAD.SA, long)
    expect(decoded).toMatchObject({
      ok: true,
      value: [{ proposals: [{ transforms: [{ type: 1, id: 20, keyBits: null, unknownAttribute: true }] }] }],
    })
    if (!decoded.ok) return
    const again = encodePayloads(decoded.value)
    expect(decodePayloads(again.firstType, again.bytes)).toEqual(decoded)
  })

  it('bounds proposals, transforms and attributes', () => {
    const many = (count: number): Payload => ({
      kind: 'sa',
      proposals: Array.from({ length: count }, (_, index) => ({
        number: index + 1,
        protocolId: 3,
        spi: octets('00000001'),
        transforms: [{ type: 5, id: 0, keyBits: null }],
      })),
    })
    expect(codeOfPayload(many(64))).toBe('fine')
    expect(codeOfPayload(many(65))).toBe('tooMany')
    const wide = (proposals: number): Payload => ({
      kind: 'sa',
      proposals: Array.from({ length: proposals }, (_, index) => ({
        number: index + 1,
        protocolId: 1,
        spi: octets(''),
        transforms: Array.from({ length: 255 }, (__, id) => ({ type: 2, id, keyBits: null })),
      })),
    })
    expect(codeOfPayload(wide(4))).toBe('fine')
    expect(codeOfPayload(wide(5))).toBe('tooMany')
    const attributes = Array.from(
      { length: 9 },
      (_, index) => `8${(index + 16).toString(16).padStart(3, '0')}0000`,
    ).join('')
    expect(codeOf(PAYLOAD.SA, octets(`0000003801030401${'00000001'}0000002c01000014${attributes}`))).toBe('tooMany')
  })
})

describe('traffic selectors (C39, N20)', () => {
  it.each<[string, string]>([
    ['start address above end', '01000000070000100000ffff0a0000020a000001'],
    ['start port above end port', '0100000007060010005100500a0000000a000001'],
    ['ports on protocol 0', '0100000007000010005000500a0000000a000001'],
    ['an IPv4 selector with the length of an IPv6 one', `01000000070000280000ffff${'00'.repeat(32)}`],
    ['an IPv6 selector with the length of an IPv4 one', '01000000080000100000ffff0a0000000a000001'],
    ['selector length 0', '01000000070000000000ffff0a0000000a000001'],
    ['a count above what is there', '02000000070000100000ffff0a0000000a000001'],
    ['a count below what is there', '00000000070000100000ffff0a0000000a000001'],
    ['count 255 in an empty list', 'ff000000'],
  ])('refuses %s', (_, body) => {
    expect(codeOf(PAYLOAD.TS_I, octets(body))).toBe('badSelector')
  })

  it('takes OPAQUE ports, and ICMP type and code as ports', () => {
    expect(codeOf(PAYLOAD.TS_I, octets('0100000007060010ffff00000a0000000a000001'))).toBe('fine')
    expect(codeOf(PAYLOAD.TS_R, octets('0100000007010010080008000a0000000a000001'))).toBe('fine')
  })

  it('skips selectors of an unknown type', () => {
    const decoded = decodeBody(PAYLOAD.TS_I, octets('020000000a00000c00000000deadbeef070000100000ffff0a0000000a000001'))
    expect(decoded).toMatchObject({ ok: true, value: [{ kind: 'tsI', selectors: [{ type: 7 }] }] })
  })
})

describe('identities (C29, N13)', () => {
  it.each<[string, string]>([
    ['NUL in an FQDN', '02000000610062'],
    ['CR in a mail address', '03000000610d62'],
    ['DEL in an FQDN', '020000007f'],
    ['an IPv4 address of 5 octets', '01000000c000020100'],
    ['an IPv6 address of 4 octets', '05000000c0000201'],
    ['more octets than any identity needs', `0b000000${'61'.repeat(1025)}`],
  ])('refuses %s', (_, body) => {
    expect(codeOf(PAYLOAD.ID_I, octets(body))).toBe('badIdentity')
  })

  it('takes any octets in a key id', () => {
    expect(codeOf(PAYLOAD.ID_I, octets('0b000000000d0aff'))).toBe('fine')
  })
})

describe('delete, nonce and configuration', () => {
  it.each<[string, string]>([
    ['an SPI size that is not 4 for ESP', '03080001' + '0102030405060708'],
    ['an SPI for IKE', '01040001' + '01020304'],
    ['a count without SPIs for IKE', '01000001'],
    ['a count above the SPIs there', '03040002' + '01020304'],
    ['a count below the SPIs there', '03040001' + '0102030405060708'],
    ['an unknown protocol', '04040001' + '01020304'],
  ])('refuses a delete with %s', (_, body) => {
    expect(codeOf(PAYLOAD.DELETE, octets(body))).toBe('badDelete')
  })

  it('bounds the SPIs of a delete', () => {
    expect(codeOf(PAYLOAD.DELETE, octets(`03040400${'00000001'.repeat(1024)}`))).toBe('fine')
    expect(codeOf(PAYLOAD.DELETE, octets(`03040401${'00000001'.repeat(1025)}`))).toBe('tooMany')
  })

  it('takes nonces of 16 to 256 octets (C16)', () => {
    const codes = [15, 16, 256, 257].map((length) => codeOf(PAYLOAD.NONCE, new Uint8Array(length)))
    expect(codes).toEqual(['payloadTooShort', 'fine', 'fine', 'lengthMismatch'])
  })

  it('bounds configuration attributes (N24)', () => {
    expect(codeOf(PAYLOAD.CP, octets(`01000000${'00010000'.repeat(128)}`))).toBe('fine')
    expect(codeOf(PAYLOAD.CP, octets(`01000000${'00010000'.repeat(129)}`))).toBe('tooMany')
  })

  it('ignores the reserved bit of a configuration attribute', () => {
    expect(decodeBody(PAYLOAD.CP, octets('0100000080010000'))).toMatchObject({
      ok: true,
      value: [{ attributes: [{ type: 1 }] }],
    })
  })
})

function octets(hex: string): Uint8Array {
  const bytes = fromHex(hex)
  if (bytes === undefined) throw new Error(`not hexadecimal: ${hex}`)
  return bytes
}

function decodeBody(type: number, body: Uint8Array): ReturnType<typeof decodePayloads> {
  const length = body.length + 4
  return decodePayloads(type, Uint8Array.of(0, 0, length >>> 8, length, ...body))
}

function codeOf(type: number, body: Uint8Array): DecodeErrorCode | 'fine' {
  const decoded = decodeBody(type, body)
  if (decoded.ok) return 'fine'
  expect(decoded.error.payloadType).toBe(type)
  return decoded.error.code
}

function codeOfPayload(payload: Payload): DecodeErrorCode | 'fine' {
  const { firstType, bytes } = encodePayloads([payload])
  return codeOf(firstType, bytes.subarray(4))
}

function withLength(firstType: number, bytes: Uint8Array, length: number): DecodeErrorCode | 'fine' {
  const changed = bytes.slice()
  changed.set([length >>> 8, length & 0xff], 2)
  const decoded = decodePayloads(firstType, changed)
  return decoded.ok ? 'fine' : decoded.error.code
}
