/**
 * Which gateway a device goes to next: its own one, or the one it was sent to (RFC 5685).
 *
 * At most five redirects are followed in five minutes, so that gateways that send a device to each other do not keep it busy for
 * ever (RFC 5685 5): then, and when an attempt elsewhere fails, it begins with its own one again.
 */
import { lookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import type { GatewayIdentity } from '@culvert/ikev2'

const MOST_REDIRECTS = 5
const WITHIN_MS = 5 * 60_000

export interface Route {
  readonly address: string
  /** Who sent us there; null for our own gateway. */
  readonly redirectedFrom: GatewayIdentity | null
  /** @param nowMs of a monotonic clock @returns false when it is one redirect too many, or no place we can reach */
  follow(to: GatewayIdentity, nowMs: number): Promise<boolean>
  /** Back to the own gateway. */
  reset(): void
}

/** @param own address of the gateway the device was configured with; it speaks no other family. */
export function createRoute(own: string): Route {
  let address = own
  let redirectedFrom: GatewayIdentity | null = null
  let followed: number[] = []
  const kind = isIPv6(own) ? 'ip6' : 'ip4'

  function reset(): void {
    address = own
    redirectedFrom = null
  }

  return {
    get address() {
      return address
    },
    get redirectedFrom() {
      return redirectedFrom
    },
    async follow(to, nowMs) {
      followed = followed.filter((atMs) => nowMs - atMs < WITHIN_MS)
      const next = followed.length < MOST_REDIRECTS ? await resolve(to, kind) : null
      if (next === null) {
        reset()
        return false
      }
      followed.push(nowMs)
      redirectedFrom = { kind, address }
      address = next
      return true
    },
    reset,
  }
}

async function resolve(to: GatewayIdentity, wanted: 'ip4' | 'ip6'): Promise<string | null> {
  if (to.kind !== 'fqdn') return to.kind === wanted ? to.address : null
  const found = await lookup(to.name, { family: wanted === 'ip6' ? 6 : 4 }).catch(() => null)
  return found?.address ?? null
}
