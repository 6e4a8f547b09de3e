/**
 * A path that is narrower in its middle than either end can see: between two routers, 1280 octets.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectDatagrams, expectStream } from '../../../test/pair-transfers.ts'
import { type PairOptions, PlanePair } from '../../../test/plane-pair.ts'

const TRANSFER_BYTES = 10_000_000
/** Around what fits the path, and what fits the TUN. */
const SIZES = [2, 600, 1180, 1181, 1190, 1200, 1230, 1300, 1370, 1372, ...Array<number>(50).fill(1372)]

const PAIR: PairOptions = {
  encr: { id: 20, keyBits: 256, keyBytes: 36 },
  integ: null,
  esn: false,
  rungs: ['native', 'native'],
  singleDatagrams: false,
  inner: 'ipv4',
  outer: 'ipv4',
  wireMtuBytes: 1500,
  middleMtuBytes: 1280,
}

const CASES: readonly (readonly [title: string, options: PairOptions])[] = [
  ['RFC 4301 8.2 over IPv4', PAIR],
  ['RFC 4301 8.2 over IPv6', { ...PAIR, outer: 'ipv6' }],
  ['RFC 2473 7.1 IPv6 inside, whose packets of 1280 octets must pass', { ...PAIR, inner: 'ipv6' }],
  ['the portable rung, which leaves it to the kernel', { ...PAIR, rungs: ['portable', 'portable'] }],
  ['routers that may fragment', { ...PAIR, pathMtu: 'fragment' }],
  ...(process.env['CULVERT_FULL'] === '1'
    ? ([['the portable rung over IPv6', { ...PAIR, outer: 'ipv6', rungs: ['portable', 'portable'] }]] as const)
    : []),
]

describe.each(CASES)('%s', (title, options) => {
  const isNative = options.rungs[0] === 'native'
  const discovers = isNative && options.pathMtu !== 'fragment'
  let pair: PlanePair
  const fragments = (): number =>
    [...pair.routers, ...pair.namespaces].reduce((sum, namespace) => sum + fragmentsOf(namespace), 0)

  beforeAll(async () => {
    pair = await PlanePair.create(`cvm${CASES.findIndex(([other]) => other === title)}-${process.pid}`, options)
  })
  afterAll(() => pair.close())
  beforeAll(() => {
    for (const namespace of pair.namespaces) write(namespace, 'net/ipv4/tcp_ecn', 1)
  })

  it('carries bulk TCP both ways at once', async () => {
    await expectStream(pair, '5001', isNative ? TRANSFER_BYTES : TRANSFER_BYTES / 10)
    if (discovers && options.inner === 'ipv4') expect(fragments()).toBe(0)
    // RFC 6040 4.1: the wire sees the marks of the flow inside; the portable rung cannot show them.
    const marked = pair.routers.map((router) => markedOf(router))
    for (const count of marked) {
      if (isNative) expect(count).toBeGreaterThan(0)
      else expect(count).toBe(0)
    }
  })

  it('carries UDP datagrams of every size', async () => {
    await expectDatagrams(pair, '5002', SIZES)
  })

  it.skipIf(!isNative || options.inner === 'ipv6')(
    'carries what has no DF, in pieces outside (RFC 4301 8.1)',
    async () => {
      for (const namespace of pair.namespaces) clearDontFragment(namespace)
      const [before, whole] = [fragments(), reassembledOf(pair.namespaces[1])]
      await expectDatagrams(pair, '5003', SIZES)
      expect(fragments()).toBeGreaterThan(before)
      expect(reassembledOf(pair.namespaces[1])).toBeGreaterThan(whole)
    },
  )
})

/** Fragments made in a namespace, of both IP versions. */
function fragmentsOf(namespace: string): number {
  return counterOf(namespace, 'FragCreates')
}

/** Packets put together again in a namespace, of both IP versions. */
function reassembledOf(namespace: string): number {
  return counterOf(namespace, 'ReasmOKs')
}

function counterOf(namespace: string, name: string): number {
  const read = (file: string): string =>
    execFileSync('ip', ['netns', 'exec', namespace, 'cat', `/proc/net/${file}`], { encoding: 'utf8' })
  const [names = [], values = []] = read('snmp')
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '))
  const ipv6 = new RegExp(`Ip6${name}\\s+(\\d+)`).exec(read('snmp6'))?.[1]
  return Number(values[names.indexOf(name)]) + Number(ipv6)
}

/** Packets with ECT(0) that a namespace received, of both IP versions. */
function markedOf(namespace: string): number {
  const text = execFileSync('ip', ['netns', 'exec', namespace, 'cat', '/proc/net/netstat', '/proc/net/snmp6'], {
    encoding: 'utf8',
  })
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('IpExt:'))
    .map((line) => line.split(' '))
  const ipv6 = /^Ip6InECT0Pkts\s+(\d+)/mu.exec(text)?.[1]
  return Number(values[names.indexOf('InECT0Pkts')]) + Number(ipv6)
}

/** Sockets made from now on do not set DF. */
function clearDontFragment(namespace: string): void {
  write(namespace, 'net/ipv4/ip_no_pmtu_disc', 1)
}

function write(namespace: string, name: string, value: number): void {
  execFileSync('ip', ['netns', 'exec', namespace, 'sh', '-c', `echo ${value} > /proc/sys/${name}`])
}
