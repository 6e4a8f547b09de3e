/**
 * N14: no octets make a reader throw, hang or take for good what was changed. Seeds are fixed; mutations keep most of the
 * structure, so they reach the depths.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkCertificationRequest } from './authority/certification-request.ts'
import { readName } from './certificate/name.ts'
import { readCertificate } from './certificate/read-certificate.ts'
import { trustAnchors } from './chain/trust-anchors.ts'
import { validateChain } from './chain/validate-chain.ts'
import { createCrlSet } from './crl/crl-set.ts'
import { DerReader, TAG, readDer } from './der/reader.ts'
import { readTime } from './der/time.ts'
import { bindIdentity } from './identity/bind-identity.ts'
import { fromPem } from './pem.ts'
import { ascii, commonName, integer, sequence, tlv } from './testing/der-writer.ts'
import {
  NOW_MS,
  authority,
  crl,
  device,
  directory,
  dns,
  ip,
  mail,
  nameConstraints,
  subjectAltName,
  certificate,
} from './testing/forge.ts'

const root = authority(null, { name: 'Root', pathLength: 3 })
const trees = nameConstraints({
  permitted: [dns('example'), directory(commonName('x'))],
  excluded: [ip(10, 0, 0, 0, 255, 0, 0, 0)],
})
const middle = authority(root, { name: 'Middle', extensions: [trees] })
const names = subjectAltName(dns('a.example'), mail('a@b.example'), ip(1, 2, 3, 4), directory(commonName('x', 'y')))
const own = certificate(middle, { name: commonName('x', 'y'), extensions: [names] })
const list = crl(root, { revoked: [1, 2, 3] })

const mutation = fc.record({
  at: fc.nat(),
  octet: fc.nat({ max: 255 }),
  kind: fc.constantFrom('set', 'insert', 'remove', 'cut', 'double'),
})
const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 })

describe('N14 hostile octets', () => {
  const anchors = taken(trustAnchors([root.der]))
  const policy = { anchors, atMs: NOW_MS, purpose: 'device' } as const

  it('in any certificate of a chain end in a fault', () => {
    const chain = [own.der, middle.der]
    expect(validateChain(chain, policy).ok).toBe(true)
    fc.assert(
      fc.property(fc.nat({ max: 1 }), mutations, (which, changes) => {
        const sent = chain.with(which, changed(chain[which]!, changes))
        const isSame = sent.every((der, index) => Buffer.compare(der, chain[index]!) === 0)
        expect(validateChain(sent, policy).ok).toBe(isSame)
      }),
      { numRuns: 4_000, seed: 14 },
    )
  })

  it('in a certificate are read to the end without a throw, whatever is asked of it then', () => {
    fc.assert(
      fc.property(
        mutations,
        fc.constantFrom(1, 2, 3, 5, 9, 11),
        fc.uint8Array({ maxLength: 40 }),
        (changes, type, data) => {
          const read = readCertificate(changed(own.der, changes))
          const bound = read.ok ? bindIdentity(read.value, { type, data }) : read
          expect(bound.ok).toBe(false)
        },
      ),
      { numRuns: 4_000, seed: 30 },
    )
  })

  it('in an anchor, a list, a request, a name or a PEM end in a fault', () => {
    const issuer = taken(readCertificate(root.der))
    fc.assert(
      fc.property(mutations, (changes) => {
        trustAnchors([changed(root.der, changes)])
        const octets = changed(list, changes)
        const isSame = Buffer.compare(octets, list) === 0
        expect(createCrlSet().add(octets, issuer, NOW_MS).ok).toBe(isSame)
        expect(checkCertificationRequest(changed(own.der, changes)).ok).toBe(false)
        readName(changed(own.name, changes))
        fromPem(
          String.fromCharCode(
            ...changed(ascii('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'), changes),
          ),
          'CERTIFICATE',
        )
      }),
      { numRuns: 2_000, seed: 5280 },
    )
  })

  it('that are nested deeply or claim to be huge cost nothing', () => {
    let deep: Uint8Array = tlv(TAG.NULL)
    for (let depth = 0; depth < 2_000; depth++) deep = sequence(deep)
    expect(readCertificate(deep)).toMatchObject({ fault: { code: 'malformed' } })
    expect(readCertificate(Uint8Array.of(0x30, 0x83, 0xff, 0xff, 0xff))).toMatchObject({ fault: { code: 'malformed' } })
    expect(readCertificate(new Uint8Array(8_193))).toMatchObject({ fault: { code: 'tooLarge' } })
    const many = subjectAltName(...Array.from({ length: 65 }, (_, i) => dns(`${i}`)))
    expect(readCertificate(certificate(root, { extensions: [many] }).der)).toMatchObject({
      fault: { code: 'malformed' },
    })
    const [policyTrees] = [nameConstraints({ permitted: Array.from({ length: 65 }, () => dns('example')) })]
    expect(readCertificate(certificate(root, { extensions: [policyTrees!] }).der).ok).toBe(false)
  })

  it('cut short anywhere are malformed', () => {
    const { der } = device(root)
    for (let length = 0; length < der.length; length++) expect(readCertificate(der.subarray(0, length)).ok).toBe(false)
    expect(readCertificate(Uint8Array.of(...der, 0)).ok).toBe(false)
  })
})

describe('N14 DER, not BER', () => {
  const read = (...octets: number[]) =>
    readDer(Uint8Array.from(octets), (reader) => reader.content(TAG.OCTET_STRING).length)

  it.each([
    ['a short length', [4, 1, 0], 1],
    ['no content', [4, 0], 0],
    ['a short length in long form', [4, 0x81, 1, 0], null],
    ['a long length with a leading zero', [4, 0x82, 0, 0x80, ...new Uint8Array(0x80)], null],
    ['a long length', [4, 0x81, 0x80, ...new Uint8Array(0x80)], 0x80],
    ['an indefinite length', [4, 0x80, 0, 0], null],
    ['a length of more than three octets', [4, 0x84, 0, 0, 0, 1, 0], null],
    ['a length beyond the end', [4, 2, 0], null],
    ['a length cut short', [4, 0x82, 1], null],
    ['octets behind', [4, 1, 0, 0], null],
    ['another tag', [5, 0], null],
    ['a tag of many octets', [0x1f, 0x81, 1, 0], null],
    ['nothing', [], null],
  ])('%s', (_what, octets, expected) => {
    expect(read(...octets)).toBe(expected)
  })

  it.each([
    ['', null],
    ['00', 0],
    ['7f', 127],
    ['80', null],
    ['0080', 128],
    ['007f', null],
    ['ff', null],
    ['7fffffff', 0x7fff_ffff],
    ['00ffffffff', null],
  ])('INTEGER %s', (hex, expected) => {
    expect(readDer(tlv(TAG.INTEGER, Buffer.from(hex, 'hex')), (reader) => reader.smallInteger())).toBe(expected)
  })

  it('BOOLEAN is 0 or 255, a BIT STRING of a signature has whole octets', () => {
    const boolean = (octet: number) => readDer(Uint8Array.of(1, 1, octet), (reader) => reader.boolean())
    expect([boolean(0), boolean(0xff), boolean(1)]).toEqual([false, true, null])
    const bits = (...octets: number[]) =>
      readDer(tlv(3, Uint8Array.from(octets)), (reader) => reader.bitString().length)
    expect([bits(0, 1), bits(1, 2), bits()]).toEqual([1, null, null])
    expect(readDer(integer(5), (reader) => new DerReader(reader.element()).tag)).toBe(TAG.INTEGER)
  })

  it.each([
    ['u261121000000Z', Date.UTC(2026, 10, 21)],
    ['u491231235959Z', Date.UTC(2049, 11, 31, 23, 59, 59)],
    ['u500101000000Z', Date.UTC(1950, 0, 1)],
    ['g20500101000000Z', Date.UTC(2050, 0, 1)],
    ['g99991231235959Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
    ['g00010101000000Z', new Date('0001-01-01T00:00:00Z').getTime()],
    ['u260230000000Z', null],
    ['u261301000000Z', null],
    ['u261121240000Z', null],
    ['u261121000060Z', null],
    ['u2611210000Z', null],
    ['u261121000000+0100', null],
    ['g20261121000000.5Z', null],
    ['g20261121000000', null],
    ['u', null],
  ])('time %s', (text, expected) => {
    const tag = text.startsWith('u') ? TAG.UTC_TIME : TAG.GENERALIZED_TIME
    expect(readDer(tlv(tag, ascii(text.slice(1))), readTime)).toBe(expected)
  })
})

interface Mutation {
  readonly at: number
  readonly octet: number
  readonly kind: 'set' | 'insert' | 'remove' | 'cut' | 'double'
}

function changed(octets: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  const result = [...octets]
  for (const { at, octet, kind } of changes) {
    const place = at % (result.length + 1)
    if (kind === 'set') result[Math.min(place, result.length - 1)] = octet
    else if (kind === 'insert') result.splice(place, 0, octet)
    else if (kind === 'remove') result.splice(place, 1 + (octet % 4))
    else if (kind === 'cut') result.length = place
    else result.splice(place, 0, ...result.slice(place, place + octet))
    if (result.length === 0) break
  }
  return Uint8Array.from(result)
}

function taken<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error('not taken')
  return result.value
}
