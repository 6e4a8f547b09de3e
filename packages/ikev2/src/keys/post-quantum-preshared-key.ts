/**
 * Mixes a post-quantum preshared key into the keys of an IKE SA (RFC 8784 3).
 *
 *   SK_d = prf+ (PPK, SK_d'),  SK_pi = prf+ (PPK, SK_pi'),  SK_pr = prf+ (PPK, SK_pr')
 *
 * SK_a and SK_e stay. A rekey takes the mixed SK_d along and mixes nothing again.
 */
import type { Prf } from '@culvert/crypto'
import { prfPlus } from './key-schedule.ts'

/** @returns a fresh array as long as `key`, which is left as it is. */
export function mixPpk(prf: Prf, ppk: Uint8Array, key: Uint8Array): Uint8Array {
  return prfPlus(prf, ppk, [key], key.length).slice()
}
