/**
 * Picks packets out of the traffic by what their IKE header says, and decides their fate.
 */
import { EXCHANGE, peekHeader } from '@culvert/ikev2'
import type { Fate, Packet } from './network.ts'
import type { Node } from './node.ts'

export interface PacketPattern {
  /** Address the packet comes from. */
  readonly from?: string
  readonly exchange?: keyof typeof EXCHANGE
  readonly isResponse?: boolean
  readonly messageId?: number
}

export function matches(packet: Packet, pattern: PacketPattern): boolean {
  const header = peekHeader(packet.bytes)
  if (!header.ok) return false
  const { exchangeType, isResponse, messageId } = header.value
  if (pattern.from !== undefined && pattern.from !== packet.from.address) return false
  if (pattern.exchange !== undefined && EXCHANGE[pattern.exchange] !== exchangeType) return false
  if (pattern.isResponse !== undefined && pattern.isResponse !== isResponse) return false
  return pattern.messageId === undefined || pattern.messageId === messageId
}

/** Gives the first `count` packets that match this fate, and all others the usual one. */
export function fateOfFirst(pattern: PacketPattern, fate: Fate, count = 1): (packet: Packet) => Fate {
  let left = count
  return (packet) => {
    if (left === 0 || !matches(packet, pattern)) return {}
    left -= 1
    return fate
  }
}

export const LOST: Fate = { copies: 0 }

/** @throws when the node sent nothing. */
export function lastSent({ name, sent }: Node): Packet {
  const packet = sent.at(-1)
  if (packet === undefined) throw new Error(`${name} sent nothing`)
  return packet
}
