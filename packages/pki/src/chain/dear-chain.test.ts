import { expect, it } from 'vitest'
import { authority, device, testKey } from '../testing/forge.ts'
import { isDearChain } from './dear-chain.ts'

const root = authority(null)

it.each(['p256', 'ed25519', 'rsa2048'] as const)('a chain of %s is not dear', (name) => {
  const factory = authority(root, { key: testKey(name) })
  expect(isDearChain([device(factory, { key: testKey(name) }).der, factory.der])).toBe(false)
})

it.each(['p384', 'p521'] as const)('a chain is dear with one signature of %s, or where the peer makes one', (name) => {
  const key = testKey(name)
  const factory = authority(root, { key })
  expect(isDearChain([device(root, { key }).der]), 'its own key').toBe(true)
  expect(isDearChain([device(factory).der]), 'its authority').toBe(true)
  const middle = authority(factory)
  expect(isDearChain([device(middle).der, middle.der]), 'what stands between').toBe(true)
  expect(isDearChain([device(root).der, factory.der]), 'the key of another certificate is not checked with').toBe(false)
})

it('what is no certificate costs nothing', () => {
  expect(isDearChain([])).toBe(false)
  expect(isDearChain([Uint8Array.of(0x30, 0), Uint8Array.of(1)])).toBe(false)
})
