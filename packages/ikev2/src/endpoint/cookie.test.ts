import { expect, test } from 'vitest'
import { opensslProvider } from '@culvert/crypto'
import type { Env } from './contract.ts'
import type { IkeSpi } from '../message/model.ts'
import { type CookieSubject, createCookieSecrets, isValidCookie, makeCookie } from './cookie.ts'

let drawn = 0

function env(nowMs: number): Env {
  return {
    nowMs,
    rng: (length) => new Uint8Array(length).fill(++drawn),
    crypto: opensslProvider,
    incarnation: 1,
    allocateIkeSpi: () => '0000000000000001' as IkeSpi,
    allocateChildSpi: () => null,
  }
}

const SUBJECT: CookieSubject = {
  nonceI: new Uint8Array(32).fill(3),
  remote: { address: '198.51.100.7', port: 500 },
  spiI: '1122334455667788' as IkeSpi,
}

test('C11 a cookie of 1 to 64 octets that is good for its subject', () => {
  const secrets = createCookieSecrets()
  const cookie = makeCookie(secrets, SUBJECT, env(0))
  expect(cookie.length).toBe(33)
  expect(isValidCookie(secrets, SUBJECT, cookie, env(0))).toBe(true)
})

test.each([
  ['nonce', { nonceI: new Uint8Array(32).fill(4) }],
  ['address', { remote: { address: '198.51.100.8', port: 500 } }],
  ['port, which others behind one address do not share', { remote: { address: '198.51.100.7', port: 501 } }],
  ['SPIi', { spiI: '1122334455667789' as IkeSpi }],
])('C11 a cookie is bound to the %s', (_name, change) => {
  const secrets = createCookieSecrets()
  const cookie = makeCookie(secrets, SUBJECT, env(0))
  expect(isValidCookie(secrets, { ...SUBJECT, ...change }, cookie, env(0))).toBe(false)
})

test('N15 a mangled, empty, short or long cookie is no cookie', () => {
  const secrets = createCookieSecrets()
  const cookie = makeCookie(secrets, SUBJECT, env(0))
  for (let index = 0; index < cookie.length; index += 1) {
    const mangled = cookie.with(index, (cookie[index] ?? 0) ^ 1)
    expect(isValidCookie(secrets, SUBJECT, mangled, env(0))).toBe(false)
  }
  for (const length of [0, 1, 32, 65]) {
    const resized = new Uint8Array(length)
    resized.set(cookie.subarray(0, length))
    expect(isValidCookie(secrets, SUBJECT, resized, env(0))).toBe(false)
  }
})

test('C11 the secret changes: a cookie outlives one change and not two', () => {
  const secrets = createCookieSecrets()
  const cookie = makeCookie(secrets, SUBJECT, env(0))
  expect(isValidCookie(secrets, SUBJECT, cookie, env(59_999))).toBe(true)
  expect(isValidCookie(secrets, SUBJECT, cookie, env(61_000))).toBe(true)
  expect(isValidCookie(secrets, SUBJECT, cookie, env(122_000))).toBe(false)
})

test('N15 a cookie older than the secret pair is refused after a long pause', () => {
  const secrets = createCookieSecrets()
  const cookie = makeCookie(secrets, SUBJECT, env(0))
  expect(isValidCookie(secrets, SUBJECT, cookie, env(1_000_000))).toBe(false)
})
