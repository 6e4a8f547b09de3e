/**
 * AH (protocol 51) between two data planes of ours, the kernel between them: in tunnel mode, and in transport mode between two hosts
 * whose outer addresses the packets have.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectDatagrams, expectStream } from '../../test/pair-transfers.ts'
import { type PairOptions, PlanePair } from '../../test/plane-pair.ts'

const TRANSFER_BYTES = 2_000_000
const SIZES = [2, 3, 64, 511, 1001, 1300, ...Array<number>(50).fill(1233)]
/** Fragments, which are for tunnel mode. */
const LARGE_SIZES = [2000, 4001]

const PAIR: PairOptions = {
  encr: { id: 11, keyBits: null, keyBytes: 0 },
  integ: { id: 12, keyBytes: 32 },
  ah: true,
  esn: false,
  rungs: ['native', 'native'],
  singleDatagrams: false,
  inner: 'ipv4',
  outer: 'ipv4',
  wireMtuBytes: 1500,
}

const CASES: readonly (readonly [title: string, options: PairOptions])[] = [
  ['RFC 4302 3.1.2 tunnel mode in IPv4', PAIR],
  [
    'RFC 4302 3.1.2 tunnel mode in IPv6, with IPv6 inside and extended numbers',
    { ...PAIR, outer: 'ipv6', inner: 'ipv6', esn: true },
  ],
  ['RFC 4302 3.1.1 transport mode in IPv4', { ...PAIR, betweenHosts: true }],
  ['RFC 4302 3.1.1 transport mode in IPv6', { ...PAIR, betweenHosts: true, outer: 'ipv6', inner: 'ipv6' }],
  ['RFC 4301 8.2 AH over a path of 1280 octets', { ...PAIR, middleMtuBytes: 1280 }],
  ['RFC 4302 2.4 three data threads, each with the SPIs of its own', { ...PAIR, dataThreads: 3 }],
]

describe.each(CASES)('%s', (title, options) => {
  let pair: PlanePair

  beforeAll(async () => {
    pair = await PlanePair.create(`cva${CASES.findIndex(([other]) => other === title)}-${process.pid}`, options)
  })
  afterAll(() => pair.close())

  it('carries bulk TCP both ways at once, in no UDP', async () => {
    await expectStream(pair, '5001', TRANSFER_BYTES)
    for (const namespace of pair.namespaces) {
      const text = execFileSync('ip', ['netns', 'exec', namespace, 'cat', '/proc/net/snmp', '/proc/net/snmp6'])
      expect(text.toString()).toMatch(/^Udp: 0 0/mu)
      expect(text.toString()).toMatch(/^Udp6InDatagrams\s+0$/mu)
    }
  })

  it('carries UDP datagrams of every size', async () => {
    await expectDatagrams(pair, '5002', options.betweenHosts === true ? SIZES : [...SIZES, ...LARGE_SIZES])
  })

  it('opened every packet once', async () => {
    for (const end of pair.ends) {
      end.say('counters')
      const { drops } = JSON.parse(await end.hears('counters')) as { drops: Record<string, number> }
      for (const reason of ['badIcv', 'badAuthHeader', 'replayed', 'unknownSpi']) {
        expect([reason, drops[reason]]).toEqual([reason, 0])
      }
    }
  })
})
