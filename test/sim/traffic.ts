/**
 * Whether packets of the tunnel arrive: what one end sends with must be what the other end receives with.
 */
import type { Node } from './node.ts'
import type { Pair } from './pair.ts'

/** @returns why nothing sent by `from` now would be accepted by `to`; null when it would. */
export function blockage(from: Node, to: Node): string | null {
  const { sender } = from
  if (sender === null) return `${from.name} has no Child SA to send with`
  const receiver = to.children.get(sender.spiOut)
  if (receiver === undefined) return `${to.name} does not know the Child SA ${from.name} sends with`
  return sameOctets(sender.keys.outboundKey, receiver.keys.inboundKey) ? null : 'the keys of the ends differ'
}

/** @throws when packets are lost in either direction. */
export function checkTraffic({ device, concentrator }: Pair): void {
  const reason = blockage(device, concentrator) ?? blockage(concentrator, device)
  if (reason !== null) throw new Error(reason)
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
