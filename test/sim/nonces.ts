/**
 * Finds out where the lowest of the four nonces of two crossing CREATE_CHILD_SA exchanges stands (RFC 7296 2.8.1).
 */
import { compareBytes } from '@culvert/bytes'
import { decodeMessage, EXCHANGE } from '@culvert/ikev2'
import type { Node } from './node.ts'
import type { Pair } from './pair.ts'
import { innerPayloads } from './transcript.ts'

export type NoncePlace = 'device request' | 'device response' | 'concentrator request' | 'concentrator response'

export function lowestNonceSender({ device, concentrator }: Pair): NoncePlace {
  const places: readonly { readonly place: NoncePlace; readonly nonce: Uint8Array }[] = [
    { place: 'device request', nonce: nonceOf(device, false) },
    { place: 'device response', nonce: nonceOf(device, true) },
    { place: 'concentrator request', nonce: nonceOf(concentrator, false) },
    { place: 'concentrator response', nonce: nonceOf(concentrator, true) },
  ]
  const [lowest] = places.toSorted((a, b) => compareBytes(a.nonce, b.nonce))
  if (lowest === undefined) throw new Error('there are four')
  return lowest.place
}

function nonceOf(node: Node, isResponse: boolean): Uint8Array {
  for (const { bytes } of node.sent) {
    const message = decodeMessage(bytes)
    if (!message.ok || message.value.header.exchangeType !== EXCHANGE.CREATE_CHILD_SA) continue
    if (message.value.header.isResponse !== isResponse) continue
    const nonce = innerPayloads(node.tap, message.value, bytes).find((payload) => payload.kind === 'nonce')
    if (nonce !== undefined) return nonce.data
  }
  throw new Error(`${node.name} sent no nonce in a ${isResponse ? 'response' : 'request'}`)
}
