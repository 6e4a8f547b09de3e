/**
 * Over which of several bound sockets a datagram leaves.
 *
 * The one that is bound to the wanted local address and port; else one bound to that address, else a wildcard, else the first of
 * the family of the remote address.
 */
import type { SocketAddress } from '@culvert/ikev2'

/** @returns index in `bound`, or -1 when no socket speaks the family of `remote` */
export function chooseLocal(
  bound: readonly SocketAddress[],
  remote: SocketAddress,
  local: SocketAddress | undefined,
): number {
  let chosen = -1
  let best = 0
  for (const [index, socket] of bound.entries()) {
    const rank = rankOf(socket, remote, local)
    if (rank <= best) continue
    chosen = index
    best = rank
  }
  return chosen
}

function rankOf(socket: SocketAddress, remote: SocketAddress, local: SocketAddress | undefined): number {
  if (isIp6(socket) !== isIp6(remote)) return 0
  if (socket.address === local?.address) return socket.port === local.port ? 4 : 3
  return isWildcard(socket) ? 2 : 1
}

/** What tells an IPv6 address from an IPv4 one: every message that leaves asks. */
function isIp6({ address }: SocketAddress): boolean {
  return address.includes(':')
}

export function isWildcard({ address }: SocketAddress): boolean {
  return address === '0.0.0.0' || address === '::'
}
