import { expect, test } from 'vitest'
import { lowestNonce, ownExchangeSurvives } from './collision.ts'

const bytes = (...octets: number[]): Uint8Array => Uint8Array.from(octets)

test('C54 octets decide from the first one on', () => {
  expect(lowestNonce(bytes(1, 255), bytes(2, 0))).toEqual(bytes(1, 255))
})

test('C54 a nonce that another one continues is lower', () => {
  expect(lowestNonce(bytes(7, 7, 0), bytes(7, 7))).toEqual(bytes(7, 7))
})

test('C54 the exchange with the lowest of the four nonces loses', () => {
  const own = lowestNonce(bytes(5), bytes(9))
  expect(ownExchangeSurvives(own, lowestNonce(bytes(8), bytes(4)))).toBe(true)
  expect(ownExchangeSurvives(own, lowestNonce(bytes(6), bytes(7)))).toBe(false)
})
