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

export type PairOptions = Pick<PlaneEndOptions, 'encr' | 'integ' | 'esn'> & {
  readonly rungs: readonly [PlaneEndOptions['rung'], PlaneEndOptions['rung']]
  /** The veth carries single datagrams: the sender's kernel cuts, the receiver's finds nothing to join. */
  readonly singleDatagrams: boolean
  /** IP versions inside and outside of the tunnel. */
  readonly inner: 'ipv4' | 'ipv6'
  readonly outer: 'ipv4' | 'ipv6'
  /** Of the wire; one that is too small for what the tunnel carries makes the kernel refuse runs and fragment datagrams. */
  readonly wireMtuBytes: number
}

export class PlanePair {
  readonly namespaces: readonly [string, string]
  /** Address of end 2 inside the tunnel. */
  readonly target: string
  readonly ends: readonly [Program, Program]
  readonly #programs: Program[] = []

  private constructor(namespaces: readonly [string, string], ends: readonly [Program, Program], target: string) {
    this.namespaces = namespaces
    this.target = target
    this.ends = ends
  }

  /** @param mark short, makes the names of the namespaces unique */
  static async create(mark: string, options: PairOptions): Promise<PlanePair> {
    const namespaces = [`${mark}-1`, `${mark}-2`] as const
    await Promise.all(namespaces.map(ensureNamespace))
    const [first, second] = namespaces
    ip('link', 'add', 'v0', 'netns', first, 'type', 'veth', 'peer', 'name', 'v0', 'netns', second)
    for (const [index, namespace] of namespaces.entries()) {
      const outer = OUTER[options.outer][index]!
      const address = options.outer === 'ipv6' ? [`${outer}/64`, 'nodad'] : [`${outer}/24`]
      ip('-n', namespace, 'address', 'add', ...address, 'dev', 'v0')
      ip('-n', namespace, 'link', 'set', 'v0', 'mtu', String(options.wireMtuBytes))
      if (options.singleDatagrams) ip('-n', namespace, 'link', 'set', 'v0', 'gso_max_segs', '1')
      ip('-n', namespace, 'link', 'set', 'v0', 'up')
    }
    const start = (end: 1 | 2): Program => new Program(namespaces[end - 1]!, 'plane-end', [endOptions(end, options)])
    const ends = [start(1), start(2)] as const
    const pair = new PlanePair(namespaces, ends, INNER[options.inner][1])
    for (const end of ends) await end.hears('ready')
    return pair
  }

  run(end: 1 | 2, script: string, ...args: readonly string[]): Program {
    const program = new Program(this.namespaces[end - 1]!, script, args)
    this.#programs.push(program)
    return program
  }

  async close(): Promise<void> {
    for (const program of [...this.#programs, ...this.ends]) await program.end()
    await Promise.all(this.namespaces.map(removeNamespace))
  }
}

export function endOptions(end: 1 | 2, { rungs, encr, integ, esn, inner, outer }: PairOptions): string {
  const options: PlaneEndOptions = {
    rung: rungs[end - 1]!,
    end,
    outer: OUTER[outer],
    inner: INNER[inner],
    tun: 'culvert0',
    encr,
    integ,
    esn,
  }
  return JSON.stringify(options)
}

export function ip(...args: readonly string[]): void {
  execFileSync('ip', args)
}
