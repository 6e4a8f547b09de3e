import { describe, expect, test } from 'vitest'
import type { GatewayIdentity } from '../endpoint/contract.ts'
import { decodeGateway, encodeGateway } from './gateway-identity-codec.ts'

const GATEWAYS: readonly GatewayIdentity[] = [
  { kind: 'ip4', address: '192.0.2.2' },
  { kind: 'ip6', address: '2001:db8::2' },
  { kind: 'fqdn', name: 'gw-2.example' },
]

describe('RFC 5685 9: the identity of a gateway', () => {
  test.each(GATEWAYS)('$kind there and back, with a nonce behind it', (gateway) => {
    const nonce = new Uint8Array(32).fill(7)
    expect(decodeGateway(encodeGateway(gateway, nonce)!)).toEqual({ gateway, nonce })
    expect(decodeGateway(encodeGateway(gateway)!)).toEqual({ gateway, nonce: new Uint8Array(0) })
  })

  test('an IPv4 gateway as a recorded peer sends it', () => {
    expect(Buffer.from(encodeGateway(GATEWAYS[0]!)!).toString('hex')).toBe('0104c0000202')
  })

  test.each<[string, number[]]>([
    ['nothing', []],
    ['no length', [1]],
    ['a type of its own', [9, 4, 192, 0, 2, 2]],
    ['a length that lies', [1, 5, 192, 0, 2, 2]],
    ['IPv4 of 16 octets', [1, 16, ...Array.from({ length: 16 }, () => 1)]],
    ['IPv6 of 4 octets', [2, 4, 192, 0, 2, 2]],
    ['a name of no octets', [3, 0]],
    ['a name with a line feed', [3, 3, 0x61, 0x0a, 0x62]],
    ['a name with NUL', [3, 3, 0x61, 0, 0x62]],
    ['a name with an empty label', [3, 4, 0x61, 0x2e, 0x2e, 0x62]],
  ])('refuses %s', (_name, octets) => {
    expect(decodeGateway(Uint8Array.from(octets))).toBeNull()
  })

  test('refuses to say what no peer could take', () => {
    expect(encodeGateway({ kind: 'ip4', address: '2001:db8::2' })).toBeNull()
    expect(encodeGateway({ kind: 'ip6', address: 'gw' })).toBeNull()
    expect(encodeGateway({ kind: 'fqdn', name: 'x y' })).toBeNull()
    expect(encodeGateway({ kind: 'fqdn', name: `${'a.'.repeat(200)}a` })).toBeNull()
  })
})
