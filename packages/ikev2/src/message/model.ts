/**
 * The message model of IKEv2 (RFC 7296 section 3): what the decoder returns and the encoder takes.
 *
 * Plain data, no behaviour. Byte arrays alias the decoded datagram; whoever keeps one past the call copies it.
 * Numbers are IANA's; names for them live in `numbers.ts`.
 */

/** An IKE SPI: 16 lower-case hexadecimal digits, so that it can be a map key. `ZERO_SPI` before the responder chose. */
export type IkeSpi = string & { readonly __brand: 'IkeSpi' }
/** SPI of an ESP SA, unsigned 32 bits, never 0 on the wire. */
export type Spi = number & { readonly __brand: 'Spi' }
export type MessageId = number & { readonly __brand: 'MessageId' }

export const ZERO_SPI = '0000000000000000' as IkeSpi

export interface IkeHeader {
  readonly spiI: IkeSpi
  readonly spiR: IkeSpi
  readonly exchangeType: number
  readonly messageId: MessageId
  /** The I flag: the sender is the original initiator of this IKE SA. */
  readonly fromOriginalInitiator: boolean
  /** The R flag. */
  readonly isResponse: boolean
}

export interface Transform {
  readonly type: number
  readonly id: number
  /** Key Length attribute in bits; null when absent. */
  readonly keyBits: number | null
  /** An attribute we do not know makes the transform unusable (RFC 7296 3.3.6), but it is still shown. */
  readonly unknownAttribute?: true
}

export interface Proposal {
  readonly number: number
  readonly protocolId: number
  /** 0, 4 or 8 bytes. */
  readonly spi: Uint8Array
  readonly transforms: readonly Transform[]
}

/** RFC 7296 3.13.1; addresses are 4 or 16 bytes, both ends inclusive. */
export interface TrafficSelector {
  readonly type: 7 | 8
  /** IP protocol, 0 for any. */
  readonly protocol: number
  readonly startPort: number
  readonly endPort: number
  readonly startAddress: Uint8Array
  readonly endAddress: Uint8Array
}

export interface Identity {
  readonly type: number
  readonly data: Uint8Array
}

export interface ConfigurationAttribute {
  readonly type: number
  readonly value: Uint8Array
}

export type Payload =
  | { readonly kind: 'sa'; readonly proposals: readonly Proposal[] }
  | { readonly kind: 'ke'; readonly group: number; readonly data: Uint8Array }
  /** `reserved`: the three reserved octets, present when not zero: AUTH covers them as received (RFC 7296 2.15). */
  | { readonly kind: 'idI'; readonly id: Identity; readonly reserved?: number }
  | { readonly kind: 'idR'; readonly id: Identity; readonly reserved?: number }
  | { readonly kind: 'cert'; readonly encoding: number; readonly data: Uint8Array }
  | { readonly kind: 'certReq'; readonly encoding: number; readonly data: Uint8Array }
  | { readonly kind: 'auth'; readonly method: number; readonly data: Uint8Array }
  | { readonly kind: 'nonce'; readonly data: Uint8Array }
  | {
      readonly kind: 'notify'
      readonly protocolId: number
      readonly spi: Uint8Array
      readonly type: number
      readonly data: Uint8Array
    }
  | { readonly kind: 'delete'; readonly protocolId: number; readonly spis: readonly Uint8Array[] }
  | { readonly kind: 'vendor'; readonly data: Uint8Array }
  | { readonly kind: 'tsI'; readonly selectors: readonly TrafficSelector[] }
  | { readonly kind: 'tsR'; readonly selectors: readonly TrafficSelector[] }
  | { readonly kind: 'cp'; readonly cfgType: number; readonly attributes: readonly ConfigurationAttribute[] }
  | { readonly kind: 'eap'; readonly data: Uint8Array }
  /** An unknown payload that was not critical; skipped by every handler. */
  | { readonly kind: 'unknown'; readonly type: number; readonly data: Uint8Array }

/** The encrypted payload as it stands in a datagram, not yet authenticated (SK: total is 0; SKF: RFC 7383). */
export interface SealedPayload {
  /** Type of the first payload inside; 0 for fragments after the first. */
  readonly innerType: number
  readonly fragmentNumber: number
  readonly totalFragments: number
  /** Offset in the datagram where IV, ciphertext and ICV start; everything before it is additional authenticated data. */
  readonly bodyOffset: number
}

/** A datagram whose header and clear payloads were understood. */
export interface Message {
  readonly header: IkeHeader
  readonly payloads: readonly Payload[]
  /** Present when the last payload is SK or SKF. */
  readonly sealed: SealedPayload | null
}

/** Why a message could not be decoded; `offset` counts from the start of the octets given to the decoder. */
export interface DecodeError {
  readonly code: DecodeErrorCode
  readonly payloadType: number
  readonly offset: number
}

export type DecodeErrorCode =
  | 'truncated'
  | 'lengthMismatch'
  | 'majorVersion'
  | 'payloadTooShort'
  | 'payloadOverrun'
  | 'unknownCritical'
  | 'sealedNotLast'
  | 'sealedNested'
  | 'badProposal'
  | 'badTransform'
  | 'badAttribute'
  | 'badSelector'
  | 'badDelete'
  | 'badNotify'
  | 'badConfiguration'
  | 'badIdentity'
  | 'badFragment'
  | 'tooMany'
  | 'badIcv'
  | 'badPadding'

export type Result<T, E = DecodeError> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }
