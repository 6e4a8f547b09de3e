/**
 * The network of the demo on one machine: the concentrator answers on one end of a veth pair, a simulated device lives in a
 * namespace at the other end.
 *
 * ```
 *   this machine                                     namespace culvert-device
 *   concentrator 192.0.2.1 ── culvert-veth0 ══ eth0 ── 192.0.2.2 device      (or another free /30)
 *   namespace culvert-tun: the TUN of the concentrator (made by the concentrator)
 * ```
 * Invariants: everything made here is gone after the run, and what a killed run left is removed before the next; a namespace in
 * which processes of somebody else live is left alone.
 */
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { chooseAddresses, readUsedPrefixes, type DemoAddresses } from './demo-addresses.ts'
import { Problem } from './problem.ts'

const run = promisify(execFile)

const COMMAND_TIMEOUT_MS = 15_000
/** What a killed run left behind ends within this time of its parents. */
const LEFTOVER_TIMEOUT_MS = 3_000
const LINK = 'culvert-veth0'

let chosen: DemoAddresses | null | undefined

/** Chosen once in a run; null when every candidate is in use. */
function addresses(): DemoAddresses | null {
  chosen ??= chooseAddresses(readUsedPrefixes(LINK))
  return chosen
}

export const demoNetwork = {
  get concentratorAddress(): string {
    return addresses()?.concentrator ?? ''
  },
  get deviceAddress(): string {
    return addresses()?.device ?? ''
  },
  deviceNamespace: 'culvert-device',
  tunNamespace: 'culvert-tun',
} as const

/** @returns null when this machine can carry tunnels, else one sentence with the command that mends it */
export function reasonAgainstTunnels(): string | null {
  if (process.getuid?.() !== 0)
    return 'Tunnels need root: run `sudo npm start` to have the concentrator and a demo device too.'
  if (!isOnPath('ip')) return 'Tunnels need the program ip: run `apt-get install iproute2`, then `npm start` again.'
  if (!fs.existsSync('/dev/net/tun')) {
    const mend = '`modprobe tun`, or in a container `mkdir -p /dev/net && mknod /dev/net/tun c 10 200`'
    return `Tunnels need /dev/net/tun: run ${mend}, then \`npm start\` again.`
  }
  return null
}

/**
 * Builds the network, after removing what is left of an earlier one; the programs of a killed run must have been ended before.
 * @throws Problem when the namespaces are in use
 */
export async function raiseDemoNetwork(): Promise<void> {
  const { deviceNamespace } = demoNetwork
  const outer = addresses()
  if (!outer) {
    throw new Problem(
      'The demo device needs a small IPv4 network that this machine does not use, and every one it knows is taken.',
    )
  }
  await requireUnused([deviceNamespace, demoNetwork.tunNamespace])
  await lowerDemoNetwork()
  try {
    await ip('netns', 'add', deviceNamespace)
    await ip('link', 'add', LINK, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', deviceNamespace)
    await ip('address', 'add', `${outer.concentrator}/${outer.prefixLength}`, 'dev', LINK)
    await ip('link', 'set', LINK, 'up')
    await ip('-n', deviceNamespace, 'link', 'set', 'lo', 'up')
    await ip('-n', deviceNamespace, 'address', 'add', `${outer.device}/${outer.prefixLength}`, 'dev', 'eth0')
    await ip('-n', deviceNamespace, 'link', 'set', 'eth0', 'up')
    // So that the device also reaches a concentrator on another address of this machine (CONCENTRATOR_ADDRESS).
    await ip('-n', deviceNamespace, 'route', 'add', 'default', 'via', outer.concentrator)
  } catch (error) {
    await lowerDemoNetwork()
    const words = error instanceof Error ? error.message : String(error)
    const mend =
      'in a container, start it with `--privileged` or `--cap-add NET_ADMIN --cap-add SYS_ADMIN --device /dev/net/tun`'
    throw new Problem(`The network of the demo device could not be built (${words.trim()}): ${mend}.`, error)
  }
}

/** Removes the link and both namespaces with what runs in them. */
export async function lowerDemoNetwork(): Promise<void> {
  await removeLink()
  for (const name of [demoNetwork.deviceNamespace, demoNetwork.tunNamespace]) {
    if (!fs.existsSync(`/run/netns/${name}`)) continue
    for (const pid of await processesIn(name)) kill(pid)
    await ip('netns', 'delete', name)
  }
}

/** @throws Problem when a process goes on living in one of these namespaces: it is not this run's, so this run must not end it */
export async function requireUnused(namespaces: readonly string[], timeoutMs = LEFTOVER_TIMEOUT_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (const name of namespaces) {
    for (let pids = await processesIn(name); pids.length > 0; pids = await processesIn(name)) {
      if (performance.now() >= deadline) throw inUse(name, pids)
      await pause(50)
    }
  }
}

function inUse(name: string, pids: readonly number[]): Problem {
  const list = pids.slice(0, 5).join(', ')
  return new Problem(
    `The network namespace ${name} is in use (process ${list}), perhaps by another Culvert on this machine: stop that one first.`,
  )
}

async function processesIn(name: string): Promise<number[]> {
  if (!fs.existsSync(`/run/netns/${name}`)) return []
  const { stdout } = await run('ip', ['netns', 'pids', name], { timeout: COMMAND_TIMEOUT_MS })
  return stdout.split('\n').filter(Boolean).map(Number)
}

/** At once: with its namespace it would go too, but only when the kernel gets round to it. */
async function removeLink(): Promise<void> {
  try {
    await ip('link', 'delete', LINK)
  } catch (error) {
    if (!/Cannot find device/.test(String(error))) throw error
  }
}

async function ip(...args: string[]): Promise<void> {
  try {
    await run('ip', args, { timeout: COMMAND_TIMEOUT_MS })
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string }
    throw new Error(`ip ${args.join(' ')}: ${stderr.trim() || message}`, { cause: error })
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => folder && fs.existsSync(`${folder}/${program}`))
}
