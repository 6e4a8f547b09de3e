/**
 * What the outer header of an ESP packet shows and brings, on a path whose second router marks and counts (nftables).
 *
 *   end 1 ── router 1 ── router 2 (CE for whoever takes ECN; counts DSCP EF) ── end 2
 */
import { execFileSync } from 'node:child_process'
import { peer } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectDatagrams, expectStream } from '../../packages/dataplane/test/pair-transfers.ts'
import { type PairOptions, PlanePair } from '../../packages/dataplane/test/plane-pair.ts'

const TRANSFER_BYTES = 2_000_000
const SIZES = [2, 600, ...Array<number>(20).fill(1200)]

const PAIR: PairOptions = {
  encr: { id: 20, keyBits: 256, keyBytes: 36 },
  integ: null,
  esn: false,
  rungs: ['native', 'native'],
  singleDatagrams: false,
  inner: 'ipv4',
  outer: 'ipv4',
  wireMtuBytes: 1500,
  middleMtuBytes: 1500,
}

const ROUTER = `table ip path {
  counter ef { }
  chain forward {
    type filter hook forward priority 0
    udp dport 4500 ip dscp ef counter name ef
    udp dport 4500 ip ecn ect0 ip ecn set ce
  }
}`
const SENDER = `table ip inside {
  chain output {
    type filter hook output priority 0
    oifname "culvert0" meta l4proto udp ip dscp set ef
  }
}`

describe.each(['none', 'copy'] as const)('the outer header with DSCP "%s"', (dscp) => {
  let pair: PlanePair
  let env: NodeJS.ProcessEnv
  const inside = (namespace: string, ...words: string[]): string =>
    execFileSync('ip', ['netns', 'exec', namespace, ...words], { encoding: 'utf8', env })
  const load = (namespace: string, script: string): void => {
    execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input: script, env })
  }
  /** Packets of this end that its peer's TCP said were marked. */
  const deliveredMarked = (): number => {
    const [names = [], values = []] = inside(pair.namespaces[0], 'cat', '/proc/net/netstat')
      .split('\n')
      .filter((line) => line.startsWith('TcpExt:'))
      .map((line) => line.split(' '))
    return Number(values[names.indexOf('TCPDeliveredCE')])
  }

  beforeAll(async () => {
    env = (await peer('nftables')).env
    pair = await PlanePair.create(`cvoh${dscp[0]}-${process.pid}`, { ...PAIR, dscp })
    for (const namespace of pair.namespaces) inside(namespace, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/tcp_ecn')
    load(pair.routers[1]!, ROUTER)
    load(pair.namespaces[0], SENDER)
  })
  afterAll(() => pair.close())

  it('RFC 6040 4.2 brings the mark of a router to the flow inside, whose receiver tells its sender', async () => {
    expect(deliveredMarked()).toBe(0)
    await expectStream(pair, '5001', TRANSFER_BYTES)
    expect(deliveredMarked()).toBeGreaterThan(0)
  })

  it('RFC 4301 5.1.2 shows the DSCP of what is inside where that is wanted, and none otherwise', async () => {
    await expectDatagrams(pair, '5002', SIZES)
    const [, packets] = /packets (\d+)/.exec(inside(pair.routers[1]!, 'nft', 'list', 'counter', 'ip', 'path', 'ef'))!
    if (dscp === 'copy') expect(Number(packets)).toBeGreaterThan(0) // the kernel counts a run once
    else expect(packets).toBe('0')
  })
})
