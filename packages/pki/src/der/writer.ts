/** Writes DER: tags, lengths and the few types a list of revoked certificates needs. */
import { fromHex } from '@culvert/bytes'
import { oid, type Oid } from './object-identifier.ts'
import { TAG } from './reader.ts'

/** @returns tag, length and the parts joined; contents below 2^24 octets. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  return Uint8Array.from(Buffer.concat([Buffer.of(tag, ...lengthOctets(content.length)), content]))
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length]
  if (length < 0x100) return [0x81, length]
  if (length < 0x1_0000) return [0x82, length >>> 8, length & 0xff]
  return [0x83, length >>> 16, (length >>> 8) & 0xff, length & 0xff]
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(TAG.SEQUENCE, ...parts)
export const octetString = (...parts: readonly Uint8Array[]): Uint8Array => tlv(TAG.OCTET_STRING, ...parts)
export const bitString = (content: Uint8Array): Uint8Array => tlv(TAG.BIT_STRING, Uint8Array.of(0), content)
export const NULL: Uint8Array = tlv(TAG.NULL)

/** @param value a number that is not negative, or the content octets in hexadecimal as they are. */
export function integer(value: number | string): Uint8Array {
  const hex = typeof value === 'string' ? value : value.toString(16)
  const octets = fromHex(hex.length % 2 === 0 ? hex : `0${hex}`) ?? new Uint8Array(0)
  const isNegative = typeof value === 'number' && (octets[0] ?? 0) >= 0x80
  return tlv(TAG.INTEGER, isNegative ? Uint8Array.of(0, ...octets) : octets)
}

/** @param id dotted, or as the code has it. */
export function objectId(id: string): Uint8Array {
  return tlv(TAG.OID, fromHex(id.includes('.') ? oid(id) : (id as Oid)) ?? new Uint8Array(0))
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 4.1.2.5). */
export function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  const isLate = digits >= '2050'
  return tlv(isLate ? TAG.GENERALIZED_TIME : TAG.UTC_TIME, new TextEncoder().encode(isLate ? digits : digits.slice(2)))
}
