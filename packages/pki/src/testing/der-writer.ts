/** Writes DER for tests, wrong DER too. */
import { objectId, sequence, tlv } from '../der/writer.ts'
import { TAG } from '../der/reader.ts'

export { bitString, integer, NULL, objectId, octetString, sequence, time, tlv } from '../der/writer.ts'

export const setOf = (...parts: readonly Uint8Array[]): Uint8Array => tlv(TAG.SET, ...parts)
export const boolean = (value: boolean): Uint8Array => tlv(TAG.BOOLEAN, Uint8Array.of(value ? 0xff : 0))
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A name of common names in UTF-8. */
export function commonName(...names: readonly string[]): Uint8Array {
  return sequence(...names.map((name) => setOf(sequence(objectId('2.5.4.3'), tlv(TAG.UTF8_STRING, ascii(name))))))
}
