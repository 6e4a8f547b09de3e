import { fromHex, InvariantError, toHex } from '@culvert/bytes'
import { describe, expect, it } from 'vitest'
import { desEncrypt, expandDesKey } from './des.ts'

const hex = (text: string): Uint8Array => fromHex(text)!

describe('RFC 2759 8.6 DES', () => {
  it.each([
    ['fc156af7edcd6c', 'fd0b5b5e7f6e34d9'],
    ['0edde3337d427f', '0e6e796737ea08fe'],
    ['00000000000000', '0101010101010101'],
    ['ffffffffffffff', 'fefefefefefefefe'],
  ])('RFC 2759 9.3 spreads key %s and sets parity', (key, expanded) => {
    expect(toHex(expandDesKey(hex(key)))).toBe(expanded)
  })

  it('RFC 2759 9.2 encrypts the challenge with each third of the hash', () => {
    const challenge = hex('d02e4386bce91226')
    const thirds = ['44ebba8d5312b8', 'd611474411f569', '89ae0000000000'].map((key) => desEncrypt(hex(key), challenge))
    expect(thirds.map(toHex).join('')).toBe('82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df')
  })

  it('wants 7 octets of key and 8 of block', () => {
    expect(() => desEncrypt(new Uint8Array(8), new Uint8Array(8))).toThrow(InvariantError)
    expect(() => desEncrypt(new Uint8Array(7), new Uint8Array(16))).toThrow(InvariantError)
  })
})
