/**
 * A NAT router in a namespace, as a carrier runs one: masquerades UDP to a range of ports, and can forget its mappings so
 * that the next packet of a flow appears from another port (RFC 7296 2.23 calls the peer's duty).
 */
import { peer } from './debian-peer.ts'
import type { HostOptions, Namespace } from './namespace.ts'

const TABLE = 'culvert_nat'
const NO_RULES = `add table ip ${TABLE}\ndelete table ip ${TABLE}\n`

export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface NatOptions {
  /** Address of the outer side with prefix length, on the internet bridge. */
  readonly outside: string
  /** Address of the inner side with prefix length; the gateway of the hosts behind. */
  readonly inside: string
  /** Outer UDP ports to map to; default 20000 to 29999. */
  readonly ports?: PortRange
}

export interface Nat {
  readonly namespace: Namespace
  /** Adds a host behind this router, with its default route through it. */
  addHost(label: string, address: string, options?: HostOptions): Promise<Namespace>
  /** Forgets every mapping; new ones come out of `ports`. It translates from then on, if it did not. */
  rebind(ports: PortRange): Promise<void>
  /** Forgets every mapping and translates no more: it routes. */
  lift(): Promise<void>
}

/** Turns `router`, which has the devices `wan` and `br0` already, into a NAT. Needs nft (Debian package nftables). */
export async function makeNat(
  router: Namespace,
  { ports = { first: 20_000, last: 29_999 } }: NatOptions,
  addHost: Nat['addHost'],
): Promise<Nat> {
  const nft = await peer('nftables')
  const load = (script: string): Promise<unknown> => router.exec('nft', ['-f', '-'], { input: script, env: nft.env })
  // Masquerading forgets the mappings of a device that goes down.
  const forget = async (): Promise<void> => {
    await router.ip('link', 'set', 'wan', 'down')
    await router.ip('link', 'set', 'wan', 'up')
  }
  await router.exec('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
  await load(rules(ports))
  return {
    namespace: router,
    addHost,
    async rebind(next) {
      await load(`${NO_RULES}${rules(next)}`)
      await forget()
    },
    async lift() {
      await forget()
      await load(NO_RULES)
    },
  }
}

function rules({ first, last }: PortRange): string {
  return `table ip ${TABLE} {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "wan" meta l4proto udp masquerade to :${first}-${last}
    oifname "wan" masquerade
  }
}
`
}
