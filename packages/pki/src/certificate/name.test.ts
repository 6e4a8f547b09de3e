import { describe, expect, it } from 'vitest'
import { TAG } from '../der/reader.ts'
import { ascii, objectId, octetString, sequence, setOf, tlv } from '../testing/der-writer.ts'
import { isSameName } from './name.ts'

const COMMON_NAME = '2.5.4.3'
const SERIAL_NUMBER = '2.5.4.5'
const text = (type: string, value: string, tag: number = TAG.UTF8_STRING): Uint8Array =>
  sequence(objectId(type), tlv(tag, ascii(value)))
const octets = (type: string, value: string): Uint8Array => sequence(objectId(type), octetString(ascii(value)))
const name = (...attributes: readonly Uint8Array[]): Uint8Array => sequence(setOf(...attributes))

describe('an RDN of several attributes is a set', () => {
  const one = [text(COMMON_NAME, 'router'), text(SERIAL_NUMBER, '17'), octets(COMMON_NAME, 'router')]

  it('whose order does not count, nor the type of its strings', () => {
    expect(isSameName(name(...one), name(...one.toReversed()))).toBe(true)
    const printable = [octets(COMMON_NAME, 'router'), text(SERIAL_NUMBER, '17', TAG.PRINTABLE_STRING), one[0]!]
    expect(isSameName(name(...one), name(...printable))).toBe(true)
  })

  it('that is another one with another value, another type, or an attribute more or twice', () => {
    const [common, serial, raw] = one as [Uint8Array, Uint8Array, Uint8Array]
    for (const other of [
      [common, text(SERIAL_NUMBER, '18'), raw],
      [common, text(SERIAL_NUMBER, 'router'), raw],
      [common, serial],
      [common, serial, raw, serial],
      [common, common, raw],
      [octets(SERIAL_NUMBER, '17'), common, raw],
    ]) {
      expect(isSameName(name(...one), name(...other))).toBe(false)
      expect(isSameName(name(...other), name(...one))).toBe(false)
    }
  })
})
