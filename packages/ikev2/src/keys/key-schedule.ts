/**
 * Keys of IKE SAs and Child SAs (RFC 7296 2.13, 2.14, 2.17, 2.18).
 *
 * Everything returned is a fresh array that the caller owns and forgets. The order in which keys are cut from the stream is the
 * RFC's: SK_d, SK_ai, SK_ar, SK_ei, SK_er, SK_pi, SK_pr; for a Child SA first everything of the exchange initiator's outbound
 * SA, encryption before integrity, with an AEAD's salt after its key (C42, RFC 4106 8.1, RFC 5282 7).
 */
import { concatBytes, InvariantError } from '@culvert/bytes'
import type { Cipher, Integrity, Prf } from '@culvert/crypto'
import type { IkeSpi } from '../message/model.ts'
import { EMPTY, ikeSpiBytes, type Pieces } from '../message/octets.ts'

/** prf+ counts its rounds in one octet. */
const MAX_PRF_ROUNDS = 255

/**
 * prf+(key, seed), RFC 7296 2.13.
 *
 * @returns `length` octets. @throws InvariantError beyond 255 rounds: a bug of the caller.
 */
export function prfPlus(prf: Prf, key: Uint8Array, seed: Pieces, length: number): Uint8Array {
  const rounds = Math.ceil(length / prf.outputBytes)
  if (rounds > MAX_PRF_ROUNDS) throw new InvariantError('prf+ gives at most 255 blocks')
  if (prf.plus !== undefined && rounds > 0) return prf.plus(key, seed, rounds).subarray(0, length)
  const stream = new Uint8Array(rounds * prf.outputBytes)
  const counter = new Uint8Array(1)
  const joined = concatBytes(...seed)
  let previous: Uint8Array = EMPTY
  for (let round = 1; round <= rounds; round++) {
    counter[0] = round
    previous = prf.compute(key, previous, joined, counter)
    stream.set(previous, (round - 1) * prf.outputBytes)
  }
  return stream.subarray(0, length)
}

/** Nonces are at least half as long as the key of the PRF they go into (RFC 7296 2.10; C16). */
export function isNonceLongEnough(prf: Prf, nonce: Uint8Array): boolean {
  return 2 * nonce.length >= prf.keyBytes
}

/** Transforms that decide how long the keys of an IKE SA are. */
export interface IkeSuite {
  readonly prf: Prf
  readonly cipher: Cipher
  /** Null with an AEAD: SK_ai and SK_ar are then empty. */
  readonly integ: Integrity | null
}

export interface IkeKeyInput {
  readonly nonceI: Uint8Array
  readonly nonceR: Uint8Array
  readonly spiI: IkeSpi
  readonly spiR: IkeSpi
  /** g^ir in wire form. */
  readonly sharedSecret: Uint8Array
  /** At a rekey: secrets of the additional key exchanges, in order (RFC 9370 2.2.4). */
  readonly additional?: readonly Uint8Array[]
  /** At a rekey: SK_d of the old IKE SA. */
  readonly oldSkD?: Uint8Array
  /** At a rekey: PRF of the old IKE SA, which makes SKEYSEED (RFC 7296 2.18); the new one when left out. */
  readonly oldPrf?: Prf
}

export interface IkeKeys {
  readonly skD: Uint8Array
  readonly skAi: Uint8Array
  readonly skAr: Uint8Array
  /** Encryption key, then salt. */
  readonly skEi: Uint8Array
  readonly skEr: Uint8Array
  readonly skPi: Uint8Array
  readonly skPr: Uint8Array
}

/** SKEYSEED, then the seven keys of an IKE SA (RFC 7296 2.14; at a rekey 2.18). */
export function deriveIkeKeys(suite: IkeSuite, input: IkeKeyInput): IkeKeys {
  const { prf, cipher, integ } = suite
  const skeyseed = deriveSkeyseed(prf, input)
  const seed = [input.nonceI, input.nonceR, ikeSpiBytes(input.spiI), ikeSpiBytes(input.spiR)]
  const macBytes = integ === null ? 0 : integ.keyBytes
  const encrBytes = cipher.keyBytes + cipher.saltBytes
  const total = 3 * prf.keyBytes + 2 * macBytes + 2 * encrBytes
  const cut = cutter(prfPlus(prf, skeyseed, seed, total))
  skeyseed.fill(0)
  return {
    skD: cut(prf.keyBytes),
    skAi: cut(macBytes),
    skAr: cut(macBytes),
    skEi: cut(encrBytes),
    skEr: cut(encrBytes),
    skPi: cut(prf.keyBytes),
    skPr: cut(prf.keyBytes),
  }
}

/** RFC 7296 2.14: prf(Ni | Nr, g^ir); 2.18: prf(old SK_d, g^ir | Ni | Nr), at the end of which RFC 9370 2.2.4 puts SK(1) | SK(2) ... */
export function deriveSkeyseed(
  prf: Prf,
  input: Pick<IkeKeyInput, 'nonceI' | 'nonceR' | 'sharedSecret' | 'additional' | 'oldSkD' | 'oldPrf'>,
): Uint8Array {
  const { nonceI, nonceR, sharedSecret, additional = [], oldSkD, oldPrf } = input
  if (oldSkD === undefined) return prf.compute(concatBytes(nonceI, nonceR), sharedSecret)
  return (oldPrf ?? prf).compute(oldSkD, sharedSecret, nonceI, nonceR, ...additional)
}

export interface ChildKeyInput {
  /** Nonces of the exchange that makes the Child SA. */
  readonly nonceI: Uint8Array
  readonly nonceR: Uint8Array
  /** g^ir of a CREATE_CHILD_SA exchange with KE payloads. */
  readonly sharedSecret?: Uint8Array
  /** Secrets of the additional key exchanges, in order (RFC 9370 2.2.4). */
  readonly additional?: readonly Uint8Array[]
}

/** Keys of one direction of a Child SA. */
export interface ChildDirectionKeys {
  /** Encryption key, then salt. */
  readonly encrKey: Uint8Array
  readonly integKey: Uint8Array
}

/** KEYMAT of a Child SA (RFC 7296 2.17): `initiator` encrypts what the initiator of this exchange sends. */
export function deriveChildKeys(
  prf: Prf,
  skD: Uint8Array,
  suite: { readonly cipher: Cipher | null; readonly integ: Integrity | null },
  input: ChildKeyInput,
): { readonly initiator: ChildDirectionKeys; readonly responder: ChildDirectionKeys } {
  const { cipher, integ } = suite
  const { sharedSecret = EMPTY, nonceI, nonceR, additional = [] } = input
  const seed = [sharedSecret, nonceI, nonceR, ...additional]
  const encrBytes = cipher === null ? 0 : cipher.keyBytes + cipher.saltBytes
  const macBytes = integ === null ? 0 : integ.keyBytes
  const cut = cutter(prfPlus(prf, skD, seed, 2 * (encrBytes + macBytes)))
  const initiator = { encrKey: cut(encrBytes), integKey: cut(macBytes) }
  return { initiator, responder: { encrKey: cut(encrBytes), integKey: cut(macBytes) } }
}

/** Cuts a key stream into copies, so that each key can be zeroed alone, and zeroes the stream as it goes. No key is one for all. */
function cutter(stream: Uint8Array): (length: number) => Uint8Array {
  let offset = 0
  return (length) => {
    if (length === 0) return EMPTY
    const key = stream.slice(offset, offset + length)
    stream.fill(0, offset, offset + length)
    offset += length
    return key
  }
}
