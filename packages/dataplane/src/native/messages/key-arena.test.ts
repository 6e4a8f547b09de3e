import { describe, expect, it } from 'vitest'
import { composeSpi } from '@culvert/esp'
import type { ChildSaDescription } from '@culvert/ikev2'
import { finishArena, KeyArenas, withChildSa } from './key-arena.ts'

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

const placement = { subject: 3, addresses: ['10.128.0.10'] }

const keysOf = ({ keys }: ChildSaDescription): Uint8Array[] => [
  keys.inboundKey,
  keys.outboundKey,
  keys.inboundIntegKey,
  keys.outboundIntegKey,
]

const octetsOf = (arena: SharedArrayBuffer | null): Uint8Array => new Uint8Array(arena!).slice(4)
const isZero = (bytes: Uint8Array): boolean => bytes.every((octet) => octet === 0)

describe('Child SAs on their way to the workers', () => {
  it('arrive whole at each worker and leave no key behind on either side', () => {
    const arenas = new KeyArenas()
    const originals = [child(), child()]
    const posted = originals.map((original) => arenas.pack(original, placement))
    const arena = arenas.seal(2)
    expect(originals.flatMap(keysOf).every(isZero)).toBe(true)
    for (let worker = 0; worker < 2; worker++) {
      expect(isZero(octetsOf(arena))).toBe(false)
      for (const one of posted) {
        withChildSa(one, arena, (...arrived) => expect(arrived).toEqual([child(), placement]))
      }
      finishArena(arena)
    }
    expect(isZero(octetsOf(arena))).toBe(true)
  })

  it('carry keys only in the arena', () => {
    expect(JSON.stringify(new KeyArenas().pack(child(), placement))).not.toMatch(/Key"/)
  })

  it('wait in an arena of their own until every worker has read it; then it is used again', () => {
    const arenas = new KeyArenas()
    const sealed = (): SharedArrayBuffer | null => {
      arenas.pack(child(), placement)
      return arenas.seal(2)
    }
    const first = sealed()
    finishArena(first)
    const second = sealed()
    expect(second).not.toBe(first)
    finishArena(first)
    expect(sealed()).toBe(first)
    finishArena(second)
  })

  it('need another batch when the arena is full, and are zeroed when no worker will come for them', () => {
    const arenas = new KeyArenas()
    let count = 0
    for (; arenas.hasRoomFor(child().keys); count++) arenas.pack(child(), placement)
    expect(count).toBe(85)
    const arena = arenas.seal(1)
    expect(arenas.hasRoomFor(child().keys)).toBe(true)
    arenas.clear()
    expect(isZero(octetsOf(arena))).toBe(true)
    expect(arenas.seal(1)).toBe(null)
  })

  it('refuses keys that no cipher has', () => {
    const { keys } = child()
    expect(() => new KeyArenas().hasRoomFor({ ...keys, inboundKey: new Uint8Array(9000) })).toThrow(RangeError)
  })
})
