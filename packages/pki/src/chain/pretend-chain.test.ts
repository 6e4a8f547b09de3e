import { createDecoyKeys, type DecoyKeys, type VerifyingKey } from '@culvert/crypto'
import { expect, it } from 'vitest'
import { readCertificate } from '../certificate/read-certificate.ts'
import { authority, device, testKey } from '../testing/forge.ts'
import { MAX_CHAIN_CERTIFICATES } from './validate-chain.ts'
import { pretendChain } from './pretend-chain.ts'

const root = authority(null, { name: 'Root' })
const middle = authority(root, { name: 'Middle' })
const own = device(middle)

/** What is checked with a decoy. */
function checkedIn(certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  const checked: Uint8Array[] = []
  const keys = createDecoyKeys()
  const decoys: DecoyKeys = {
    of(scheme, signatureBytes) {
      const key = keys.of(scheme, signatureBytes)
      const verify: VerifyingKey['verify'] = (how, octets, signature) => {
        checked.push(octets)
        return key?.verify(how, octets, signature) ?? false
      }
      return key && { ...key, verify }
    },
  }
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
  for (const name of ['p384', 'p521', 'ed25519', 'rsa2048'] as const)
    expect(checkedIn([device(authority(null, { key: testKey(name) })).der])).toHaveLength(1)
})

it('what would cost no signature with a known authority costs none', () => {
  expect(checkedIn([])).toEqual([])
  expect(checkedIn([Uint8Array.of(0x30, 0)])).toEqual([])
  expect(checkedIn([own.der, Uint8Array.of(0x30, 0)])).toEqual([])
})
