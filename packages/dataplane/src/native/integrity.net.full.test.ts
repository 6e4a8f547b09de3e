/**
 * What goes in comes out, by the gigabyte: every transform on every rung, with rekeys while the octets run.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Rung } from '../contract.ts'
import { PlanePair, type PairOptions } from '../../test/plane-pair.ts'

type Transforms = Pick<PairOptions, 'encr' | 'integ' | 'esn'>

const MEGABYTE = 1_000_000
const REKEYS = 4

const gcm = (id: number, keyBits: number): Transforms['encr'] => ({ id, keyBits, keyBytes: keyBits / 8 + 4 })
const hmac = (id: number, keyBytes: number): Transforms['integ'] => ({ id, keyBytes })
const cbc = (keyBits: number): Transforms['encr'] => ({ id: 12, keyBits, keyBytes: keyBits / 8 })

const TRANSFORMS: Readonly<Record<string, Transforms>> = {
  'AES-GCM-128, ICV 16': { encr: gcm(20, 128), integ: null, esn: false },
  'AES-GCM-256, ICV 16, ESN': { encr: gcm(20, 256), integ: null, esn: true },
  'AES-GCM-128, ICV 12': { encr: gcm(19, 128), integ: null, esn: true },
  'AES-GCM-256, ICV 8': { encr: gcm(18, 256), integ: null, esn: false },
  'ChaCha20-Poly1305, ESN': { encr: { id: 28, keyBits: null, keyBytes: 36 }, integ: null, esn: true },
  'AES-CBC-128, HMAC-SHA2-256': { encr: cbc(128), integ: hmac(12, 32), esn: false },
  'AES-CBC-256, HMAC-SHA2-384, ESN': { encr: cbc(256), integ: hmac(13, 48), esn: true },
  'AES-CBC-256, HMAC-SHA2-512': { encr: cbc(256), integ: hmac(14, 64), esn: false },
  'NULL, HMAC-SHA2-256, ESN': { encr: { id: 11, keyBits: null, keyBytes: 0 }, integ: hmac(12, 32), esn: true },
}
const FIRST = 'AES-GCM-128, ICV 16'

interface Run {
  readonly title: string
  readonly rungs: readonly [Rung, Rung]
  readonly transforms: Transforms
  /** Each way. */
  readonly bytes: number
  readonly singleDatagrams: boolean
  /** Inside the tunnel; IPv4 unless said. */
  readonly inner?: 'ipv4' | 'ipv6'
}

const RUNS: readonly Run[] = [
  ...Object.entries(TRANSFORMS).map(([name, transforms]): Run => ({
    title: `native, ${name}`,
    rungs: ['native', 'native'],
    transforms,
    bytes: (name === FIRST ? 1000 : 100) * MEGABYTE,
    singleDatagrams: false,
  })),
  {
    title: `native, ${FIRST}, single datagrams on the wire`,
    rungs: ['native', 'native'],
    transforms: TRANSFORMS[FIRST]!,
    bytes: 1000 * MEGABYTE,
    singleDatagrams: true,
  },
  ...(['native', 'portable'] as const).map((rung): Run => ({
    title: `${rung}, ${FIRST}, IPv6 inside`,
    rungs: [rung, rung],
    transforms: TRANSFORMS[FIRST]!,
    bytes: (rung === 'native' ? 1000 : 100) * MEGABYTE,
    singleDatagrams: false,
    inner: 'ipv6',
  })),
  ...Object.entries(TRANSFORMS).map(([name, transforms]): Run => ({
    title: `portable, ${name}`,
    rungs: ['portable', 'portable'],
    transforms,
    bytes: 100 * MEGABYTE,
    singleDatagrams: false,
  })),
]

describe.each(RUNS)('$title', ({ title, rungs, transforms, bytes, singleDatagrams, inner = 'ipv4' }) => {
  let pair: PlanePair
  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 150_000, interval: 20 })

  beforeAll(async () => {
    pair = await PlanePair.create(`cvi${RUNS.findIndex((run) => run.title === title)}-${process.pid}`, {
      ...transforms,
      rungs,
      singleDatagrams,
      inner,
      outer: 'ipv4',
      wireMtuBytes: 1500,
    })
  })
  afterAll(() => pair.close())

  async function rekeyTo(generation: number): Promise<void> {
    for (const end of pair.ends) end.say(`install ${generation}`)
    for (const end of pair.ends) await until(() => expect(end.lines).toContain(`installed ${generation}`))
    for (const end of pair.ends) end.say(`activate ${generation}`)
    for (const end of pair.ends) {
      await until(() => {
        end.say(`heard ${generation}`)
        expect(end.lines.findLast((line) => line.startsWith(`heard ${generation} `))).toMatch(/ [1-9]\d*$/)
      })
    }
    for (const end of pair.ends) end.say(`remove ${generation - 1}`)
  }

  it(`carries ${bytes / MEGABYTE} MB each way octet for octet, rekeyed ${REKEYS} times meanwhile`, async () => {
    const server = pair.run(2, 'tcp-peer', 'serve', pair.target, '5001', String(bytes))
    await until(() => expect(server.heard('listening')).toBeDefined())
    const client = pair.run(1, 'tcp-peer', 'connect', pair.target, '5001', String(bytes))
    for (let generation = 2; generation <= 1 + REKEYS; generation++) await rekeyTo(generation)
    expect([client.heard('sent'), server.heard('sent')], 'the octets still ran at the last rekey').toContain(undefined)
    await until(() => {
      expect(client.heard('received')).toBe(server.heard('sent') ?? 'nothing')
      expect(server.heard('received')).toBe(client.heard('sent') ?? 'nothing')
    })
  })
})
