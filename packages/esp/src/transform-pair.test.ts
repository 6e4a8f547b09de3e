import { nobleProvider } from '@culvert/crypto'
import { describe, expect, it } from 'vitest'
import { keysOf, SUITES, transformContext } from '../test/packets.ts'
import { IV_THREADS, IvCounter } from './iv-counter.ts'
import { RandomPool } from './random-pool.ts'
import { createTransformPair } from './transform-pair.ts'

describe('transforms of a Child SA', () => {
  it.each(SUITES)('C42: $name takes encryption key, then salt, then integrity key of each direction', (suite) => {
    const distinct = { ...keysOf(suite, 1, 2, false) }
    for (const key of [distinct.outboundKey, distinct.inboundKey]) key.set(key.map((octet, i) => octet + i))
    const swapped = {
      ...distinct,
      inboundKey: distinct.outboundKey,
      outboundKey: distinct.inboundKey,
      inboundIntegKey: distinct.outboundIntegKey,
      outboundIntegKey: distinct.inboundIntegKey,
    }
    const ours = createTransformPair(distinct, transformContext())
    const theirs = createTransformPair(swapped, { ...transformContext(), provider: nobleProvider })
    expect(ours.ok && theirs.ok).toBe(true)
    if (!ours.ok || !theirs.ok) return
    const text = new Uint8Array(48).fill(5)
    const { sealer } = ours.value
    const packet = new Uint8Array(8 + sealer.ivBytes + text.length + sealer.icvBytes)
    expect(sealer.seal(text, packet, 0, 0)).toBe(true)
    expect(Buffer.from(theirs.value.opener.open(packet, 0) ?? [])).toEqual(Buffer.from(text))
    expect(ours.value.opener.open(packet, 0)).toBeNull()
  })

  it('copies the keys, so that the caller can zero its own', () => {
    const keys = keysOf(SUITES[0]!, 1, 1, false)
    const pair = createTransformPair(keys, transformContext())
    keys.inboundKey.fill(0)
    keys.outboundKey.fill(0)
    const packet = new Uint8Array(8 + 8 + 4 + 16)
    if (!pair.ok) throw new Error(pair.error)
    pair.value.sealer.seal(new Uint8Array(4), packet, 0, 0)
    expect(pair.value.opener.open(packet, 0)).not.toBeNull()
    pair.value.opener.destroy()
    expect(pair.value.opener.open(packet, 0)).toBeNull()
  })

  it('refuses unknown transforms, encryption without integrity, and keys of a wrong length', () => {
    const errorOf = (keys: ReturnType<typeof keysOf>): string => {
      const pair = createTransformPair(keys, transformContext())
      return pair.ok ? 'ok' : pair.error
    }
    const [gcm, cbc, none] = [
      keysOf(SUITES[0]!, 1, 2, false),
      keysOf(SUITES[4]!, 1, 2, false),
      keysOf(SUITES[6]!, 1, 2, false),
    ]
    expect(errorOf({ ...gcm, encr: { type: 1, id: 3, keyBits: null } })).toBe('unsupported')
    expect(errorOf({ ...cbc, integ: null })).toBe('unsupported')
    expect(errorOf({ ...none, integ: null })).toBe('unsupported')
    expect(errorOf({ ...cbc, integ: { type: 3, id: 99, keyBits: null } })).toBe('unsupported')
    expect(errorOf({ ...gcm, inboundKey: new Uint8Array(16) })).toBe('keyLength')
    expect(errorOf({ ...cbc, outboundKey: new Uint8Array(32) })).toBe('keyLength')
    expect(errorOf({ ...cbc, outboundIntegKey: new Uint8Array(20) })).toBe('keyLength')
    expect(errorOf({ ...none, inboundKey: new Uint8Array(1) })).toBe('keyLength')
  })
})

describe('IV counter', () => {
  const next = (counter: IvCounter): string | null => {
    const iv = new Uint8Array(8)
    return counter.next(iv, 0) ? Buffer.from(iv).toString('hex') : null
  }

  it('counts below the incarnation and carries into the upper 4 bits', () => {
    const counter = new IvCounter(0xffffff)
    expect([next(counter), next(counter)]).toEqual(['ffffff0000000001', 'ffffff0000000002'])
    counter.skipTo(0, 0xfffffffe)
    expect([next(counter), next(counter)]).toEqual(['ffffff00ffffffff', 'ffffff0100000000'])
  })

  it('stops after 2^36 and writes nothing then', () => {
    const counter = new IvCounter(1)
    counter.skipTo(0x0f, 0xfffffffe)
    expect([next(counter), next(counter), next(counter)]).toEqual(['0000010fffffffff', null, null])
  })

  it('gives every thread a range of its own, from its first IV to its last', () => {
    const ranges = Array.from({ length: IV_THREADS }, (_, thread) => {
      const counter = new IvCounter(0xfffffe, thread)
      const first = next(counter)
      counter.skipTo(0x0f, 0xfffffffe)
      return [first, next(counter)] as const
    })
    expect(ranges[0]).toEqual(['fffffe0000000001', 'fffffe0fffffffff'])
    expect(ranges[15]).toEqual(['fffffef000000001', 'fffffeffffffffff'])
    const ends = ranges.flat()
    expect(ends.toSorted((a, b) => (`${a}` < `${b}` ? -1 : 1))).toEqual(ends)
  })

  it.each([-1, 16, 0.5])('refuses thread %d', (thread) => {
    expect(() => new IvCounter(1, thread)).toThrow(RangeError)
  })

  it.each([-1, 2 ** 24, 1.5])('refuses incarnation %d', (incarnation) => {
    expect(() => new IvCounter(incarnation)).toThrow(RangeError)
  })
})

describe('random pool', () => {
  it('hands out every octet once and wipes it', () => {
    const draws: Uint8Array[] = []
    const pool = new RandomPool((length) => {
      draws.push(Uint8Array.from({ length }, (_, i) => 1 + (i % 255)))
      return draws.at(-1)!
    })
    const out = new Uint8Array(4096 + 16)
    pool.fill(out, 0, out.length)
    expect(draws).toHaveLength(2)
    expect(out[4095]).toBe(1 + (4095 % 255))
    expect(out[4096]).toBe(1)
    expect(new Set(draws[0])).toEqual(new Set([0]))
    expect(draws[1]![16]).toBe(17)
  })
})
