import { describe, expect, it } from 'vitest'
import { readCertificate } from '../certificate/read-certificate.ts'
import { OID } from '../der/object-identifier.ts'
import { NULL, integer, sequence, tlv } from '../testing/der-writer.ts'
import {
  NOW_MS,
  authority,
  basicConstraints,
  certificate,
  crl,
  device,
  extension,
  keyUsage,
  testKey,
  type Party,
} from '../testing/forge.ts'
import { createCrlSet, type CrlSet } from './crl-set.ts'
import { readCrl } from './read-crl.ts'

const root = authority(null, { name: 'Root' })

describe('C30 lists of revoked certificates', () => {
  it('are taken with a good signature of the authority they name', () => {
    expect(added(crl(root, { revoked: [1, 2] }))).toBe('ok')
    const twin = authority(null, { name: 'Root' })
    expect(added(crl(twin))).toBe('badSignature')
    expect(added(crl(authority(null, { name: 'Other' })))).toBe('unknownIssuer')
    const changed = crl(root, { revoked: [1, 2] })
    changed[60]! ^= 1
    expect(added(changed)).not.toBe('ok')
  })

  it('are taken only from who may sign them', () => {
    const noCrls = certificate(null, { name: 'Root', key: root.key, extensions: [basicConstraints(true), keyUsage(4)] })
    expect(added(crl(noCrls), { issuer: noCrls })).toBe('notAnAuthority')
    const own = device(root)
    expect(added(crl(own), { issuer: own })).toBe('notAnAuthority')
  })

  it('are taken only while they are fresh, and never in place of a newer one (N14)', () => {
    expect(added(crl(root, { thisUpdateMs: NOW_MS + 1_000 }))).toBe('notFresh')
    expect(added(crl(root, { nextUpdateMs: NOW_MS - 1_000 }))).toBe('notFresh')
    expect(added(crl(root, { nextUpdateMs: null }))).toBe('malformed')
    const set = createCrlSet()
    expect(added(crl(root, { number: 5, revoked: [9] }), { set })).toBe('ok')
    expect(added(crl(root, { number: 4 }), { set })).toBe('olderThanKnown')
    expect(set.of(issuerOf(root))?.revoked).toEqual(new Set(['09']))
    expect(added(crl(root, { number: 6 }), { set })).toBe('ok')
    expect(set.of(issuerOf(root))?.revoked.size).toBe(0)
  })

  it('N14 are taken with numbers from nought on, of at most 20 octets (RFC 5280 5.2.3)', () => {
    const most = `7f${'ff'.repeat(19)}`
    const read = readCrl(crl(root, { number: most }))
    expect(read.ok && read.value.number).toBe(BigInt(`0x${most}`))
    for (const number of [`00${'ff'.repeat(20)}`, '01'.repeat(21), 'ff', '80'.repeat(20)])
      expect(added(crl(root, { number }))).toBe('malformed')
  })

  it('of two authorities with one name do not mix', () => {
    const twin = authority(null, { name: 'Root' })
    const set = createCrlSet()
    expect(added(crl(root, { revoked: [1] }), { set })).toBe('ok')
    expect(set.of(issuerOf(twin))).toBeNull()
    expect(added(crl(twin), { set, issuer: twin })).toBe('ok')
    expect(set.of(issuerOf(root))?.revoked.size).toBe(1)
  })

  it('that say less than everything are refused: delta, partitioned, indirect', () => {
    const delta = extension('2.5.29.27', integer(1), true)
    const point = extension('2.5.29.28', sequence(), true)
    const other = extension('2.5.29.29', sequence(), true)
    const reason = extension(OID.reasonCode, tlv(10, Uint8Array.of(1)))
    expect(added(crl(root, { extensions: [delta] }))).toBe('unknownCriticalExtension')
    expect(added(crl(root, { extensions: [point] }))).toBe('unknownCriticalExtension')
    expect(added(crl(root, { revoked: [1], entryExtensions: [other] }))).toBe('unknownCriticalExtension')
    expect(added(crl(root, { revoked: [1], entryExtensions: [reason] }))).toBe('ok')
    expect(added(crl(root, { extensions: [extension('1.2.3', NULL)] }))).toBe('ok')
  })

  it('N14 cut short anywhere, with octets behind or far too large are refused', () => {
    const list = crl(root, { revoked: [1, 2, 3] })
    for (let length = 0; length < list.length; length++) expect(readCrl(list.subarray(0, length)).ok).toBe(false)
    expect(added(Uint8Array.of(...list, 0))).toBe('malformed')
    expect(added(new Uint8Array(2_000_001))).toBe('tooLarge')
  })

  it('of many entries are read', () => {
    const many = Array.from({ length: 1_500 }, (_, i) => i + 1)
    const read = readCrl(crl({ ...root, key: testKey('ed25519') }, { revoked: many }))
    expect(read.ok && read.value.revoked.size).toBe(1_500)
  })
})

interface Adding {
  readonly set?: CrlSet
  readonly issuer?: Party
}

function added(list: Uint8Array, { set = createCrlSet(), issuer = root }: Adding = {}): string {
  const result = set.add(list, issuerOf(issuer), NOW_MS)
  return result.ok ? 'ok' : result.fault.code
}

function issuerOf({ der }: Party) {
  const read = readCertificate(der)
  if (!read.ok) throw new Error(read.fault.code)
  return read.value
}
