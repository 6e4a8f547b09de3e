/**
 * Network namespaces and the interface configuration inside them, with iproute2.
 *
 * Every operation is idempotent: it states what shall be and may be repeated after a crash. Arguments go as arrays, never through a
 * shell. Sysctls are set by a process that runs inside the namespace. Programs have a time limit.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'

const PROGRAM_TIMEOUT_MS = 10_000
const OUTPUT_BYTES = 1 << 20

export interface TunConfiguration {
  /** Null for the namespace of this process. */
  readonly namespace: string | null
  readonly name: string
  readonly mtuBytes: number
  /** With prefix length, e.g. "10.127.0.1/32". */
  readonly addresses: readonly string[]
  /** Prefixes reached through the interface, e.g. "10.128.0.0/9". */
  readonly routes: readonly string[]
}

/**
 * Creates the namespace unless it exists, brings up its loopback, and makes it a quiet host: no forwarding, no reverse path
 * filter, no IPv6 autoconfiguration.
 */
export async function ensureNamespace(name: string): Promise<void> {
  requireName(name)
  if (!namespaceExists(name)) {
    await ip(['netns', 'add', name]).catch((error: unknown) => {
      if (!namespaceExists(name)) throw error // else another process was faster
    })
  }
  await ip(['-n', name, 'link', 'set', 'lo', 'up'])
  await setSysctls(name, QUIET_HOST)
}

export function namespaceExists(name: string): boolean {
  return existsSync(`/run/netns/${name}`)
}

/** Removes the namespace with every interface in it; absent is fine. */
export async function removeNamespace(name: string): Promise<void> {
  requireName(name)
  if (!namespaceExists(name)) return
  await ip(['netns', 'delete', name]).catch((error: unknown) => {
    if (namespaceExists(name)) throw error
  })
}

/** Sets MTU, addresses, state and routes of an existing interface; addresses and routes that are not named stay. */
export async function configureTun(configuration: TunConfiguration): Promise<void> {
  const { namespace, name, mtuBytes, addresses, routes } = configuration
  if (namespace !== null) requireName(namespace)
  requireName(name)
  for (const prefix of [...addresses, ...routes]) requirePrefix(prefix)
  const place = namespace === null ? [] : ['-n', namespace]
  if (namespace !== null) await setSysctls(namespace, quietInterface(name))
  await ip([...place, 'link', 'set', 'dev', name, 'mtu', String(mtuBytes), 'txqueuelen', '1000', 'up'])
  for (const address of addresses) {
    await ip([...place, ...familyOf(address), 'address', 'replace', address, 'dev', name])
  }
  for (const route of routes) await ip([...place, ...familyOf(route), 'route', 'replace', route, 'dev', name])
}

/** Removes a persistent interface; absent is fine. */
export async function removeTun(namespace: string | null, name: string): Promise<void> {
  requireName(name)
  const place = namespace === null ? [] : ['-n', namespace]
  if (namespace !== null && !namespaceExists(namespace)) return
  const links = await ip([...place, '-oneline', 'link', 'show'])
  const isThere = links.split('\n').some((line) => line.split(':')[1]?.trim() === name)
  if (isThere) await ip([...place, 'link', 'delete', 'dev', name])
}

type Sysctls = readonly (readonly [path: string, value: string])[]

const QUIET_HOST: Sysctls = [
  // A device that claims to take only tiny segments would have us seal many packets for few bytes.
  ['net/ipv4/tcp_min_snd_mss', '256'],
  ['net/ipv4/ip_forward', '0'],
  ['net/ipv4/conf/all/rp_filter', '0'],
  ['net/ipv4/conf/default/rp_filter', '0'],
  ['net/ipv4/conf/all/accept_redirects', '0'],
  ['net/ipv4/conf/all/accept_source_route', '0'],
  ['net/ipv4/conf/all/send_redirects', '0'],
  ['net/ipv6/conf/all/forwarding', '0'],
  ['net/ipv6/conf/all/accept_redirects', '0'],
  ['net/ipv6/conf/default/accept_redirects', '0'],
  ['net/ipv6/conf/default/autoconf', '0'],
  ['net/ipv6/conf/default/accept_ra', '0'],
  ['net/ipv6/conf/default/addr_gen_mode', '1'],
  ['net/ipv6/conf/default/router_solicitations', '0'],
]

/** An interface that existed before the defaults were set has its own copies. */
function quietInterface(name: string): Sysctls {
  return [
    [`net/ipv4/conf/${name}/rp_filter`, '0'],
    [`net/ipv6/conf/${name}/disable_ipv6`, '0'],
    [`net/ipv6/conf/${name}/accept_redirects`, '0'],
    [`net/ipv6/conf/${name}/autoconf`, '0'],
    [`net/ipv6/conf/${name}/accept_ra`, '0'],
    [`net/ipv6/conf/${name}/addr_gen_mode`, '1'],
  ]
}

/** Whether addresses and routes of IPv6 can be given to interfaces here. */
export function kernelHasIpv6(): boolean {
  return existsSync('/proc/sys/net/ipv6')
}

/** Kernels without IPv6 have no such files; what is not there needs no silencing. */
const WRITE_SYSCTLS = 'while [ $# -ge 2 ]; do if [ -e "$1" ]; then printf %s "$2" > "$1"; fi; shift 2; done'

async function setSysctls(namespace: string, sysctls: Sysctls): Promise<void> {
  const words = sysctls.flatMap(([path, value]) => [`/proc/sys/${path}`, value])
  await ip(['netns', 'exec', namespace, 'sh', '-c', WRITE_SYSCTLS, 'sh', ...words])
}

function familyOf(prefix: string): string[] {
  return prefix.includes(':') ? ['-6'] : ['-4']
}

function ip(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: PROGRAM_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES }
    execFile('ip', args, limits, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`ip ${args.slice(0, 6).join(' ')}: ${stderr.trim() || error.message}`, { cause: error }))
    })
  })
}

/** Names that can be nothing but a name: not an option, not a path. */
function requireName(name: string): void {
  if (!/^[A-Za-z0-9_][\w.-]{0,63}$/.test(name)) throw new Error(`"${name}" is not a name of a namespace or interface`)
}

function requirePrefix(prefix: string): void {
  if (!/^[0-9A-Fa-f:.]+(\/\d{1,3})?$/.test(prefix)) throw new Error(`"${prefix}" is not an address with prefix length`)
}
