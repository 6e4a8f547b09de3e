/**
 * Where packets are lost between two endpoints, as the kernels count them: queues of interfaces, and buffers of UDP sockets.
 */
import type { Namespace } from '@culvert/testkit'

/** Counters that grew, by namespace, interface and cause. */
export type Losses = Readonly<Record<string, number>>

interface Link {
  readonly ifname: string
  readonly stats64: Readonly<Record<'rx' | 'tx', { readonly dropped: number; readonly errors: number }>>
}

/** @param places by the name that their counters shall have */
export async function readLosses(places: Readonly<Record<string, Namespace>>): Promise<Losses> {
  const found: Record<string, number> = {}
  for (const [place, namespace] of Object.entries(places)) {
    const { stdout: links } = await namespace.exec('ip', ['-s', '-j', 'link'])
    for (const { ifname, stats64 } of JSON.parse(links) as Link[]) {
      for (const way of ['rx', 'tx'] as const) {
        found[`${place} ${ifname} ${way} dropped`] = stats64[way].dropped
        found[`${place} ${ifname} ${way} errors`] = stats64[way].errors
      }
    }
    const { stdout: snmp } = await namespace.exec('cat', ['/proc/net/snmp'])
    const [names = [], values = []] = [...snmp.matchAll(/^Udp: (.+)$/gm)].map((match) => match[1]!.split(' '))
    for (const [index, name] of names.entries()) {
      if (name.endsWith('Errors')) found[`${place} UDP ${name}`] = Number(values[index])
    }
  }
  return found
}

export function lossesBetween(before: Losses, after: Losses): Losses {
  const grown = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
  return Object.fromEntries(grown.filter(([, count]) => count > 0))
}
