/**
 * One side's private value between a library's primitive and the core: what was destroyed gives no secret any more.
 */
import { InvariantError } from '@culvert/bytes'
import type { PrivateValue } from './primitives.ts'
import type { KeyExchangePrivate } from './provider.ts'

/**
 * @param publicValue in wire form
 * @param derive the primitive's, with the tests and paddings of the method
 */
export function exchange(
  own: PrivateValue,
  publicValue: Uint8Array,
  derive: PrivateValue['derive'],
): KeyExchangePrivate {
  let held: PrivateValue | null = own
  return {
    publicValue,
    sharedSecret(peer) {
      if (held === null) throw new InvariantError('a private value was used after its end')
      return derive(peer)
    },
    destroy() {
      held?.destroy?.()
      held = null
    },
  }
}
