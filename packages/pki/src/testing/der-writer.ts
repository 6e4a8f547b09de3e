/** Writes DER for tests, wrong DER too. */
import { fromHex } from '@culvert/bytes'
import type { Oid } from '../der/object-identifier.ts'
import { oid } from '../der/object-identifier.ts'
import { TAG } from '../der/reader.ts'

export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Uint8Array.of(tag, ...head, ...content)
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(TAG.SEQUENCE, ...parts)
export const setOf = (...parts: readonly Uint8Array[]): Uint8Array => tlv(TAG.SET, ...parts)
export const octetString = (...parts: readonly Uint8Array[]): Uint8Array => tlv(TAG.OCTET_STRING, ...parts)
export const bitString = (content: Uint8Array): Uint8Array => tlv(TAG.BIT_STRING, Uint8Array.of(0), content)
export const boolean = (value: boolean): Uint8Array => tlv(TAG.BOOLEAN, Uint8Array.of(value ? 0xff : 0))
export const NULL: Uint8Array = tlv(TAG.NULL)
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

export function integer(value: number | string): Uint8Array {
  const hex = typeof value === 'string' ? value : value.toString(16)
  const even = hex.length % 2 === 0 ? hex : `0${hex}`
  const octets = fromHex(even)!
  return tlv(TAG.INTEGER, octets[0]! >= 0x80 && typeof value === 'number' ? Uint8Array.of(0, ...octets) : octets)
}

/** @param id dotted, or as the code has it. */
export function objectId(id: string): Uint8Array {
  return tlv(TAG.OID, fromHex(id.includes('.') ? oid(id) : (id as Oid))!)
}

export function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  const isLate = digits >= '2050'
  return tlv(isLate ? TAG.GENERALIZED_TIME : TAG.UTC_TIME, ascii(isLate ? digits : digits.slice(2)))
}

/** A name of common names in UTF-8. */
export function commonName(...names: readonly string[]): Uint8Array {
  return sequence(...names.map((name) => setOf(sequence(objectId('2.5.4.3'), tlv(TAG.UTF8_STRING, ascii(name))))))
}
