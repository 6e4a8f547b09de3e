/**
 * Both ends agree after bad weather, for a few seeds; `weather.full.test.ts` takes many.
 */
import { expect, test } from 'vitest'
import { initiate } from './pair.ts'
import { calm, expectAgreement, letItStorm, stormyPair } from './storm.ts'

test.each(Array.from({ length: 60 }, (_, index) => index + 1))('after storm %i and a calm both ends agree', (seed) => {
  const { pair, nat } = stormyPair(seed)
  letItStorm(pair, nat)
  calm(pair)
  expectAgreement(pair)
  expect(pair.device.eventsOf('established')).not.toEqual([])
})

test('a device whose attachment was lost in the storm comes back', () => {
  const { pair, nat } = stormyPair(4_711)
  letItStorm(pair, nat)
  pair.network.fate = () => ({ copies: 0 })
  pair.network.run(200_000)
  expect([pair.device.endpoint.size.established, pair.concentrator.endpoint.size.established]).toEqual([0, 0])
  pair.network.fate = () => ({})
  initiate(pair)
  pair.network.run(2_000)
  expect([pair.device.children.size, pair.concentrator.children.size]).toEqual([1, 1])
})
