import { createDecoyKeys, type DecoyKeys, type VerifyingKey } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { readCertificate } from '../certificate/read-certificate.ts'
import {
  NOW_MS,
  authority,
  basicConstraints,
  certificate,
  device,
  keyUsage,
  testKey,
  type Party,
} from '../testing/forge.ts'
import { pretendChain } from './pretend-chain.ts'
import { trustAnchors, type TrustAnchors } from './trust-anchors.ts'
import { MAX_CHAIN_CERTIFICATES, validateChain } from './validate-chain.ts'

const root = authority(null, { name: 'Root' })
const middle = authority(root, { name: 'Middle' })
const own = device(middle)

interface Watched {
  /** What is checked with a decoy. */
  readonly checked: Uint8Array[]
  readonly decoys: DecoyKeys
}

function watched(): Watched {
  const checked: Uint8Array[] = []
  const keys = createDecoyKeys()
  const of: DecoyKeys['of'] = (scheme, signatureBytes) => watch(keys.of(scheme, signatureBytes), checked)
  return { checked, decoys: { ...keys, of } }
}

function watch<Key extends VerifyingKey | null>(key: Key, checked: Uint8Array[]): Key {
  const verify: VerifyingKey['verify'] = (how, octets, signature) => {
    checked.push(octets)
    return key?.verify(how, octets, signature) ?? false
  }
  return key && { ...key, verify }
}

function checkedIn(certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  const { checked, decoys } = watched()
  pretendChain(certificates, decoys)
  return checked
}

it('N26 a chain that is of nobody costs one signature, that on its first certificate, as one costs whose authority is known', () => {
  const read = readCertificate(own.der)
  const tbs = read.ok ? read.value.tbs : null
  for (const certificates of [
    [own.der],
    [own.der, middle.der],
    [own.der, ...Array<Uint8Array>(MAX_CHAIN_CERTIFICATES).fill(root.der)],
  ])
    expect(checkedIn(certificates)).toEqual([tbs])
  for (const name of ['ed25519', 'rsa2048'] as const)
    expect(checkedIn([device(authority(null, { key: testKey(name) })).der])).toHaveLength(1)
})

it.each(['p384', 'p521'] as const)(
  'N26 a signature of %s, which costs ten times as much, is pretended from the first on that was checked in earnest',
  (name) => {
    const { checked, decoys } = watched()
    const factory = authority(null, { key: testKey(name) })
    const read = trustAnchors([factory.der])
    const anchors = read.ok ? read.value : null
    const stranger = device(authority(null, { key: testKey(name) }))
    pretendChain([stranger.der], decoys)
    expect(checked).toEqual([])
    const policy = { anchors: anchors as TrustAnchors, atMs: NOW_MS, purpose: 'device', decoys } as const
    expect(validateChain([stranger.der], policy).ok).toBe(false)
    expect(checked).toEqual([])
    expect(validateChain([device(factory).der], policy).ok).toBe(true)
    pretendChain([stranger.der], decoys)
    expect(checked).toHaveLength(1)
  },
)

it('what would cost no signature with a known authority costs none', () => {
  expect(checkedIn([])).toEqual([])
  expect(checkedIn([Uint8Array.of(0x30, 0)])).toEqual([])
  expect(checkedIn([own.der, Uint8Array.of(0x30, 0)])).toEqual([])
})

describe('N26 a chain of somebody whose authority is known costs one signature, however it is spoilt', () => {
  const read = trustAnchors([root.der])
  const trusted = read.ok ? read.value : null

  /** How many signatures are checked with a decoy, and with the key of the authority. */
  function costOf(...parties: readonly Party[]): { isGood: boolean; pretended: number; checked: number } {
    const { checked: pretended, decoys } = watched()
    const checked: Uint8Array[] = []
    const known = trusted as TrustAnchors
    const issuersOf: TrustAnchors['issuersOf'] = (child) =>
      known.issuersOf(child).map((issuer) => ({ ...issuer, key: watch(issuer.key, checked) }))
    const policy = { anchors: { ...known, issuersOf }, atMs: NOW_MS, purpose: 'device', decoys } as const
    const { ok: isGood } = validateChain(
      parties.map(({ der }) => der),
      policy,
    )
    return { isGood, pretended: pretended.length, checked: checked.length }
  }

  it('without what stands between, or with too many', () => {
    expect(costOf(device(root))).toEqual({ isGood: true, pretended: 0, checked: 1 })
    expect(costOf(own)).toEqual({ isGood: false, pretended: 1, checked: 0 })
    const others = [1, 2, 3, 4].map((n) => authority(null, { name: `Other ${n}` }))
    expect(costOf(device(root), ...others)).toEqual({ isGood: false, pretended: 1, checked: 0 })
  })

  it('with forged ones between, of the name of the real one', () => {
    const forger = authority(null, { name: 'Root' })
    const extensions = [basicConstraints(true), keyUsage(0b0000_0110)]
    const forged = [1, 2, 3].map(() => certificate(forger, { name: 'Middle', extensions }))
    expect(costOf(own, ...forged)).toEqual({ isGood: false, pretended: 0, checked: 1 })
    expect(costOf(own, middle)).toMatchObject({ isGood: true, pretended: 0 })
  })
})
