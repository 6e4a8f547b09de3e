/** Makes the two forms of `Result`, so that decoders read as what they decide. */
import type { DecodeError, DecodeErrorCode } from './model.ts'

export function success<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

/** @param offset of the octet that is wrong, from the start of the octets given to the decoder. */
export function failure(
  code: DecodeErrorCode,
  payloadType: number,
  offset: number,
): { readonly ok: false; readonly error: DecodeError } {
  return { ok: false, error: { code, payloadType, offset } }
}
