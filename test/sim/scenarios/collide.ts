/**
 * Which of the four nonces of two crossing exchanges is the lowest, decided by the test (RFC 7296 2.8.1, 2.8.2).
 *
 * ```
 *   a: Ni ---\ /--- b: Ni'
 *   a: Nr' <--X-->  b: Nr       a's exchange holds Ni and Nr, b's holds Ni' and Nr'
 * ```
 */
import type { ByHand } from './by-hand.ts'
import type { Node } from '../node.ts'

/** Whose nonce is the lowest, and in which message. */
export const LOWEST = ['request of a', 'response of b', 'request of b', 'response of a'] as const
/** When the request of one end never is answered with a nonce, three are left. */
export const LOWEST_OF_THREE = ['request of a', 'request of b', 'response of a'] as const
export type Lowest = (typeof LOWEST)[number]

/** @returns true when the exchange that `a` started loses. */
export function aLoses(lowest: Lowest): boolean {
  return lowest === 'request of a' || lowest === 'response of b'
}

/** Both ends ask by `ask`, and draw the nonces of their responses from then on. */
export function ask(scene: ByHand, lowest: Lowest, from: Node, request: (node: Node) => void): void {
  const name = from === scene.a ? 'a' : 'b'
  from.nonceStart = lowest === `request of ${name}` ? 0x00 : 0xff
  request(from)
  from.nonceStart = lowest === `response of ${name}` ? 0x00 : 0xff
}
