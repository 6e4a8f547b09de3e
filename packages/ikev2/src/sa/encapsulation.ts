/**
 * Whether what a Child SA sends goes in UDP (RFC 7296 2.23, RFC 3948): with a NAT on either side, and wherever we force it, so
 * that ESP as an IP protocol of its own is for open paths alone. It is asked again at every move. What comes is taken either way.
 */
import type { ChildProtocol, EndpointConfig } from '../endpoint/contract.ts'
import type { NatState } from './attachment.ts'

/** AH never goes in UDP (RFC 3948 1). */
export function usesUdp(
  { forceUdpEncap = true }: Pick<EndpointConfig, 'forceUdpEncap'>,
  { peerBehindNat, localBehindNat }: NatState,
  protocol: ChildProtocol,
): boolean {
  return protocol === 'esp' && (forceUdpEncap || peerBehindNat || localBehindNat)
}
