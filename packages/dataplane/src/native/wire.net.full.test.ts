/**
 * The native rung over a wire that coalesces and over one that does not: what goes in comes out, octet for octet.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { expectDatagrams, expectStream } from '../../test/pair-transfers.ts'
import { type PairOptions, PlanePair } from '../../test/plane-pair.ts'

const TRANSFER_BYTES = 40_000_000
/** Odd and even, one octet around every limit; above the MTU the kernel fragments inside the tunnel. */
const SIZES = [2, 3, 5, 17, 63, 64, 65, 511, 1001, 1371, 1372, 1373, 2000, 4001, ...Array<number>(200).fill(1233)]

const GCM = { encr: { id: 20, keyBits: 128, keyBytes: 20 }, integ: null, esn: false } as const
const CHACHA = { encr: { id: 28, keyBits: null, keyBytes: 36 }, integ: null, esn: true } as const
const CBC = { encr: { id: 12, keyBits: 256, keyBytes: 32 }, integ: { id: 12, keyBytes: 32 }, esn: true } as const
const NATIVE = {
  rungs: ['native', 'native'],
  singleDatagrams: false,
  inner: 'ipv4',
  outer: 'ipv4',
  wireMtuBytes: 1500,
} as const

const CASES: readonly (readonly [title: string, options: PairOptions])[] = [
  ['AES-GCM', { ...NATIVE, ...GCM }],
  ['AES-GCM, single datagrams on the wire', { ...NATIVE, ...GCM, singleDatagrams: true }],
  ['ChaCha20-Poly1305 with ESN', { ...NATIVE, ...CHACHA }],
  ['AES-CBC and HMAC with ESN', { ...NATIVE, ...CBC }],
  ['no superpackets anywhere', { ...NATIVE, ...GCM, offload: { udpSegment: false, udpGro: false, tun: 'none' } }],
  ['OpenSSL called function by function', { ...NATIVE, ...GCM, offload: { callLists: false } }],
  ['TCP superpackets only', { ...NATIVE, ...GCM, offload: { tun: 'tso' } }],
  ['IPv6 inside', { ...NATIVE, ...GCM, inner: 'ipv6' }],
  ['IPv6 outside', { ...NATIVE, ...GCM, outer: 'ipv6' }],
  ['a wire with a smaller MTU than the tunnel', { ...NATIVE, ...GCM, wireMtuBytes: 1280 }],
  ['AES-CBC and HMAC with ESN, with the portable rung', { ...NATIVE, ...CBC, rungs: ['native', 'portable'] }],
]

describe.each(CASES)('%s', (title, options) => {
  let pair: PlanePair
  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 60_000, interval: 20 })

  beforeAll(async () => {
    pair = await PlanePair.create(`cvw${CASES.findIndex(([other]) => other === title)}-${process.pid}`, options)
  })
  afterAll(() => pair.close())

  it('carries bulk TCP both ways at once', async () => {
    await expectStream(pair, '5001', options.rungs.includes('portable') ? TRANSFER_BYTES / 20 : TRANSFER_BYTES)
  })

  it('carries UDP datagrams of every size, alone and in bursts', async () => {
    await expectDatagrams(pair, '5002', SIZES)
  })

  it('opened every packet it received', async () => {
    for (const end of pair.ends) {
      end.say('counters')
      await until(() => expect(end.heard('counters')).toBeDefined())
      const { drops, packetsIn } = JSON.parse(end.heard('counters')!) as {
        drops: Record<string, number>
        packetsIn: number
      }
      expect(packetsIn).toBeGreaterThan(SIZES.length)
      for (const reason of ['badIcv', 'replayed', 'truncated', 'badPadding', 'innerMalformed', 'unknownSpi']) {
        expect([reason, drops[reason]]).toEqual([reason, 0])
      }
    }
  })
})
