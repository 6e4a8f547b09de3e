/**
 * Post-quantum preshared keys in IKE_AUTH (RFC 8784 3).
 *
 * ```
 *   USE_PPK both ways | PPK_IDENTITY known | NO_PPK_AUTH | mandatory |
 *   no                |                    |             | no        | plain
 *   no                |                    |             | yes       | refused
 *   yes               | yes                |             |           | mixed: AUTH is made with the mixed SK_p
 *   yes               | no                 | no          |           | refused
 *   yes               | no                 | yes         | yes       | refused
 *   yes               | no                 | yes         | no        | plain: what is in NO_PPK_AUTH is checked
 *   yes               | not sent           |             | no / yes  | plain / refused
 * ```
 *
 * Whatever the outcome, the same is computed (N26).
 */
import type { Prf } from '@culvert/crypto'
import type { Env, FoundCredential } from '../../endpoint/contract.ts'
import { mixPpk } from '../../keys/post-quantum-preshared-key.ts'
import { notify } from '../notify.ts'
import type { Payload } from '../../message/model.ts'
import { NOTIFY } from '../../message/numbers.ts'
import { compareBytes } from '../../message/octets.ts'
import type { Channel } from '../../sa/channel.ts'
import type { InitExchange, PeerAuth } from '../../sa/ike-sa.ts'
import { findNotify } from '../../sa/payload-shape.ts'

const DECOY_BYTES = 32

export interface PpkVerdict {
  readonly isRefused: boolean
  /** To be mixed into the keys once the proof was good; null for none. */
  readonly secret: Uint8Array | null
  /** What the peer's AUTH data has to fit: made with this SK_pi, a fresh array. */
  readonly data: Uint8Array
  readonly skPi: Uint8Array
}

/** PPK_IDENTITY and NO_PPK_AUTH of a message with AUTH. */
export function ppkClaim(payloads: readonly Payload[]): Pick<PeerAuth, 'ppkId' | 'noPpkAuth'> {
  return {
    ppkId: findNotify(payloads, NOTIFY.PPK_IDENTITY)?.data ?? null,
    noPpkAuth: findNotify(payloads, NOTIFY.NO_PPK_AUTH)?.data ?? null,
  }
}

/** As responder: which of the peer's proofs counts. */
export function judgePpk(
  env: Env,
  prf: Prf,
  init: InitExchange,
  auth: PeerAuth,
  ppks: FoundCredential['ppks'] = [],
): PpkVerdict {
  const { ppkId, noPpkAuth, data } = auth
  const plain = { isRefused: ppks.some(({ isRequired }) => isRequired), secret: null, data, skPi: init.skPi.slice() }
  if (!init.usesPpk || ppkId === null) return plain
  const ppk = ppks.find(({ id }) => compareBytes(id, ppkId) === 0)
  const skPi = mixPpk(prf, ppk?.secret ?? env.rng(DECOY_BYTES), init.skPi)
  if (ppk !== undefined) return { isRefused: false, secret: ppk.secret, data, skPi }
  skPi.fill(0)
  return noPpkAuth === null ? { ...plain, isRefused: true } : { ...plain, data: noPpkAuth }
}

/**
 * Puts the PPK into SK_d, SK_pi and SK_pr, in place.
 *
 * @param secret null for none.
 */
export function applyPpk(prf: Prf, channel: Channel, init: InitExchange, secret: Uint8Array | null): void {
  if (secret === null) return
  for (const key of [channel.skD, init.skPi, init.skPr]) {
    const mixed = mixPpk(prf, secret, key)
    key.set(mixed)
    mixed.fill(0)
  }
}

/** What the responder says when it mixed the PPK in: the notify without data. */
export function ppkConfirmation(isMixed: boolean): readonly Payload[] {
  return isMixed ? [notify(NOTIFY.PPK_IDENTITY)] : []
}
