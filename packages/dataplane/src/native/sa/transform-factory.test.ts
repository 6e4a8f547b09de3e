import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { opensslProvider } from '@culvert/crypto'
import { createTransformPair, RandomPool, type EspOpener, type EspSealer } from '@culvert/esp'
import type { ChildKeys } from '@culvert/ikev2'
import { createChecksum } from '../superpackets/checksum.ts'
import { Openssl, PacketMemory, proveForeignCalls } from '../../foreign/index.ts'
import { AdaptedOpener } from './packet-transform.ts'
import { type NativeTransforms, TransformFactory } from './transform-factory.ts'

const MAX_SAS = 32
const memory = new PacketMemory(1 << 19)
const context = { provider: opensslProvider, incarnation: 0xabcdef, random: new RandomPool((n) => randomBytes(n)) }
const factory = new TransformFactory({
  ...context,
  memory,
  checksum: createChecksum(memory),
  openssl: new Openssl(memory),
  maxSas: MAX_SAS,
})

interface Suite {
  readonly name: string
  readonly encr: readonly [id: number, keyBits: number | null, keyBytes: number]
  readonly integ: readonly [id: number, keyBytes: number] | null
}

const GCM = [18, 19, 20].flatMap((id) =>
  [128, 192, 256].map((bits): Suite => ({ name: `GCM ${id} ${bits}`, encr: [id, bits, bits / 8 + 4], integ: null })),
)
const HMACS = [
  [2, 20],
  [12, 32],
  [13, 48],
  [14, 64],
] as const
const CBC = HMACS.flatMap((integ) =>
  [128, 192, 256].map((bits): Suite => ({ name: `CBC ${bits} HMAC ${integ[0]}`, encr: [12, bits, bits / 8], integ })),
)
const SUITES: readonly Suite[] = [
  ...GCM,
  { name: 'ChaCha20-Poly1305', encr: [28, null, 36], integ: null },
  ...CBC,
  { name: 'NULL HMAC 12', encr: [11, null, 0], integ: [12, 32] },
]

function keysOf({ encr: [id, keyBits, keyBytes], integ }: Suite, esn: boolean): ChildKeys {
  const key = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff)
  return {
    encr: { type: 1, id, keyBits },
    integ: integ === null ? null : { type: 3, id: integ[0], keyBits: null },
    esn,
    // The same keys both ways, so that one pair can open what it sealed.
    inboundKey: key(keyBytes, 1),
    outboundKey: key(keyBytes, 1),
    inboundIntegKey: key(integ?.[1] ?? 0, 2),
    outboundIntegKey: key(integ?.[1] ?? 0, 2),
  }
}

const created: NativeTransforms[] = []

function native(keys: ChildKeys): NativeTransforms {
  const transforms = factory.create(keys)
  if (typeof transforms === 'string') throw new Error(transforms)
  created.push(transforms)
  return transforms
}

function reference(keys: ChildKeys): { opener: EspOpener; sealer: EspSealer } {
  const pair = createTransformPair(keys, context)
  if (!pair.ok) throw new Error(pair.error)
  return pair.value
}

function seal(sealer: EspSealer, plaintext: Uint8Array, high: number): Uint8Array {
  const packet = new Uint8Array(8 + sealer.ivBytes + plaintext.length + sealer.icvBytes)
  packet.set([1, 2, 3, 4, 0, 0, 0, 9])
  expect(sealer.seal(plaintext, packet, 0, high)).toBe(true)
  return packet
}

describe('native transforms', () => {
  afterEach(() => {
    for (const { opener, sealer } of created.splice(0)) {
      opener.destroy()
      sealer.destroy()
    }
  })

  it('passes its known answers', () => {
    expect(proveForeignCalls).not.toThrow()
  })

  describe.each(SUITES)('$name', (suite) => {
    it.each([false, true])('agrees with packages/esp in both directions (ESN: %s)', (esn) => {
      const ours = native(keysOf(suite, esn))
      const theirs = reference(keysOf(suite, esn))
      const high = esn ? 7 : 0
      for (const length of [16, 64, 1408, 65_008]) {
        const plaintext = randomBytes(length)
        expect(Buffer.from(theirs.opener.open(seal(ours.sealer, plaintext, high), high)!)).toEqual(plaintext)
        expect(Buffer.from(ours.opener.open(seal(theirs.sealer, plaintext, high), high)!)).toEqual(plaintext)
      }
    })

    it('refuses a packet with any octet changed, and the wrong high half', () => {
      const { opener, sealer } = native(keysOf(suite, true))
      const packet = seal(sealer, randomBytes(32), 3)
      expect(opener.open(packet, 3)).not.toBeNull()
      expect(opener.open(packet, 2)).toBeNull()
      for (let at = 0; at < packet.length; at++) {
        const changed = packet.slice()
        changed[at]! ^= 0x80
        expect(opener.open(changed, 3)).toBeNull()
      }
      expect(opener.open(packet, 3)).not.toBeNull()
    })

    it('never uses an IV twice', () => {
      const { sealer } = native(keysOf(suite, false))
      const ivs = Array.from({ length: 50 }, () =>
        Buffer.from(seal(sealer, new Uint8Array(16), 0).subarray(8, 8 + sealer.ivBytes)).toString('hex'),
      )
      expect(new Set(ivs).size).toBe(sealer.ivBytes === 0 ? 1 : 50)
      expect(ivs.every((iv) => sealer.ivBytes !== 8 || iv.startsWith('abcdef'))).toBe(true)
    })
  })

  it('keeps no key where it waited once the first packet has gone or the SA is removed', () => {
    const isAnywhere = (key: Uint8Array): boolean =>
      Buffer.from(memory.copyOut(64, memory.size - 64)).includes(Buffer.from(key))
    const keys = keysOf(GCM[0]!, false)
    const { opener, sealer } = native(keys)
    expect(isAnywhere(keys.inboundKey)).toBe(true)
    expect(opener.open(seal(sealer, new Uint8Array(16), 0), 0)).not.toBeNull()
    expect(isAnywhere(keys.inboundKey)).toBe(false)
    const silent = native(keys)
    silent.opener.destroy()
    silent.sealer.destroy()
    created.pop()
    expect(isAnywhere(keys.inboundKey)).toBe(false)
  })

  it.each([GCM[0]!, CBC[0]!, SUITES.at(-1)!])('seals and opens nothing once it is destroyed: $name', (suite) => {
    for (const isUsedBefore of [false, true]) {
      const { opener, sealer } = factory.create(keysOf(suite, false)) as NativeTransforms
      const seal = (): boolean => sealer.seal(new Uint8Array(32), new Uint8Array(200), 0, 0)
      if (isUsedBefore) {
        expect(seal()).toBe(true)
        opener.open(new Uint8Array(120), 0)
      }
      opener.destroy()
      sealer.destroy()
      expect(neverTrue(seal)).toBe(true)
      expect(neverTrue(() => opener.open(new Uint8Array(120), 0) !== null)).toBe(true)
    }
  })

  it('has room for as many silent SAs as were announced, again and again', () => {
    const keys = keysOf(GCM[0]!, false)
    for (let round = 0; round < 3; round++) {
      const pairs = Array.from({ length: MAX_SAS + 1 }, () => factory.create(keys) as NativeTransforms)
      expect(() => factory.create(keys)).toThrow('no room')
      for (const { opener, sealer } of pairs) {
        opener.destroy()
        sealer.destroy()
      }
    }
  })

  it('runs the suites of the data path on OpenSSL and only the rest through the provider', () => {
    const adapted = SUITES.filter((suite) => native(keysOf(suite, false)).opener instanceof AdaptedOpener)
    expect(adapted.map(({ name }) => name)).toEqual(['NULL HMAC 12'])
  })

  it('refuses unknown suites and keys of a wrong length', () => {
    const gcm = keysOf(GCM[0]!, false)
    const cbc = keysOf(CBC[0]!, false)
    expect(factory.create({ ...gcm, outboundKey: new Uint8Array(19) })).toBe('keyLength')
    expect(factory.create({ ...gcm, encr: { type: 1, id: 20, keyBits: 129 } })).toBe('unsupported')
    expect(factory.create({ ...gcm, encr: { type: 1, id: 250, keyBits: null } })).toBe('unsupported')
    expect(factory.create({ ...cbc, inboundKey: new Uint8Array(15) })).toBe('keyLength')
    expect(factory.create({ ...cbc, outboundIntegKey: new Uint8Array(1) })).toBe('keyLength')
    expect(factory.create({ ...cbc, integ: null })).toBe('unsupported')
  })
})

/** Refusing and throwing are both fine; going on with what was freed is not. */
function neverTrue(act: () => boolean): boolean {
  try {
    return !act()
  } catch {
    return true
  }
}
