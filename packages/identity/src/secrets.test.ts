import { describe, expect, it } from 'vitest'
import {
  deriveKeys,
  makeRefreshToken,
  makeSigningKey,
  openLoginState,
  openSigningKey,
  readRefreshToken,
  sealLoginState,
} from './index.ts'

const keys = deriveKeys(Buffer.alloc(32, 1).toString('base64url'))
const others = deriveKeys(Buffer.alloc(32, 2).toString('base64url'))
const sessionId = `ses_${'b'.repeat(20)}`

describe('keys out of one secret', () => {
  it('differ from one another and from those of another secret', () => {
    const all = [keys, others].flatMap((set) => Object.values(set)).map((key) => Buffer.from(key).toString('hex'))
    expect(new Set(all).size).toBe(all.length)
  })

  it('are not made of a secret of another length', () => {
    for (const secret of ['', 'short', Buffer.alloc(31).toString('base64url'), Buffer.alloc(33).toString('base64url')])
      expect(() => deriveKeys(secret)).toThrow('32 bytes')
  })
})

describe('a refresh token', () => {
  const { token, secretHash } = makeRefreshToken(keys.refreshTokens, sessionId, 7)

  it('comes back as it was made', () => {
    expect(readRefreshToken(keys.refreshTokens, token)).toEqual({ sessionId, generation: 7, secretHash })
  })

  it('is not read when any character is another one, nor under another key', () => {
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === 'c' ? 'd' : 'c'
      expect(readRefreshToken(keys.refreshTokens, token.slice(0, index) + other + token.slice(index + 1))).toBeNull()
    }
    expect(readRefreshToken(others.refreshTokens, token)).toBeNull()
    expect(readRefreshToken(keys.refreshTokens, `${token}c`)).toBeNull()
    expect(readRefreshToken(keys.refreshTokens, '')).toBeNull()
  })

  it('has no secret in common with another of the same session and generation', () => {
    expect(makeRefreshToken(keys.refreshTokens, sessionId, 7).secretHash.equals(secretHash)).toBe(false)
  })
})

describe('a signing key', () => {
  it('is opened by the secret that sealed it, under its own name', async () => {
    const [stored, another] = [await makeSigningKey(keys.signingKeys), await makeSigningKey(keys.signingKeys)]
    expect((await openSigningKey(stored, keys.signingKeys)).kid).toBe(stored.kid)
    await expect(openSigningKey(stored, others.signingKeys)).rejects.toThrow('decryption operation failed')
    const moved = { ...stored, sealedPrivateKey: another.sealedPrivateKey }
    await expect(openSigningKey(moved, keys.signingKeys)).rejects.toThrow('another name')
  })

  it('has a public half without anything private, and a sealed one without anything to read', async () => {
    const stored = await makeSigningKey(keys.signingKeys)
    expect(Object.keys(stored.publicJwk).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(Buffer.from(stored.sealedPrivateKey).toString()).not.toContain('"d"')
  })
})

describe('the state of a login', () => {
  const login = { state: 's', nonce: 'n', codeVerifier: 'v', invitation: 'mem_a' }
  const now = new Date('2026-11-22T12:00:00Z')
  const nowSec = now.getTime() / 1_000

  it('is opened within ten minutes, by the secret that sealed it', async () => {
    const sealed = await sealLoginState(login, keys.loginState, nowSec)
    expect(await openLoginState(sealed, keys.loginState, now)).toEqual(login)
    expect(await openLoginState(sealed, keys.loginState, new Date(now.getTime() + 601_000))).toBeNull()
    expect(await openLoginState(sealed, others.loginState, now)).toBeNull()
    for (const wrong of ['', 'a.b.c.d.e', sealed.slice(1), `${sealed}A`])
      expect(await openLoginState(wrong, keys.loginState, now)).toBeNull()
  })

  it('tells the browser nothing', async () => {
    const sealed = await sealLoginState({ ...login, codeVerifier: 'verifier-in-clear' }, keys.loginState, nowSec)
    expect(
      sealed
        .split('.')
        .map((text) => Buffer.from(text, 'base64url').toString('latin1'))
        .join(),
    ).not.toContain('verifier')
  })
})
