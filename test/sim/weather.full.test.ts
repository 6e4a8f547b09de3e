/**
 * Both ends agree after bad weather, for many seeds.
 */
import { expect, test } from 'vitest'
import { calm, expectAgreement, letItStorm, stormyPair } from './storm.ts'

const FIRST = 1_000
const SEEDS = 3_000

test('after any of three thousand storms and a calm both ends agree', { timeout: 600_000 }, () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    const { pair, nat } = stormyPair(seed)
    letItStorm(pair, nat)
    calm(pair)
    expectAgreement(pair)
    expect(pair.device.eventsOf('established'), `seed ${seed}`).not.toEqual([])
  }
})
