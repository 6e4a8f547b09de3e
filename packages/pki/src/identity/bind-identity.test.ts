import { describe, expect, it } from 'vitest'
import { readCertificate } from '../certificate/read-certificate.ts'
import { ascii, commonName, objectId, sequence, setOf, tlv } from '../testing/der-writer.ts'
import { authority, certificate, directory, dns, ip, mail, subjectAltName, uri } from '../testing/forge.ts'
import { bindIdentity } from './bind-identity.ts'

const issuer = authority(null)
const ID = { ip4: 1, fqdn: 2, rfc822: 3, ip6: 5, dn: 9, gn: 10, keyId: 11 } as const

describe('C29 C30 an identity is bound to the certificate', () => {
  const ip6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] as const

  it.each([
    ['a host name', ID.fqdn, 'dev.example', dns('dev.example'), true],
    ['in other capitals', ID.fqdn, 'DEV.example', dns('dev.EXAMPLE'), true],
    ['with an underscore', ID.fqdn, 'dev_1.example', dns('dev_1.example'), true],
    ['a host name without dots', ID.fqdn, 'dev', dns('dev'), true],
    ['another host name', ID.fqdn, 'dev.example', dns('dev2.example'), false],
    ['the domain of it', ID.fqdn, 'example', dns('dev.example'), false],
    ['a host name below', ID.fqdn, 'a.dev.example', dns('dev.example'), false],
    ['a wildcard in the certificate', ID.fqdn, 'dev.example', dns('*.example'), false],
    ['a wildcard on both sides', ID.fqdn, '*.example', dns('*.example'), false],
    ['a dot at the end', ID.fqdn, 'dev.example.', dns('dev.example'), false],
    ['a dot at the end of both', ID.fqdn, 'dev.example.', dns('dev.example.'), false],
    ['a NUL in the certificate', ID.fqdn, 'dev.example', dns('dev.example\0.evil.example'), false],
    ['a NUL on both sides', ID.fqdn, 'dev.example\0', dns('dev.example\0'), false],
    ['blanks', ID.fqdn, 'dev.example ', dns('dev.example '), false],
    ['Unicode that looks alike', ID.fqdn, 'dеv.example', dns('dеv.example'), false],
    ['Unicode that folds to ASCII', ID.fqdn, 'K.example', dns('\u212a.example'), false],
    ['punycode', ID.fqdn, 'xn--dv-bja.example', dns('xn--dv-bja.example'), true],
    ['no name', ID.fqdn, '', dns(''), false],
    ['a host name as a mailbox', ID.fqdn, 'dev.example', mail('dev.example'), false],
    ['a host name as a URI', ID.fqdn, 'dev.example', uri('dev.example'), false],
    ['text of an address', ID.fqdn, '192.0.2.1', ip(192, 0, 2, 1), false],
    ['a mailbox', ID.rfc822, 'dev@fleet.example', mail('dev@fleet.example'), true],
    ['a mailbox, host in capitals', ID.rfc822, 'dev@FLEET.example', mail('dev@fleet.example'), true],
    ['a mailbox, name in capitals', ID.rfc822, 'Dev@fleet.example', mail('dev@fleet.example'), false],
    ['a mailbox as a host name', ID.rfc822, 'dev@fleet.example', dns('dev@fleet.example'), false],
    ['two at signs', ID.rfc822, 'a@b@fleet.example', mail('a@b@fleet.example'), false],
    ['a mailbox with a NUL', ID.rfc822, 'dev@fleet.example', mail('dev@fleet.example\0'), false],
    ['a mailbox without host', ID.rfc822, 'dev@', mail('dev@'), false],
    ['a host without mailbox', ID.rfc822, 'fleet.example', mail('fleet.example'), false],
    ['an IPv4 address', ID.ip4, [192, 0, 2, 1], ip(192, 0, 2, 1), true],
    ['another IPv4 address', ID.ip4, [192, 0, 2, 1], ip(192, 0, 2, 2), false],
    ['four octets of a host name', ID.ip4, 'a.de', dns('a.de'), false],
    ['too short an address', ID.ip4, [192, 0, 2], ip(192, 0, 2), false],
    ['an IPv6 address', ID.ip6, ip6, ip(...ip6), true],
    ['another IPv6 address', ID.ip6, [...ip6.slice(0, 15), 2], ip(...ip6), false],
    ['an IPv4 address as IPv6', ID.ip6, [192, 0, 2, 1], ip(192, 0, 2, 1), false],
  ] as const)('%s', (_what, type, claimed, name, isBound) => {
    expect(outcome({ names: [name] }, type, claimed)).toBe(isBound ? 'ok' : 'identityNotInCertificate')
  })

  it('any of many names will do', () => {
    const names = [dns('*.x'), mail('a@b.example'), dns('one.example'), dns('two.example'), ip(1, 2, 3, 4)]
    expect(outcome({ names }, ID.fqdn, 'two.example')).toBe('ok')
  })

  it('never to its common name, nor to a subject inside subjectAltName', () => {
    expect(outcome({ subject: commonName('dev.example') }, ID.fqdn, 'dev.example')).toBe('identityNotInCertificate')
    const subject = commonName('dev')
    expect(outcome({ names: [directory(subject)] }, ID.dn, subject)).toBe('identityNotInCertificate')
  })

  it('KEY_ID, general names and unknown types are never proven by a certificate', () => {
    for (const type of [ID.keyId, ID.gn, 0, 4, 12, 255]) {
      expect(outcome({ names: [dns('dev.example')] }, type, 'dev.example')).toBe('identityNotByCertificate')
    }
  })
})

describe('C29 a distinguished name is compared by its structure', () => {
  const country = objectId('2.5.4.6')
  const common = objectId('2.5.4.3')
  const text = (tag: number, value: string) => tlv(tag, ascii(value))
  const rdn = (...attributes: Uint8Array[]) => setOf(...attributes)
  const attribute = (type: Uint8Array, value: Uint8Array) => sequence(type, value)
  const utf8 = 0x0c
  const printable = 0x13
  const bmp = 0x1e
  const c = attribute(country, text(printable, 'SE'))
  const cn = attribute(common, text(utf8, 'Dev 1'))
  const subject = sequence(rdn(c), rdn(cn))

  it.each([
    ['the same octets', sequence(rdn(c), rdn(cn)), true],
    ['another type of string', sequence(rdn(c), rdn(attribute(common, text(printable, 'Dev 1')))), true],
    ['UTF-16', sequence(rdn(c), rdn(attribute(common, text(bmp, '\0D\0e\0v\0 \x001')))), true],
    ['other capitals', sequence(rdn(c), rdn(attribute(common, text(utf8, 'dev 1')))), false],
    ['a blank more', sequence(rdn(c), rdn(attribute(common, text(utf8, 'Dev  1')))), false],
    ['another order', sequence(rdn(cn), rdn(c)), false],
    ['one RDN of two', sequence(rdn(c, cn)), false],
    ['the beginning', sequence(rdn(c)), false],
    ['one more', sequence(rdn(c), rdn(cn), rdn(cn)), false],
    ['another type of attribute', sequence(rdn(c), rdn(attribute(country, text(utf8, 'Dev 1')))), false],
    ['a NUL behind', sequence(rdn(c), rdn(attribute(common, text(utf8, 'Dev 1\0')))), false],
    ['nothing', sequence(), false],
    ['no octets', new Uint8Array(), false],
    ['an RDN without attributes (N13)', sequence(rdn(c), rdn(cn), rdn()), false],
    ['octets behind (N13)', Uint8Array.of(...subject, 0), false],
    ['an inner length beyond the end (N13)', Uint8Array.of(0x30, 0x20, ...subject.subarray(2)), false],
  ])('%s', (_what, claimed, isBound) => {
    expect(outcome({ subject }, ID.dn, claimed)).toBe(isBound ? 'ok' : 'identityNotInCertificate')
  })

  it('attributes of one RDN are a set', () => {
    expect(outcome({ subject: sequence(rdn(c, cn)) }, ID.dn, sequence(rdn(cn, c)))).toBe('ok')
    expect(outcome({ subject: sequence(rdn(c, cn)) }, ID.dn, sequence(rdn(c, c)))).toBe('identityNotInCertificate')
  })

  it('an empty one names nobody', () => {
    expect(outcome({ subject: sequence() }, ID.dn, sequence())).toBe('identityNotInCertificate')
  })
})

interface Holder {
  readonly subject?: Uint8Array
  readonly names?: readonly Uint8Array[]
}

function outcome(holder: Holder, type: number, claimed: string | ArrayLike<number>): string {
  const extensions = holder.names === undefined ? [] : [subjectAltName(...holder.names)]
  const read = readCertificate(certificate(issuer, { name: holder.subject ?? commonName('x'), extensions }).der)
  if (!read.ok) throw new Error(read.fault.code)
  const data = typeof claimed === 'string' ? ascii(claimed) : Uint8Array.from(claimed)
  const result = bindIdentity(read.value, { type, data })
  return result.ok ? 'ok' : result.fault.code
}
