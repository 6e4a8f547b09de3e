/** One wrong thing a test, over the same few made authorities: so it is one file. */
import { describe, expect, it } from 'vitest'
import { readCertificate } from '../certificate/read-certificate.ts'
import { OID } from '../der/object-identifier.ts'
import { createCrlSet } from '../crl/crl-set.ts'
import type { FaultCode } from '../fault.ts'
import { NULL, commonName, integer, objectId, sequence, tlv } from '../testing/der-writer.ts'
import {
  DAY_MS,
  NOW_MS,
  authority,
  basicConstraints,
  certificate,
  crl,
  device,
  dns,
  directory,
  extension,
  ip,
  keyUsage,
  mail,
  nameConstraints,
  subjectAltName,
  testKey,
  uri,
  type Party,
} from '../testing/forge.ts'
import { trustAnchors, type TrustAnchors } from './trust-anchors.ts'
import { validateChain, type ChainPolicy } from './validate-chain.ts'

const root = authority(null, { name: 'Root' })
const middle = authority(root, { name: 'Middle' })
const lower = authority(middle, { name: 'Lower' })
const lowest = authority(lower, { name: 'Lowest' })

describe('C30 chains', () => {
  it('of one to four certificates lead to a trusted authority', () => {
    expect(outcome([device(root)])).toBe('ok')
    expect(outcome([device(middle), middle])).toBe('ok')
    expect(outcome([device(lower), lower, middle])).toBe('ok')
    expect(outcome([device(lowest), lowest, lower, middle])).toBe('ok')
    expect(outcome([device(lowest), lowest, lower, middle, root])).toBe('ok') // the root says nothing and counts for nothing
  })

  it('hold the certificate of the signer first, the others in any order, the trusted one too', () => {
    const own = device(lower)
    for (const others of [
      [middle, lower],
      [lower, middle],
      [root, middle, lower],
      [middle, middle, lower],
    ]) {
      expect(outcome([own, ...others])).toBe('ok')
    }
    expect(outcome([middle, own, lower])).toBe('wrongKeyUsage')
    const result = validateChain([own.der, middle.der, lower.der], policyOf())
    const path = result.ok ? result.value.path.map(({ der }) => der) : []
    expect(path).toEqual([own.der, lower.der, middle.der])
    expect(result.ok && result.value.certificate.spki).toEqual(own.key.spki)
    expect(result.ok && result.value.anchor.der).toEqual(root.der)
  })

  it('of more than four, of none, and with a gap lead nowhere (N14)', () => {
    expect(outcome([])).toBe('noCertificate')
    const more = authority(lowest, { name: 'Deeper' })
    expect(outcome([device(more), more, lowest, lower, middle])).toBe('tooManyCertificates')
    expect(outcome([device(root), root, root])).toBe('ok')
    expect(outcome([device(lowest), lowest, lower, middle, root, root])).toBe('tooManyCertificates')
    expect(outcome([device(lower), lower])).toBe('unknownIssuer')
    expect(outcome([device(authority(null, { name: 'Stranger' }))])).toBe('unknownIssuer')
  })

  it('an authority in between may be trusted itself', () => {
    expect(outcome([device(lower), lower], { anchors: anchorsOf(middle) })).toBe('ok')
  })

  it('authorities of one name are told apart by their keys, with or without identifiers (N14)', () => {
    const twin = authority(null, { name: 'Root' })
    const both = { anchors: anchorsOf(twin, root) }
    expect(outcome([device(root)], both)).toBe('ok')
    expect(outcome([plain(root)], both)).toBe('ok')
    expect(outcome([plain(authority(null, { name: 'Root' }))], both)).toBe('badSignature')
    const impostor = authority(null, { name: 'Middle' })
    expect(outcome([plain(middle), impostor, middle])).toBe('ok')
    expect(outcome([plain(impostor), impostor, middle])).toBe('badSignature')
  })

  it('going in circles end (N14)', () => {
    const a = authority(null, { name: 'A' })
    const b = authority(a, { name: 'B' })
    const aAgain = authority(b, { name: 'A', key: a.key })
    expect(outcome([device(a), a, b, aAgain])).toBe('unknownIssuer')
  })

  it('no good signature is needed twice: an authority in between is remembered, and only under its own issuer', () => {
    const anchors = anchorsOf(root)
    const [issuer] = anchors.all
    expect(outcome([device(middle), middle], { anchors })).toBe('ok')
    expect(anchors.recall(middle.der, issuer!)).not.toBeNull()
    expect(outcome([device(middle), middle], { anchors })).toBe('ok')
    const forged = flipped(middle.der)
    expect(outcome([device(middle), { ...middle, der: forged }], { anchors })).toBe('badSignature')
    expect(anchors.recall(forged, issuer!)).toBeNull()
    expect(anchors.recall(middle.der, anchorsOf(lower).all[0]!)).toBeNull()
    expect(outcome([device(middle), middle], { anchors, atMs: NOW_MS + 2 * DAY_MS })).toBe('expired')
  })

  it('remembers no more than it was told to: who is trusted for somebody can make as many authorities as he likes', () => {
    const anchors = trustAnchors([root.der], 2)
    if (!anchors.ok) throw new Error(anchors.fault.code)
    const { value } = anchors
    const [issuer] = value.all
    const below = [1, 2, 3].map((serial) => authority(root, { name: `Below ${serial}` }))
    for (const each of below) expect(outcome([device(each), each], { anchors: value })).toBe('ok')
    expect(below.map(({ der }) => value.recall(der, issuer!) !== null)).toEqual([false, true, true])
  })

  it('what is remembered does not change with the datagram it came in', () => {
    const anchors = anchorsOf(root)
    const datagram = middle.der.slice()
    expect(outcome([device(middle), { ...middle, der: datagram }], { anchors })).toBe('ok')
    datagram.fill(0)
    const known = anchors.recall(middle.der, anchors.all[0]!)
    expect(known?.certificate.der).toEqual(middle.der)
    expect(known?.certificate.spki).toEqual(middle.key.spki)
  })
})

describe('C30 N14 one thing wrong is one named fault', () => {
  const eku = (...purposes: string[]) => extension(OID.extKeyUsage, sequence(...purposes.map(objectId)))
  const bare = (issuer: Party, ...extensions: Uint8Array[]) => certificate(issuer, { name: 'Bare', extensions })
  const late = { notBeforeMs: NOW_MS + 1000 }
  const early = { notAfterMs: NOW_MS - 1000 }
  const weakRsa = testKey('rsa1024')

  const cases: readonly (readonly [string, () => readonly Party[], 'ok' | FaultCode])[] = [
    ['a changed signature', () => [{ ...device(root), der: flipped(device(root).der) }], 'badSignature'],
    ['signed by another key', () => [device({ ...root, key: { ...testKey('p256') } })], 'unknownIssuer'],
    ['not valid yet', () => [device(root, late)], 'notYetValid'],
    ['not valid any more', () => [device(root, early)], 'expired'],
    ['an authority not valid yet', () => issued(authority(root, { name: 'M', ...late })), 'notYetValid'],
    ['an authority not valid any more', () => issued(authority(root, { name: 'M', ...early })), 'expired'],
    ['an issuer that is a device', () => issued(device(root)), 'notAnAuthority'],
    ['an issuer without basicConstraints', () => issued(bare(root, keyUsage(4))), 'notAnAuthority'],
    ['an issuer of version 1', () => issued(certificate(root, { name: 'Old', version: 0 })), 'notAnAuthority'],
    [
      'an issuer that may not sign certificates',
      () => issued(bare(root, basicConstraints(true), keyUsage(2))),
      'notAnAuthority',
    ],
    ['an issuer without keyUsage', () => issued(bare(root, basicConstraints(true))), 'ok'],
    ['SHA-1', () => [certificate(root, { algorithm: sequence(objectId(OID.ecdsaWithSha1)) })], 'weakAlgorithm'],
    [
      'SHA-1 with RSA',
      () => [certificate(root, { algorithm: sequence(objectId(OID.sha1WithRsa), NULL) })],
      'weakAlgorithm',
    ],
    [
      'MD5 with RSA',
      () => [certificate(root, { algorithm: sequence(objectId('1.2.840.113549.1.1.4'), NULL) })],
      'unknownAlgorithm',
    ],
    [
      'an algorithm outside that is not the one inside',
      () => [certificate(root, { outerAlgorithm: testKey('ed25519').algorithm })],
      'malformed',
    ],
    ['an RSA key of 1024 bits', () => [certificate(root, { key: weakRsa })], 'unusableKey'],
    [
      'an authority with an RSA key of 1024 bits',
      () => issued(authority(root, { name: 'M', key: weakRsa })),
      'unusableKey',
    ],
    [
      'an unknown critical extension',
      () => [device(root, { extensions: [extension('1.2.3.4', NULL, true)] })],
      'unknownCriticalExtension',
    ],
    [
      'an unknown critical extension above',
      () => issued(authority(root, { name: 'M', extensions: [extension('1.2.3.4', NULL, true)] })),
      'unknownCriticalExtension',
    ],
    [
      'critical policyConstraints',
      () => issued(authority(root, { name: 'M', extensions: [extension('2.5.29.36', sequence(), true)] })),
      'unknownCriticalExtension',
    ],
    [
      'an unknown extension that is not critical',
      () => [device(root, { extensions: [extension('1.2.3.4', NULL)] })],
      'ok',
    ],
    [
      'critical policies',
      () => [
        device(root, { extensions: [extension(OID.certificatePolicies, sequence(sequence(objectId('1.2.3'))), true)] }),
      ],
      'ok',
    ],
    ['an extension twice', () => [device(root, { extensions: [keyUsage(0x80)] })], 'malformed'],
    ['extensions in version 1', () => [device(root, { version: 0 })], 'malformed'],
    ['a key for encipherment only', () => [bare(root, keyUsage(0x20))], 'wrongKeyUsage'],
    ['a key for nonRepudiation', () => [bare(root, keyUsage(0x40))], 'ok'],
    ['no usage said at all', () => [bare(root)], 'ok'],
    ['the purpose of servers only', () => [bare(root, eku(OID.serverAuth))], 'wrongPurpose'],
    ['the purpose of IKE', () => [bare(root, eku(OID.ipsecIke))], 'ok'],
    ['any purpose', () => [bare(root, eku('1.2.3', OID.anyExtendedKeyUsage))], 'ok'],
    [
      'an authority for mail',
      () => issued(authority(root, { name: 'M', extensions: [eku('1.3.6.1.5.5.7.3.4')] })),
      'wrongPurpose',
    ],
    ['an authority for clients', () => issued(authority(root, { name: 'M', extensions: [eku(OID.clientAuth)] })), 'ok'],
  ]

  it.each(cases)('%s', (_what, chain, expected) => {
    expect(outcome(chain())).toBe(expected)
  })

  it('an anchor that is no authority, has a weak key or a critical extension we do not know is refused when it is read', () => {
    const faultOf = (party: Party) => {
      const result = trustAnchors([root.der, party.der])
      return result.ok ? 'ok' : `${result.fault.code} ${result.fault.certificate}`
    }
    expect(faultOf(device(root))).toBe('notAnAuthority 1')
    expect(faultOf(certificate(null, { version: 0 }))).toBe('notAnAuthority 1')
    expect(faultOf(authority(null, { key: weakRsa }))).toBe('unusableKey 1')
    expect(faultOf(authority(null, { extensions: [extension('1.2.3.4', NULL, true)] }))).toBe(
      'unknownCriticalExtension 1',
    )
    expect(faultOf({ ...root, der: root.der.subarray(1) })).toBe('malformed 1')
  })

  it('an anchor that is not valid any more anchors nothing', () => {
    const old = authority(null, { name: 'Old root', ...early })
    expect(outcome([device(old)], { anchors: anchorsOf(old) })).toBe('expired')
  })

  it('a gateway needs a purpose of servers', () => {
    expect(outcome([device(root)], { purpose: 'gateway' })).toBe('wrongPurpose')
    expect(outcome([bare(root, eku(OID.serverAuth))], { purpose: 'gateway' })).toBe('ok')
    expect(outcome([bare(root, eku(OID.ikeIntermediate))], { purpose: 'gateway' })).toBe('ok')
  })

  it.each(['p384', 'p521', 'ed25519', 'rsa2048'] as const)('an authority with a %s key is as good', (name) => {
    const other = authority(null, { name: 'Other', key: testKey(name) })
    expect(outcome([device(other)], { anchors: anchorsOf(other) })).toBe('ok')
  })
})

describe('C30 N14 RSASSA-PSS parameters', () => {
  const other = authority(null, { name: 'PSS', key: testKey('rsa2048') })
  const hash = (id: string) => sequence(objectId(id), NULL)
  const tagged = (number: number, content: Uint8Array) => tlv(0xa0 | number, content)
  const pss = (...parameters: Uint8Array[]) => sequence(objectId(OID.rsaPss), sequence(...parameters))
  const full = (saltBytes: number) => [
    tagged(0, hash(OID.sha256)),
    tagged(1, sequence(objectId(OID.mgf1), hash(OID.sha256))),
    tagged(2, integer(saltBytes)),
  ]
  const sent = (algorithm: Uint8Array, saltBytes = 32) =>
    outcome([device(other, { algorithm, scheme: { kind: 'rsaPss', hash: 'sha256', saltBytes } })], {
      anchors: anchorsOf(other),
    })

  it('in full are taken, with the salt length they say', () => {
    expect(sent(pss(...full(32)))).toBe('ok')
    expect(sent(pss(...full(20)), 20)).toBe('ok')
    expect(sent(pss(...full(20)), 32)).toBe('badSignature')
    expect(sent(pss(...full(32), tagged(3, integer(1))))).toBe('ok')
  })

  it('left out mean SHA-1 and are weak: no hash, no mask function, another mask function or hash', () => {
    const [hashPart, maskPart, saltPart] = full(32)
    expect(sent(pss())).toBe('weakAlgorithm')
    expect(sent(pss(maskPart!, saltPart!))).toBe('weakAlgorithm')
    expect(sent(pss(hashPart!, saltPart!))).toBe('weakAlgorithm')
    expect(sent(pss(hashPart!, tagged(1, sequence(objectId('1.2.3'))), saltPart!))).not.toBe('ok')
    expect(sent(pss(hashPart!, tagged(1, sequence(objectId(OID.mgf1), hash(OID.sha512))), saltPart!))).toBe(
      'weakAlgorithm',
    )
    expect(sent(pss(hashPart!, tagged(1, sequence(objectId(OID.mgf1), hash(OID.sha1))), saltPart!))).toBe(
      'weakAlgorithm',
    )
    expect(sent(pss(hashPart!, tagged(1, sequence(objectId(OID.mgf1))), saltPart!))).toBe('malformed')
  })

  it('with a huge or negative salt, another trailer or none at all are malformed', () => {
    expect(sent(pss(...full(65)))).toBe('malformed')
    expect(sent(pss(...full(0x7fff_ffff)))).toBe('malformed')
    const [hashPart, maskPart] = full(32)
    expect(sent(pss(hashPart!, maskPart!, tagged(2, tlv(2, Uint8Array.of(0xff)))))).toBe('malformed')
    expect(sent(pss(...full(32), tagged(3, integer(2))))).toBe('malformed')
    expect(sent(sequence(objectId(OID.rsaPss)))).toBe('malformed')
  })
})

describe('C30 N14 path length', () => {
  it('counts the authorities below, not the device', () => {
    const none = authority(root, { name: 'None', pathLength: 0 })
    const below = authority(none, { name: 'Below' })
    expect(outcome([device(none), none])).toBe('ok')
    expect(outcome([device(below), below, none])).toBe('pathTooLong')
    const one = authority(root, { name: 'One', pathLength: 1 })
    const first = authority(one, { name: 'First' })
    const second = authority(first, { name: 'Second' })
    expect(outcome([device(first), first, one])).toBe('ok')
    expect(outcome([device(second), second, first, one])).toBe('pathTooLong')
  })

  it('of an anchor counts too, and below nobody makes it longer', () => {
    const short = authority(null, { name: 'Short', pathLength: 0 })
    const greedy = authority(short, { name: 'Greedy', pathLength: 9 })
    const anchors = anchorsOf(short)
    expect(outcome([device(short)], { anchors })).toBe('ok')
    expect(outcome([device(greedy), greedy], { anchors })).toBe('pathTooLong')
  })

  it('is not used up by a new key of the same authority (RFC 5280 6.1.4 l)', () => {
    const short = authority(null, { name: 'Short', pathLength: 0 })
    const renewed = authority(short, { name: 'Short' })
    expect(outcome([device(renewed), renewed], { anchors: anchorsOf(short) })).toBe('ok')
  })
})

describe('C30 N14 name constraints', () => {
  const under = (...trees: Parameters<typeof nameConstraints>) =>
    authority(root, { name: 'Constrained', extensions: [nameConstraints(...trees)] })
  const named = (issuer: Party, ...names: Uint8Array[]) => [
    certificate(issuer, { name: sequence(), extensions: [subjectAltName(...names)] }),
    issuer,
  ]

  const cases: readonly (readonly [string, Uint8Array, Uint8Array, boolean])[] = [
    ['a host below the domain', dns('fleet.example'), dns('a.fleet.example'), true],
    ['the domain itself', dns('fleet.example'), dns('fleet.example'), true],
    ['in capitals', dns('fleet.EXAMPLE'), dns('A.Fleet.example'), true],
    ['a host that only ends alike', dns('fleet.example'), dns('notfleet.example'), false],
    ['the domain above', dns('fleet.example'), dns('example'), false],
    ['a NUL behind the domain', dns('fleet.example'), dns('a.fleet.example\0.evil.example'), false],
    ['with a leading dot a host below', dns('.fleet.example'), dns('a.fleet.example'), true],
    ['with a leading dot not the domain', dns('.fleet.example'), dns('fleet.example'), false],
    ['the empty domain', dns(''), dns('a.example'), true],
    ['a mailbox of the host', mail('fleet.example'), mail('a@fleet.example'), true],
    ['a mailbox below the host', mail('fleet.example'), mail('a@b.fleet.example'), false],
    ['a mailbox below the dotted host', mail('.fleet.example'), mail('a@b.fleet.example'), true],
    ['the mailbox', mail('a@fleet.example'), mail('a@fleet.example'), true],
    ['the mailbox in capitals', mail('a@fleet.example'), mail('A@fleet.example'), false],
    ['another mailbox', mail('a@fleet.example'), mail('b@fleet.example'), false],
    ['two at signs', mail('fleet.example'), mail('a@evil.example@fleet.example'), false],
    ['an address in the network', ip(10, 1, 0, 0, 255, 255, 0, 0), ip(10, 1, 2, 3), true],
    ['an address outside of it', ip(10, 1, 0, 0, 255, 255, 0, 0), ip(10, 2, 2, 3), false],
    [
      'an address of the other family',
      ip(10, 1, 0, 0, 255, 255, 0, 0),
      ip(...Array.from({ length: 16 }, () => 1)),
      false,
    ],
    ['a directory name below', directory(commonName('Fleet')), directory(commonName('Fleet', 'a')), true],
    ['a directory name beside', directory(commonName('Fleet')), directory(commonName('Other', 'Fleet')), false],
    ['a name of a kind nobody understands', uri('.fleet.example'), uri('http://a.fleet.example'), false],
    ['a name of another kind', dns('fleet.example'), mail('a@anywhere.example'), true],
  ]

  it.each(cases)('permit only what is inside: %s', (_what, tree, name, isInside) => {
    const expected = isInside ? 'ok' : 'nameNotAllowed'
    expect(outcome(named(under({ permitted: [tree] }), name))).toBe(expected)
  })

  it.each(cases.slice(0, 22))('exclude what is inside, and what cannot be known: %s', (what, tree, name, isInside) => {
    const isUnknown = /NUL|nobody|two at/.test(what)
    expect(outcome(named(under({ excluded: [tree] }), name))).toBe(isInside || isUnknown ? 'nameNotAllowed' : 'ok')
  })

  it('bind every name, whoever is the authority above', () => {
    const constrained = under({ permitted: [dns('fleet.example')] })
    expect(outcome(named(constrained, dns('a.fleet.example'), dns('evil.example')))).toBe('nameNotAllowed')
    const loose = authority(constrained, { name: 'Loose', extensions: [nameConstraints({ permitted: [dns('')] })] })
    expect(outcome([...named(loose, dns('evil.example')), constrained])).toBe('nameNotAllowed')
    expect(outcome([...named(loose, dns('a.fleet.example')), constrained])).toBe('ok')
    const anchors = anchorsOf(constrained)
    expect(outcome(named(constrained, dns('evil.example')), { anchors })).toBe('nameNotAllowed')
  })

  it('bind the subject as a directory name, and its mailbox when there is no other', () => {
    const email = sequence(tlv(0x31, sequence(objectId(OID.emailAddress), tlv(0x16, Buffer.from('a@evil.example')))))
    const only = under({ permitted: [mail('fleet.example')] })
    expect(outcome([certificate(only, { name: email }), only])).toBe('nameNotAllowed')
    const directories = under({ permitted: [directory(commonName('Fleet'))] })
    expect(outcome([certificate(directories, { name: 'Evil' }), directories])).toBe('nameNotAllowed')
    expect(outcome([certificate(directories, { name: commonName('Fleet', 'a') }), directories])).toBe('ok')
  })
})

describe('C30 revocation', () => {
  const issuer = readOf(root)
  const setOf = (...lists: readonly Uint8Array[]) => {
    const crls = createCrlSet()
    for (const list of lists) expect(crls.add(list, issuer, NOW_MS).ok).toBe(true)
    return crls
  }

  it('a certificate on the list of its issuer is refused, also when the list is stale', () => {
    const own = device(root, { serial: 77 })
    const crls = setOf(crl(root, { revoked: [1, 77] }))
    expect(outcome([own], { crls })).toBe('revoked')
    expect(outcome([own], { crls, revocation: 'required' })).toBe('revoked')
    const longLived = device(root, { serial: 77, notAfterMs: NOW_MS + 9 * DAY_MS })
    const longRoot = authority(null, { name: 'Root', key: root.key, notAfterMs: NOW_MS + 9 * DAY_MS })
    const later = { crls, atMs: NOW_MS + 2 * DAY_MS, anchors: anchorsOf(longRoot) }
    expect(outcome([longLived], later)).toBe('revoked')
    expect(outcome([device(root, { serial: 78 })], { crls })).toBe('ok')
  })

  it('a serial number of 128 bits with its highest bit set is found', () => {
    const serial = '00ff112233445566778899aabbccddeeff'
    expect(outcome([device(root, { serial })], { crls: setOf(crl(root, { revoked: [serial] })) })).toBe('revoked')
  })

  it('an authority in between may be revoked', () => {
    const gone = authority(root, { name: 'Gone', serial: 99 })
    expect(outcome([device(gone), gone], { crls: setOf(crl(root, { revoked: [99] })) })).toBe('revoked')
  })

  it('when required, every issuer needs a fresh list', () => {
    const required = { revocation: 'required' } as const
    expect(outcome([device(root)], required)).toBe('revocationUnknown')
    expect(outcome([device(root)], { ...required, crls: setOf(crl(root)) })).toBe('ok')
    expect(outcome([device(middle), middle], { ...required, crls: setOf(crl(root)) })).toBe('revocationUnknown')
    const crls = setOf(crl(root))
    expect(crls.add(crl(middle), readOf(middle), NOW_MS).ok).toBe(true)
    expect(outcome([device(middle), middle], { ...required, crls })).toBe('ok')
  })
})

/** A device without identifiers of keys. */
function plain(issuer: Party): Party {
  return certificate(issuer, { name: 'Plain', extensions: [subjectAltName(dns('plain.example'))] })
}

/** A device of this issuer, and the issuer. */
function issued(issuer: Party): readonly Party[] {
  return [plain(issuer), issuer]
}

function flipped(der: Uint8Array): Uint8Array {
  const copy = der.slice()
  copy[copy.length - 1]! ^= 1
  return copy
}

function anchorsOf(...parties: readonly Party[]): TrustAnchors {
  const result = trustAnchors(parties.map(({ der }) => der))
  if (!result.ok) throw new Error(result.fault.code)
  return result.value
}

function readOf({ der }: Party) {
  const result = readCertificate(der)
  if (!result.ok) throw new Error(result.fault.code)
  return result.value
}

function policyOf(policy: Partial<ChainPolicy> = {}): ChainPolicy {
  return { anchors: anchorsOf(root), atMs: NOW_MS, purpose: 'device', ...policy }
}

function outcome(chain: readonly Party[], policy: Partial<ChainPolicy> = {}): 'ok' | FaultCode {
  const result = validateChain(
    chain.map(({ der }) => der),
    policyOf(policy),
  )
  return result.ok ? 'ok' : result.fault.code
}
