/**
 * Who holds places in the half-open table: a source, the hosts in it, and the ports of a host, behind each of which is one device.
 *
 * ```
 *   source   IPv4 /24, IPv6 /48
 *     host   IPv4 address, IPv6 /64
 *       port of an IPv4 address; in IPv6 the host once more
 * ```
 *
 * Each knows its own SAs, oldest first, and which of its parts holds most. Everything is O(1).
 */
import type { MonotonicMs } from './contract.ts'
import type { IkeSa } from '../sa/ike-sa.ts'
import type { TokenBucket } from '../sa/token-bucket.ts'
import { BySize } from './by-size.ts'

export interface Holder {
  readonly name: string
  /** When each came, oldest first. */
  readonly sas: Map<IkeSa, MonotonicMs>
}

export interface Crowd<Part extends Holder> extends Holder {
  readonly parts: Map<string, Part>
  readonly bySize: BySize<Part>
}

export type Host = Crowd<Holder>

export interface Source extends Crowd<Host> {
  readonly renewals: TokenBucket
  /** Places that hosts and ports give up for neighbours who hold less. */
  readonly yields: TokenBucket
  /** Devices that were attached from here when it came into the table. */
  readonly devices: number
}

export function createHost(name: string): Host {
  return { name, sas: new Map(), parts: new Map(), bySize: new BySize() }
}

export function createPort(name: string): Holder {
  return { name, sas: new Map() }
}

export function heldBy(crowd: Crowd<Holder>, part: string): number {
  return crowd.parts.get(part)?.sas.size ?? 0
}

/** Changes what a part holds; a part that holds nothing is forgotten. */
export function resize<Part extends Holder>(crowd: Crowd<Part>, part: Part, change: (holder: Holder) => void): void {
  const before = part.sas.size
  change(part)
  const after = part.sas.size
  crowd.bySize.move(part, before === 0 ? null : before, after === 0 ? null : after)
  if (after === 0) crowd.parts.delete(part.name)
  else if (before === 0) crowd.parts.set(part.name, part)
}

export function oldestOf(holder: Holder | undefined): IkeSa | null {
  const [oldest] = holder?.sas.keys() ?? []
  return oldest ?? null
}
