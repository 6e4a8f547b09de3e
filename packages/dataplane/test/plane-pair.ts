/**
 * Two data planes in processes of their own, in two namespaces joined by a veth pair: nothing between them but the kernel, with its
 * segmentation and coalescing.
 */
import { execFileSync } from 'node:child_process'
import { ensureNamespace, removeNamespace } from '../src/index.ts'
import { Program } from './forwarding-lab.ts'
import type { PlaneEndOptions } from './plane-end.ts'

const INNER = { ipv4: ['10.77.0.1', '10.77.0.2'], ipv6: ['fd00:77::1', 'fd00:77::2'] } as const
const OUTER = { ipv4: ['192.0.2.1', '192.0.2.2'], ipv6: ['2001:db8::1', '2001:db8::2'] } as const

export type PairOptions = Pick<
  PlaneEndOptions,
  'encr' | 'integ' | 'esn' | 'pathMtu' | 'dscp' | 'offload' | 'udpEncap' | 'dataThreads' | 'ah'
> & {
  readonly rungs: readonly [PlaneEndOptions['rung'], PlaneEndOptions['rung']]
  /** The veth carries single datagrams: the sender's kernel cuts, the receiver's finds nothing to join. */
  readonly singleDatagrams: boolean
  /** IP versions inside and outside of the tunnel. */
  readonly inner: 'ipv4' | 'ipv6'
  readonly outer: 'ipv4' | 'ipv6'
  /** Of the wire; one that is too small for what the tunnel carries makes the kernel refuse runs and fragment datagrams. */
  readonly wireMtuBytes: number
  /** Of the link between two routers that stand between the ends; without it the ends are neighbours. */
  readonly middleMtuBytes?: number
  /** Transport mode between two hosts that have the outer addresses, in namespaces of their own; `inner` says nothing then. */
  readonly betweenHosts?: boolean
}

export class PlanePair {
  readonly namespaces: readonly [string, string]
  /** Where programs run: the same, or the hosts of transport mode. */
  readonly hosts: readonly [string, string]
  /** Of the routers, when there are any; the first one is next to end 1. */
  readonly routers: readonly string[]
  /** Address of end 2 inside the tunnel. */
  readonly target: string
  readonly ends: readonly [Program, Program]
  readonly #programs: Program[] = []

  private constructor(
    { namespaces, hosts, routers }: Pick<PlanePair, 'namespaces' | 'hosts' | 'routers'>,
    ends: readonly [Program, Program],
    target: string,
  ) {
    this.namespaces = namespaces
    this.hosts = hosts
    this.routers = routers
    this.target = target
    this.ends = ends
  }

  /** @param mark short, makes the names of the namespaces unique */
  static async create(mark: string, options: PairOptions): Promise<PlanePair> {
    const namespaces = [`${mark}-1`, `${mark}-2`] as const
    const routers = options.middleMtuBytes === undefined ? [] : ([`${mark}-r1`, `${mark}-r2`] as const)
    const hosts = options.betweenHosts === true ? ([`${mark}-h1`, `${mark}-h2`] as const) : namespaces
    await Promise.all([...new Set([...namespaces, ...hosts, ...routers])].map(ensureNamespace))
    const [first, second] = namespaces
    if (options.middleMtuBytes === undefined) link([first, second], 'v0', options.wireMtuBytes)
    else connectByRouters([first, `${mark}-r1`, `${mark}-r2`, second], options, options.middleMtuBytes)
    for (const [index, namespace] of namespaces.entries()) {
      const outer = OUTER[options.outer][index]!
      const address = options.outer === 'ipv6' ? [`${outer}/64`, 'nodad'] : [`${outer}/24`]
      if (options.middleMtuBytes === undefined) ip('-n', namespace, 'address', 'add', ...address, 'dev', 'v0')
      if (options.singleDatagrams) ip('-n', namespace, 'link', 'set', 'v0', 'gso_max_segs', '1')
    }
    const start = (end: 1 | 2): Program =>
      new Program(namespaces[end - 1]!, 'plane-end', [endOptions(end, options, hosts[end - 1])])
    const ends = [start(1), start(2)] as const
    const target = (options.betweenHosts === true ? OUTER[options.outer] : INNER[options.inner])[1]
    const pair = new PlanePair({ namespaces, hosts, routers }, ends, target)
    for (const end of ends) await end.hears('ready')
    return pair
  }

  run(end: 1 | 2, script: string, ...args: readonly string[]): Program {
    const program = new Program(this.hosts[end - 1]!, script, args)
    this.#programs.push(program)
    return program
  }

  async close(): Promise<void> {
    for (const program of [...this.#programs, ...this.ends]) await program.end()
    await Promise.all([...new Set([...this.namespaces, ...this.hosts, ...this.routers])].map(removeNamespace))
  }
}

/** A veth pair of this name, up on both sides. */
function link(ends: readonly [string, string], name: string, mtuBytes: number): void {
  ip('link', 'add', name, 'netns', ends[0], 'type', 'veth', 'peer', 'name', name, 'netns', ends[1])
  for (const [index, end] of ends.entries()) {
    ip('-n', end, 'link', 'set', 'lo', 'up')
    ip('-n', end, 'link', 'set', name, 'mtu', String(mtuBytes), 'up')
    // A router asks for its neighbours from a link-local address, which not every kernel gives by itself.
    ip('-n', end, 'address', 'replace', `fe80::${index + 1}/64`, 'dev', name, 'nodad')
  }
}

/** end 1 ── v0 ── router 1 ── v1 ── router 2 ── v0 ── end 2; addresses of ends and of the routers beside them are alone in their prefix. */
function connectByRouters(
  chain: readonly [string, string, string, string],
  options: PairOptions,
  middle: number,
): void {
  const [end1, router1, router2, end2] = chain
  const isIpv6 = options.outer === 'ipv6'
  const bits = isIpv6 ? '/128' : '/32'
  const near = isIpv6 ? ['fd99:1::1', 'fd99:1::2'] : ['10.99.1.1', '10.99.1.2']
  const far = isIpv6 ? ['fd99:2::1', 'fd99:2::2'] : ['10.99.2.1', '10.99.2.2']
  const give = (namespace: string, address: string, device: string): void =>
    ip('-n', namespace, 'address', 'add', address, 'dev', device, ...(isIpv6 ? ['nodad'] : []))
  link([end1, router1], 'v0', options.wireMtuBytes)
  link([router1, router2], 'v1', middle)
  link([router2, end2], 'v0', options.wireMtuBytes)
  for (const [index, [end, router]] of [[end1, router1] as const, [end2, router2] as const].entries()) {
    const outer = OUTER[options.outer]
    execFileSync('ip', ['netns', 'exec', router, 'sh', '-c', FORWARD])
    give(end, `${outer[index]!}${bits}`, 'v0')
    give(router, `${near[index]!}${bits}`, 'v0')
    give(router, `${far[index]!}${isIpv6 ? '/64' : '/24'}`, 'v1')
    ip('-n', end, 'route', 'add', 'default', 'via', near[index]!, 'dev', 'v0', 'onlink')
    ip('-n', router, 'route', 'add', `${outer[index]!}${bits}`, 'dev', 'v0')
    ip('-n', router, 'route', 'add', `${outer[1 - index]!}${bits}`, 'via', far[1 - index]!)
  }
}

const FORWARD = 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'

export function endOptions(end: 1 | 2, options: PairOptions, host?: string): string {
  const { rungs, encr, integ, esn, inner, outer, pathMtu, dscp, offload, udpEncap, dataThreads, ah } = options
  const isBetweenHosts = options.betweenHosts === true
  const ofEnd: PlaneEndOptions = {
    rung: rungs[end - 1]!,
    end,
    outer: OUTER[outer],
    inner: isBetweenHosts ? OUTER[outer] : INNER[inner],
    tun: 'culvert0',
    encr,
    integ,
    esn,
    ...(pathMtu && { pathMtu }),
    ...(dscp && { dscp }),
    ...(offload && { offload }),
    ...(udpEncap && { udpEncap }),
    ...(dataThreads && { dataThreads }),
    ...(ah && { ah }),
    ...(isBetweenHosts && host !== undefined && { host }),
  }
  return JSON.stringify(ofEnd)
}

export function ip(...args: readonly string[]): void {
  execFileSync('ip', args)
}
