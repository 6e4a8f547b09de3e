import { describe, expect, it } from 'vitest'
import { composeSpi } from '@culvert/esp'
import type { ChildSaDescription } from '@culvert/ikev2'
import { packChildSa, withChildSa } from './messages.ts'

function child(): ChildSaDescription {
  const key = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)
  const anywhere = { address: '192.0.2.1', port: 4500 }
  return {
    spiIn: composeSpi(1, 2, 3),
    spiOut: composeSpi(4, 5, 6),
    keys: {
      encr: { type: 1, id: 12, keyBits: 128 },
      integ: { type: 3, id: 12, keyBits: null },
      esn: true,
      inboundKey: key(16, 1),
      outboundKey: key(16, 2),
      inboundIntegKey: key(32, 3),
      outboundIntegKey: key(32, 4),
    },
    path: { local: anywhere, remote: anywhere },
    udpEncap: true,
    peerBehindNat: false,
    mode: 'tunnel',
    tsLocal: [],
    tsRemote: [],
    outbound: true,
    replaces: null,
  }
}

const keysOf = ({ keys }: ChildSaDescription): Uint8Array[] => [
  keys.inboundKey,
  keys.outboundKey,
  keys.inboundIntegKey,
  keys.outboundIntegKey,
]

describe('a Child SA on its way to the worker', () => {
  it('arrives whole and leaves no key behind on either side', () => {
    const original = child()
    const posted = packChildSa(original)
    expect(keysOf(original).every((key) => key.every((octet) => octet === 0))).toBe(true)
    withChildSa(posted, (arrived) => expect(arrived).toEqual(child()))
    expect(new Uint8Array(posted.material).every((octet) => octet === 0)).toBe(true)
  })

  it('carries keys only in the shared buffer', () => {
    const { material, ...rest } = packChildSa(child())
    expect(material.byteLength).toBe(96)
    expect(JSON.stringify(rest)).not.toMatch(/Key"/)
  })

  it('zeroes the keys also when the SA is refused', () => {
    const posted = packChildSa(child())
    expect(() =>
      withChildSa(posted, () => {
        throw new Error('refused')
      }),
    ).toThrow('refused')
    expect(new Uint8Array(posted.material).every((octet) => octet === 0)).toBe(true)
  })
})
