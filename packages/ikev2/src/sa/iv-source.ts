/**
 * Initialisation vectors of the SK payloads of one IKE SA.
 *
 * ```
 *   AEAD, 8 octets:  | incarnation (24 bit) |        counter (40 bit)        |     never twice under one key (RFC 5282 3.1)
 *   CBC, 16 octets:  random (RFC 7296 3.14)
 * ```
 *
 * The incarnation is drawn anew by every process, so that a restored SA cannot repeat an IV of its former owner. The counter
 * does not wrap: before it ends the IKE SA is rekeyed, and at its end nothing is sent any more.
 */
import type { Env } from '../endpoint/contract.ts'

export const IV_COUNTER_END = 2 ** 40
/** A rekey starts when this many values are left. */
export const IV_COUNTER_RESERVE = 2 ** 20

const UINT32 = 2 ** 32

export interface IvSource {
  counter: number
}

export function createIvSource(): IvSource {
  return { counter: 0 }
}

/** True while at least `count` more AEAD IVs can be made. */
export function ivsRemain(source: IvSource, count: number): boolean {
  return source.counter + count <= IV_COUNTER_END
}

export function ivsRunLow(source: IvSource): boolean {
  return source.counter >= IV_COUNTER_END - IV_COUNTER_RESERVE
}

/** The next IV of an AEAD, 8 octets; the caller has asked `ivsRemain`. */
export function nextAeadIv(source: IvSource, env: Env): Uint8Array {
  const iv = new Uint8Array(8)
  iv[0] = env.incarnation >>> 16
  iv[1] = env.incarnation >>> 8
  iv[2] = env.incarnation
  iv[3] = Math.floor(source.counter / UINT32)
  const low = source.counter % UINT32
  iv[4] = low >>> 24
  iv[5] = low >>> 16
  iv[6] = low >>> 8
  iv[7] = low
  source.counter += 1
  return iv
}
