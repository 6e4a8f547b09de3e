/**
 * ESP directly in IP (protocol 50) between two data planes of ours, the kernel between them: no UDP datagram passes.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { expectDatagrams, expectStream } from '../../test/pair-transfers.ts'
import { type PairOptions, PlanePair } from '../../test/plane-pair.ts'

const TRANSFER_BYTES = 10_000_000
const SIZES = [2, 3, 64, 511, 1001, 1372, 2000, 4001, ...Array<number>(50).fill(1233)]

const PAIR: PairOptions = {
  encr: { id: 20, keyBits: 256, keyBytes: 36 },
  integ: null,
  esn: false,
  rungs: ['native', 'native'],
  singleDatagrams: false,
  inner: 'ipv4',
  outer: 'ipv4',
  wireMtuBytes: 1500,
  udpEncap: [false, false],
}

const CASES: readonly (readonly [title: string, options: PairOptions])[] = [
  ['RFC 4303 2 ESP in IPv4', PAIR],
  ['RFC 4303 2 ESP in IPv6', { ...PAIR, outer: 'ipv6' }],
  ['RFC 4301 8.2 native ESP over a path of 1280 octets', { ...PAIR, middleMtuBytes: 1280 }],
  ['RFC 4303 2 three data threads, each with the SPIs of its own', { ...PAIR, dataThreads: 3 }],
  ['RFC 7296 2.23 one end in UDP, the other in IP: each takes both', { ...PAIR, udpEncap: [true, false] }],
]

describe.each(CASES)('%s', (title, options) => {
  let pair: PlanePair

  beforeAll(async () => {
    pair = await PlanePair.create(`cve${CASES.findIndex(([other]) => other === title)}-${process.pid}`, options)
  })
  afterAll(() => pair.close())

  it('carries bulk TCP both ways at once', async () => {
    await expectStream(pair, '5001', TRANSFER_BYTES)
    const received = pair.namespaces.map((namespace) => datagramsOf(namespace))
    expect(received[0]).toBe(0) // end 2 sends none
    if (options.udpEncap?.[0] === false) expect(received[1]).toBe(0)
    else expect(received[1]).toBeGreaterThan(0)
  })

  it('carries UDP datagrams of every size', async () => {
    await expectDatagrams(pair, '5002', SIZES)
  })

  it('opened every packet once', async () => {
    for (const end of pair.ends) {
      end.say('counters')
      const { drops } = JSON.parse(await end.hears('counters')) as { drops: Record<string, number> }
      for (const reason of ['badIcv', 'replayed', 'unknownSpi']) expect([reason, drops[reason]]).toEqual([reason, 0])
    }
  })
})

describe('a NAT appears, and goes', () => {
  let pair: PlanePair
  const until = <T>(probe: () => T | Promise<T>): Promise<T> => vi.waitFor(probe, { timeout: 30_000, interval: 20 })

  beforeAll(async () => {
    pair = await PlanePair.create(`cvem-${process.pid}`, PAIR)
  })
  afterAll(() => pair.close())

  let port = 5100
  const exchange = async (): Promise<void> => {
    const server = pair.run(2, 'udp-peer', 'serve', pair.target, String(++port))
    await until(() => expect(server.heard('listening')).toBeDefined())
    const client = pair.run(1, 'udp-peer', 'send', pair.target, String(port), SIZES.join(','))
    await until(() => expect(client.lines).toEqual([`intact ${SIZES.length}`]))
  }
  /** UDP datagrams that each end received in one exchange, those inside among them. */
  const measured = async (): Promise<number[]> => {
    const before = pair.namespaces.map(datagramsOf)
    await exchange()
    return pair.namespaces.map((namespace, end) => datagramsOf(namespace) - before[end]!)
  }
  const sendIn = async (way: 'udp' | 'ip'): Promise<void> => {
    for (const end of pair.ends) end.say(`${way} 1`)
    for (const end of pair.ends) await end.hears(`moved ${way}`)
    await exchange() // once it is through, no packet from before is under way
  }

  it('RFC 7296 2.23 a standing SA goes into UDP and out of it', async () => {
    const inside = await measured()
    await sendIn('udp')
    for (const [end, datagrams] of (await measured()).entries()) {
      expect(datagrams).toBeGreaterThan(inside[end]!) // the kernel counts a joined run once
    }
    await sendIn('ip')
    expect(await measured()).toEqual(inside)
  })
})

/** UDP datagrams that a namespace received, of both IP versions. */
function datagramsOf(namespace: string): number {
  const text = execFileSync('ip', ['netns', 'exec', namespace, 'cat', '/proc/net/snmp', '/proc/net/snmp6'], {
    encoding: 'utf8',
  })
  const ipv4 = /^Udp: (\d+)/mu.exec(text)?.[1]
  const ipv6 = /^Udp6InDatagrams\s+(\d+)/mu.exec(text)?.[1]
  return Number(ipv4) + Number(ipv6)
}
