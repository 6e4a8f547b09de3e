/**
 * TCP connections that the kernel of a namespace already holds, read from its /proc/net/tcp and tcp6.
 *
 * A concentrator that was killed and started again finds the persistent TUN and the live streams of the dialer, but an empty flow
 * table; what the kernel knows fills it, so that a device that speaks first is still heard.
 */
import { toHex } from '@culvert/bytes'
import type { KnownFlow } from '@culvert/esp'

const LISTEN = '0A'
const CLOSE = '07'

/** @param text content of either file: hexadecimal words of addresses, little-endian, "local remote state" in columns 2 to 4 */
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

function parseEndpoint(text: string): { address: Uint8Array; port: number } | undefined {
  const match = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(text)
  if (match === null) return undefined
  const [, words = '', port = ''] = match
  if (words.length !== 8 && words.length !== 32) return undefined
  return { address: withoutMapping(octetsOf(words)), port: Number.parseInt(port, 16) }
}

function octetsOf(words: string): Uint8Array {
  const octets = Uint8Array.from(words.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))
  for (let at = 0; at < octets.length; at += 4) octets.subarray(at, at + 4).reverse()
  return octets
}

/** A socket of both families names an IPv4 peer ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
function withoutMapping(address: Uint8Array): Uint8Array {
  const isMapped = address.length === 16 && toHex(address.subarray(0, 12)) === '00000000000000000000ffff'
  return isMapped ? address.slice(12) : address
}
