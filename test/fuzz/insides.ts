/**
 * What stands inside SK, as material for fuzzers, and what a step came to.
 */
import { decodeMessage, encodePayloads, EXCHANGE, NOTIFY, type Payload, peekHeader } from '@culvert/ikev2'
import type { Packet } from '../sim/network.ts'
import type { Node, Step } from '../sim/node.ts'
import { innerPayloads } from '../sim/transcript.ts'

/** A message inside SK: what can be repeated on any IKE SA. */
export interface Inside {
  readonly exchangeType: number
  readonly innerType: number
  readonly bytes: Uint8Array
}

/** Of a packet that this node sent. */
export function payloadsOf(node: Node, packet: Packet | undefined): readonly Payload[] {
  const message = decodeMessage(packet?.bytes ?? new Uint8Array(0))
  return message.ok && packet !== undefined ? innerPayloads(node.tap, message.value, packet.bytes) : []
}

export function authInside(payloads: readonly Payload[]): Inside {
  const { firstType, bytes } = encodePayloads(payloads)
  return { exchangeType: EXCHANGE.IKE_AUTH, innerType: firstType, bytes }
}

/** Of one packet; none when nothing in it is sealed. */
export function insideOf(node: Node, packet: Packet): Inside[] {
  const message = decodeMessage(packet.bytes)
  if (!message.ok || message.value.sealed === null) return []
  const { exchangeType } = message.value.header
  const { firstType, bytes } = encodePayloads(payloadsOf(node, packet))
  return [{ exchangeType, innerType: firstType, bytes }]
}

/** Of a node's latest request. */
export function lastId({ sent }: Node): number {
  return sent.reduce((id, { bytes }) => {
    const header = peekHeader(bytes)
    return header.ok && !header.value.isResponse ? Math.max(id, header.value.messageId) : id
  }, 0)
}

export function answers({ bytes }: Packet, messageId: number): boolean {
  const header = peekHeader(bytes)
  return header.ok && header.value.isResponse && header.value.messageId === messageId
}

/** Notifies that were sent, and effects: how a step ended. */
export function answersIn({ effects }: Step, node: Node): string[] {
  return effects.flatMap((effect) => {
    if (effect.kind === 'event') return [`event ${effect.event.kind}`]
    if (effect.kind === 'ask') return [`ask ${effect.question.kind}`]
    if (effect.kind !== 'send') return [effect.kind]
    const message = decodeMessage(effect.bytes)
    if (!message.ok) return []
    const { header, sealed, payloads } = message.value
    const content = sealed === null ? payloads : innerPayloads(node.tap, message.value, effect.bytes)
    const notifies = content.flatMap((payload) => (payload.kind === 'notify' ? [nameOf(payload.type)] : []))
    const kind = sealed === null ? 'clear' : String(header.exchangeType)
    return notifies.map((name) => `${kind} ${header.isResponse ? 'response' : 'request'} ${name}`)
  })
}

const NOTIFY_NAMES = new Map<number, string>(Object.entries(NOTIFY).map(([name, number]) => [number, name]))

function nameOf(type: number): string {
  return NOTIFY_NAMES.get(type) ?? String(type)
}
