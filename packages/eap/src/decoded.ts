/** What every decoder of this package gives: a value, or why the octets cannot be one. Nothing here throws on peer input. */

export type EapDecodeErrorCode =
  /** Ends inside a field. */
  | 'truncated'
  /** A length or count that does not agree with the octets there are, or that is out of bounds. */
  | 'badLength'
  /** A code, opcode or subtype that is none. */
  | 'badCode'
  /** The expanded type (RFC 3748 5.7), which is not spoken here. */
  | 'expandedType'
  /** A field whose content is forbidden. */
  | 'badValue'

export interface EapDecodeError {
  readonly code: EapDecodeErrorCode
  /** Of the octet that is wrong, from the start of the octets given to the decoder. */
  readonly offset: number
}

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: EapDecodeError }

export function decoded<T>(value: T): Decoded<T> {
  return { ok: true, value }
}

export function refused(code: EapDecodeErrorCode, offset: number): Decoded<never> {
  return { ok: false, error: { code, offset } }
}
