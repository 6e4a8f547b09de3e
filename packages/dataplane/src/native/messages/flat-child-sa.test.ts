import { composeSpi } from '@culvert/esp'
import { expect, it } from 'vitest'
import { flattenChildSa, type KeylessChildSa, restoreChildSa } from './flat-child-sa.ts'

const PLAIN: KeylessChildSa = {
  description: {
    spiIn: composeSpi(1, 2, 3),
    spiOut: composeSpi(4, 5, 6),
    path: { local: { address: '192.0.2.1', port: 4500 }, remote: { address: '198.51.100.7', port: 61_000 } },
    udpEncap: true,
    peerBehindNat: false,
    mode: 'tunnel',
    tsLocal: [],
    tsRemote: [],
    outbound: true,
    replaces: null,
  },
  keys: { encr: { type: 1, id: 20, keyBits: 256 }, integ: null, esn: true },
  placement: null,
}

const selector = (type: 7 | 8, from: number) => ({
  type,
  protocol: 17,
  startPort: from,
  endPort: 65_535,
  startAddress: Uint8Array.from({ length: type === 7 ? 4 : 16 }, (_, index) => from + index),
  endAddress: new Uint8Array(type === 7 ? 4 : 16).fill(0xff),
})

it.each([
  ['as little as there can be', PLAIN],
  [
    'integrity, a rekey, the other flags',
    withDescription({ outbound: false, replaces: composeSpi(1, 9, 9), udpEncap: false, peerBehindNat: true }),
  ],
  [
    'selectors of both versions',
    withDescription({ tsLocal: [selector(7, 1), selector(8, 2)], tsRemote: [selector(8, 3)] }),
  ],
  [
    'a selector with addresses of no length that there is',
    withDescription({ tsLocal: [{ ...selector(7, 1), startAddress: new Uint8Array(0) }] }),
  ],
  ['AH', withDescription({ protocol: 'ah' })],
  [
    'transport mode with addresses that only the peer knows',
    withDescription({ mode: 'transport', originalAddresses: 'unknown' }),
  ],
  [
    'transport mode with original addresses',
    withDescription({
      mode: 'transport',
      originalAddresses: { local: Uint8Array.of(10, 0, 0, 255), remote: new Uint8Array(16).fill(0xfe) },
    }),
  ],
  ['an integrity transform', { ...PLAIN, keys: { ...PLAIN.keys, integ: { type: 3, id: 12, keyBits: null } } }],
  ['a placement', { ...PLAIN, placement: { subject: 7, addresses: ['10.128.0.10', 'fd00::10'] } }],
  ['a placement without addresses', { ...PLAIN, placement: { subject: 1, addresses: [] } }],
] satisfies [string, KeylessChildSa][])('a Child SA comes back from its flat form: %s', (_what, child) => {
  const flat = flattenChildSa(child)
  expect(structuredClone(flat)).toEqual(flat)
  expect(flat.every((field) => field === null || typeof field !== 'object')).toBe(true)
  expect(restoreChildSa(structuredClone(flat))).toEqual(child)
})

function withDescription(change: Partial<KeylessChildSa['description']>): KeylessChildSa {
  return { ...PLAIN, description: { ...PLAIN.description, ...change } }
}
