/**
 * Keys and proofs of a resumed IKE SA (RFC 5723 5.1, 5.2).
 *
 *   SKEYSEED = prf(SK_d of the old IKE SA, "Resumption" | Ni | Nr)
 *   AUTH     = prf(SK_pi or SK_pr of the new one, octets as for a shared key)
 *
 * That is the formula of a rekey with ten ASCII letters in place of g^ir, so only who held the old IKE SA can make the keys.
 */
import type { CryptoProvider } from '@culvert/crypto'
import type { IkeSpi } from '../../message/model.ts'
import type { Channel } from '../../sa/channel.ts'
import type { IkeTransforms } from '../../sa/ike-transforms.ts'
import type { IkeKeys } from '../../keys/key-schedule.ts'
import { deriveChannel, resolveIkeSuite } from '../ike-keys.ts'
import type { ResumableKeys } from './ticket.ts'

const RESUMPTION = new TextEncoder().encode('Resumption')

export interface ResumedExchange {
  readonly originalInitiator: boolean
  readonly fragmentation: boolean
  readonly nonceI: Uint8Array
  readonly nonceR: Uint8Array
  readonly spiI: IkeSpi
  readonly spiR: IkeSpi
}

/** @returns null when the provider lacks one of the transforms. `skD` of the old IKE SA is zeroed. */
export function resumeChannel(
  crypto: CryptoProvider,
  { transforms, skD }: ResumableKeys,
  share: (transforms: IkeTransforms) => IkeTransforms,
  exchange: ResumedExchange,
): { readonly channel: Channel; readonly keys: IkeKeys } | null {
  const { encr, prf, integ, ke, additionalKe, tier } = transforms
  const chosen = { encr, prf, integ, ke, additionalKe }
  const resolved = resolveIkeSuite(crypto, chosen, tier)
  if (resolved === null) return null
  const derived = deriveChannel({
    ...exchange,
    resolved: { ...resolved, transforms: share(resolved.transforms) },
    sharedSecret: RESUMPTION,
    oldSkD: skD,
    isResumed: true,
  })
  skD.fill(0)
  return derived
}
