/**
 * TCP connections that the kernel of a namespace already holds, read from its /proc/net/tcp.
 *
 * A concentrator that was killed and started again finds the persistent TUN and the live streams of the dialer, but an empty flow
 * table; what the kernel knows fills it, so that a device that speaks first is still heard.
 */
import type { KnownFlow } from '@culvert/esp'

const LISTEN = '0A'
const CLOSE = '07'

/** @param text content of /proc/net/tcp: little-endian hexadecimal addresses, "local remote state" in columns 2 to 4 */
export function parseKernelConnections(text: string): KnownFlow[] {
  const flows: KnownFlow[] = []
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/)
    const dial = parseEndpoint(local)
    const device = parseEndpoint(remote)
    if (dial === undefined || device === undefined || state === LISTEN || state === CLOSE) continue
    flows.push({
      dialAddress: dial.address,
      dialPort: dial.port,
      deviceAddress: device.address,
      devicePort: device.port,
    })
  }
  return flows
}

function parseEndpoint(text: string): { address: number; port: number } | undefined {
  const match = /^([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{2}):([0-9A-F]{4})$/.exec(text)
  if (match === null) return undefined
  const [, a, b, c, d, port] = match
  return { address: Number.parseInt(`${d}${c}${b}${a}`, 16), port: Number.parseInt(port ?? '', 16) }
}
