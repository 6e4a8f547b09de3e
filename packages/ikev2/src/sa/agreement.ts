/**
 * What a negotiation of a Child SA or of a new IKE SA came to, before its keys are made.
 *
 * With additional key exchanges (RFC 9370 2.2.4) some exchanges lie between the two, and the agreement waits for their secrets.
 */
import type { Cipher, Integrity, Prf } from '@culvert/crypto'
import type { IkeSuite } from '../keys/key-schedule.ts'
import type { ChildProtocol, OriginalAddresses } from '../endpoint/contract.ts'
import type { IkeSpi, Spi, TrafficSelector, Transform } from '../message/model.ts'
import type { IkeTransforms } from './ike-transforms.ts'

export interface ResolvedChildSuite {
  readonly protocol: ChildProtocol
  /** ENCR_NULL with AH. */
  readonly encr: Transform
  readonly integ: Transform | null
  readonly esn: boolean
  /** Null with AH. */
  readonly cipher: Cipher | null
  readonly integrity: Integrity | null
}

/** What the key exchanges of CREATE_CHILD_SA gave (RFC 7296 2.17, RFC 9370 2.2.4). */
export interface ChildSecrets {
  /** Method of the first one. */
  readonly group: number
  readonly sharedSecret: Uint8Array
  /** Of those that followed, in order. */
  readonly additional: readonly Uint8Array[]
}

/** Everything a Child SA is made of. */
export interface ChildInput {
  readonly prf: Prf
  readonly skD: Uint8Array
  readonly suite: ResolvedChildSuite
  readonly nonceI: Uint8Array
  readonly nonceR: Uint8Array
  /** Null without PFS. */
  readonly secrets: ChildSecrets | null
  /** Whether we started the exchange that makes it. */
  readonly exchangeInitiator: boolean
  readonly spiIn: Spi
  readonly spiOut: Spi
  readonly mode: 'tunnel' | 'transport'
  readonly tsLocal: readonly TrafficSelector[]
  readonly tsRemote: readonly TrafficSelector[]
  /** As in `ChildSaDescription`. */
  readonly originalAddresses?: OriginalAddresses | 'unknown' | undefined
  /** Whether we send on it at once. */
  readonly outbound: boolean
  readonly replaces: Spi | null
}

/** The transforms of a chosen IKE proposal together with what computes them. */
export interface ResolvedIkeSuite {
  readonly transforms: IkeTransforms
  readonly suite: IkeSuite
}

/** Everything the successor of an IKE SA is made of, beside SK_d of the old one. */
export interface IkeInput {
  readonly resolved: ResolvedIkeSuite
  readonly spiI: IkeSpi
  readonly spiR: IkeSpi
  readonly nonceI: Uint8Array
  readonly nonceR: Uint8Array
  readonly sharedSecret: Uint8Array
}

/** Forgets secrets that went into keys, or never will. */
export function wipeSecrets(secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0)
}
