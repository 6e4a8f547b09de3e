import { fromHex, InvariantError, toHex } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import {
  authenticatorResponse,
  authenticatorResponseText,
  challengeHash,
  mschapMsk,
  ntHash,
  ntResponse,
} from './derivation.ts'
import { md4 } from './md4.ts'

const hex = (text: string): Uint8Array => fromHex(text)!
const octets = (text: string): Uint8Array => new TextEncoder().encode(text)

const challenges = {
  authenticator: hex('5b5d7c7d7b3f2f3e3c2c602132262628'),
  peer: hex('21402324255e262a28295f2b3a337c7e'),
  userName: octets('User'),
}
const hash = ntHash('clientPass')
const response = hex('82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df')

describe('RFC 2759 9.2 with user User and password clientPass', () => {
  it('hashes the password, and the hash', () => {
    expect(toHex(hash)).toBe('44ebba8d5312b8d611474411f56989ae')
    expect(toHex(md4(hash))).toBe('41c00c584bd2d91c4017a2a12fa59f3f')
  })

  it('hashes the challenges', () => {
    expect(toHex(challengeHash(challenges))).toBe('d02e4386bce91226')
  })

  it('makes the NT response', () => {
    expect(ntResponse(hash, challenges)).toEqual(response)
  })

  it('makes the authenticator response', () => {
    const text = authenticatorResponseText(authenticatorResponse(hash, response, challenges))
    expect(text).toBe('S=407A5589115FD0D6209F510FE9C04566932CDA56')
  })

  it.each(['BIGCO\\User', '\\User'])('RFC 2759 4 does not count the domain of %s', (name) => {
    expect(ntResponse(hash, { ...challenges, userName: octets(name) })).toEqual(response)
  })

  it('RFC 3079 3.5.3 the key with which the server sends stands second in the MSK', () => {
    const msk = mschapMsk(hash, response)
    expect(msk).toHaveLength(64)
    expect(toHex(msk.subarray(16, 32))).toBe('8b7cdc149b993a1ba118cb153f56dccb')
    expect(toHex(msk.subarray(32))).toBe('00'.repeat(32))
  })
})

describe('passwords', () => {
  it('are UTF-16LE (RFC 2759 8.3)', () => {
    // independent value: MD4 of c4 00 3d d8 00 de
    expect(ntHash('Ä😀')).toEqual(md4(hex('c4003dd800de')))
    expect(toHex(ntHash(''))).toBe('31d6cfe0d16ae931b73c59d7e0c089c0')
  })

  it('have at most 256 characters', () => {
    expect(ntHash('x'.repeat(256))).toHaveLength(16)
    expect(() => ntHash('x'.repeat(257))).toThrow(InvariantError)
  })

  it('are taken as hashes of 16 octets only', () => {
    expect(() => ntResponse(new Uint8Array(15), challenges)).toThrow(InvariantError)
    expect(() => mschapMsk(new Uint8Array(17), response)).toThrow(InvariantError)
  })
})
