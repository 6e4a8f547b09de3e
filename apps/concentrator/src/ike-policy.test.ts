import { defaultAhSuites } from '@culvert/ikev2'
import { expect, it } from 'vitest'
import { endpointConfigOf } from './ike-policy.ts'
import type { ConcentratorSettings } from './settings.ts'

const SETTINGS = { ikeIdentity: 'concentrator.example', address: '192.0.2.1', address6: null } as ConcentratorSettings

it.each([
  [false, [undefined, undefined, undefined]],
  [true, [undefined, undefined, defaultAhSuites]],
])('RFC 4302 is for nobody, and where the operator says so for the tier compat alone: %s', (ah, expected) => {
  const { tiers = [], proposals } = endpointConfigOf({ ...SETTINGS, ah })
  expect(tiers.map(({ name }) => name)).toEqual(['modern', 'standard', 'compat'])
  expect(tiers.map((tier) => tier.ah)).toEqual(expected)
  expect(proposals.ah).toBeUndefined()
})
