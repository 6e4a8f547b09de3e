/**
 * Body of the Identification payloads (RFC 7296 3.5): ID type | reserved(3) | data.
 *
 * Rule C29: addresses have their length, FQDN and RFC822 names hold no terminators or other control characters, and the size
 * is bounded (N13). AUTH covers this body as it was sent, the reserved octets included, so they are kept (RFC 7296 2.15).
 */
import { concatBytes } from '@culvert/bytes'
import { MAX_IDENTITY_BYTES } from './limits.ts'
import type { Identity, Payload, Result } from './model.ts'
import { ID_TYPE, PAYLOAD } from './numbers.ts'
import { readU16, readU8, writeU16 } from './octets.ts'
import { failure, success } from './result.ts'

const FIXED_BYTES = 4

type IdentityPayload = Extract<Payload, { kind: 'idI' | 'idR' }>

export function decodeIdentity(
  payloadType: typeof PAYLOAD.ID_I | typeof PAYLOAD.ID_R,
  bytes: Uint8Array,
  start: number,
  end: number,
): Result<IdentityPayload> {
  if (end - start < FIXED_BYTES) return failure('payloadTooShort', payloadType, start)
  const id: Identity = { type: readU8(bytes, start), data: bytes.subarray(start + FIXED_BYTES, end) }
  if (!isWellFormed(id)) return failure('badIdentity', payloadType, start)
  const kind = payloadType === PAYLOAD.ID_I ? 'idI' : 'idR'
  const reserved = (readU8(bytes, start + 1) << 16) | readU16(bytes, start + 2)
  return success(reserved === 0 ? { kind, id } : { kind, id, reserved })
}

function isWellFormed(id: Identity): boolean {
  if (id.data.length > MAX_IDENTITY_BYTES) return false
  switch (id.type) {
    case ID_TYPE.IPV4_ADDR:
      return id.data.length === 4
    case ID_TYPE.IPV6_ADDR:
      return id.data.length === 16
    case ID_TYPE.FQDN:
    case ID_TYPE.RFC822_ADDR:
      return isPrintable(id.data)
    default:
      return true
  }
}

function isPrintable(text: Uint8Array): boolean {
  for (const octet of text) if (octet < 0x20 || octet === 0x7f) return false
  return true
}

/** The body of an ID payload, which is what `prf(SK_p, ...)` covers (RFC 7296 2.15). @returns a fresh array. */
export function identityBody(id: Identity, reserved = 0): Uint8Array {
  const bytes = concatBytes(new Uint8Array(FIXED_BYTES), id.data)
  bytes[0] = id.type
  bytes[1] = reserved >>> 16
  writeU16(bytes, 2, reserved & 0xffff)
  return bytes
}
