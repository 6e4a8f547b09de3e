/**
 * A small internet of network namespaces for tests: hosts on a bridge, and NAT routers with hosts behind them.
 *
 * ```
 *   host ── eth0 ═╗                      ╔═ eth0 ── host behind a NAT
 *   host ── eth0 ═╬═ bridge "internet"   ║
 *                 ╚═════ wan ─ nat ─ lan ╝
 * ```
 * Invariants: names carry the process that made them, so runs never meet and the namespaces of a dead run are swept at the
 * next start; no interface ever appears in the host's own namespace; `close()` and the end of the process remove everything.
 */
import { markIsAlive, processMark } from '@culvert/services'
import fs from 'node:fs'
import { addNamespace, type HostOptions, type Namespace, removeNamespaceNow } from './namespace.ts'
import { makeNat, type Nat, type NatOptions } from './nat.ts'

const PREFIX = 'cvlab-'
const NETNS_FOLDER = '/run/netns'

export interface Lab {
  /** The namespace that holds the bridge `br0`; every packet between hosts passes it. */
  readonly internet: Namespace
  /** Adds a host with `address` (with prefix length, e.g. "192.0.2.1/24") on its device `eth0`. */
  addHost(label: string, address: string, options?: HostOptions): Promise<Namespace>
  /** Adds a router that masquerades the hosts behind it. */
  addNat(label: string, options: NatOptions): Promise<Nat>
  /** Adds a namespace with nothing but its loopback device. */
  addNamespace(label: string): Promise<Namespace>
  /** Ends every program and removes every namespace of this lab. */
  close(): Promise<void>
}

/** @returns null where labs can run, else the reason in one sentence; with CI=true a reason is thrown instead. */
export function labMissing(): string | null {
  const reason = reasonAgainst()
  if (reason && process.env['CI']) throw new Error(reason)
  return reason
}

function reasonAgainst(): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!fs.existsSync('/dev/net/tun')) return 'there is no /dev/net/tun'
  const hasIp = (process.env['PATH'] ?? '').split(':').some((folder) => fs.existsSync(`${folder}/ip`))
  return hasIp ? null : 'there is no `ip` (package iproute2)'
}

let labs = 0

export async function createLab(): Promise<Lab> {
  sweep()
  const prefix = `${PREFIX}${processMark().replace(':', '.')}-${++labs}-`
  const removeNow = (): void => {
    for (const name of namespacesLike(prefix)) removeNamespaceNow(name)
  }
  process.once('exit', removeNow)
  const members: Namespace[] = []
  const add = async (label: string): Promise<Namespace> => {
    const namespace = await addNamespace(`${prefix}${label}`)
    members.push(namespace)
    return namespace
  }
  const internet = await add('internet')
  await addBridge(internet, 'br0')
  return {
    internet,
    addNamespace: add,
    async addHost(label, address, options) {
      const host = await add(label)
      await attach(host, { device: 'eth0', address, bridge: internet, port: `v${members.length}`, ...options })
      return host
    },
    async addNat(label, options) {
      const router = await add(label)
      await attach(router, { device: 'wan', address: options.outside, bridge: internet, port: `v${members.length}` })
      await addBridge(router, 'br0')
      await router.ip('addr', 'add', options.inside, 'dev', 'br0')
      return makeNat(router, options, async (hostLabel, address, hostOptions) => {
        const host = await add(hostLabel)
        const gateway = options.inside.split('/')[0] ?? ''
        await attach(host, {
          device: 'eth0',
          address,
          bridge: router,
          port: `v${members.length}`,
          gateway,
          ...hostOptions,
        })
        return host
      })
    },
    async close() {
      await Promise.all(members.splice(0).map((namespace) => namespace.remove()))
      process.removeListener('exit', removeNow)
    },
  }
}

interface Attachment extends HostOptions {
  readonly device: string
  readonly address: string
  /** Namespace of the bridge `br0`, and the name of the new port there. */
  readonly bridge: Namespace
  readonly port: string
}

async function attach(
  host: Namespace,
  { device, address, bridge, port, gateway, mtuBytes }: Attachment,
): Promise<void> {
  await host.ip('link', 'add', device, 'type', 'veth', 'peer', 'name', port, 'netns', bridge.name)
  await bridge.ip('link', 'set', port, 'master', 'br0', 'up')
  if (mtuBytes) await host.ip('link', 'set', device, 'mtu', String(mtuBytes))
  await host.ip('addr', 'add', address, 'dev', device)
  await host.ip('link', 'set', device, 'up')
  if (gateway) await host.ip('route', 'add', 'default', 'via', gateway)
}

async function addBridge(namespace: Namespace, name: string): Promise<void> {
  await namespace.ip('link', 'add', name, 'type', 'bridge')
  await namespace.ip('link', 'set', name, 'up')
}

/** Removes what killed runs left behind. */
function sweep(): void {
  for (const name of namespacesLike(PREFIX)) {
    const owner = name.slice(PREFIX.length).split('-')[0]?.replace('.', ':') ?? ''
    if (!markIsAlive(owner)) removeNamespaceNow(name)
  }
}

function namespacesLike(prefix: string): string[] {
  if (!fs.existsSync(NETNS_FOLDER)) return []
  return fs.readdirSync(NETNS_FOLDER).filter((name) => name.startsWith(prefix))
}
