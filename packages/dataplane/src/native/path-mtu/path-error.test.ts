import { describe, expect, it } from 'vitest'
import { onesSum } from '../../../test/inner-packets.ts'
import { quotedUdp4, quotedUdp6, tooBig4, tooBig6 } from '../../../test/router-errors.ts'
import { readPathError } from './path-error.ts'
import { AF_INET, AF_INET6 } from '../../foreign/index.ts'

const SENT = { local: ['192.0.2.1', 4500], remote: ['198.51.100.7', 31_000], spi: 0x07000301, sequenceLow: 77 } as const
const SENT6 = { ...SENT, local: ['2001:db8::1', 4500], remote: ['2001:db8:1::7', 4500] } as const

describe('RFC 1191 4 fragmentation needed, as a raw socket delivers it', () => {
  const message = tooBig4(1280, quotedUdp4(SENT))

  it('names the path, the MTU and the ESP packet', () => {
    expect(readPathError(message, AF_INET)).toEqual({
      protocol: 17,
      local: { address: '192.0.2.1', port: 4500 },
      remote: { address: '198.51.100.7', port: 31_000 },
      mtuBytes: 1280,
      esp: { spi: 0x07000301, sequenceLow: 77 },
    })
  })

  it('has no ESP header where the router quotes only eight octets (RFC 792)', () => {
    expect(readPathError(tooBig4(1280, quotedUdp4(SENT).subarray(0, 28)), AF_INET)?.esp).toBeNull()
  })

  it('reads native ESP', () => {
    const quoted = quotedUdp4(SENT)
    quoted[9] = 50
    expect(readPathError(tooBig4(1280, quoted), AF_INET)).toMatchObject({ protocol: 50, remote: { port: 0 } })
  })

  it('reads AH, whose SPI and number stand behind four octets', () => {
    const quoted = quotedUdp4(SENT)
    quoted[9] = 51
    quoted.copyWithin(24, 28) // where the ports were: next header, length, reserved
    expect(readPathError(tooBig4(1280, quoted), AF_INET)).toMatchObject({
      protocol: 51,
      esp: { spi: SENT.spi, sequenceLow: SENT.sequenceLow },
    })
    expect(readPathError(tooBig4(1280, quoted.subarray(0, 28)), AF_INET)?.esp).toBeNull()
  })

  it('N17 survives every truncation, every changed octet and takes nothing that does not sum up', () => {
    for (let length = 0; length < message.length; length++) {
      expect(readPathError(message.subarray(0, length), AF_INET)).toBeNull()
    }
    for (let at = 20; at < message.length; at++) {
      const changed = message.slice()
      changed[at]! ^= 0x11
      expect(readPathError(changed, AF_INET)).toBeNull()
    }
  })

  it.each<[string, (bytes: Uint8Array) => void]>([
    ['another code', (bytes) => (bytes[21] = 3)],
    ['another type', (bytes) => (bytes[20] = 11)],
    ['a quoted IPv6 packet', (bytes) => (bytes[28] = 0x65)],
    ['a later fragment', (bytes) => (bytes[35] = 1)],
    ['TCP', (bytes) => (bytes[37] = 6)],
    ['a quoted header that is too short', (bytes) => (bytes[28] = 0x44)],
  ])('ignores %s', (_what, change) => {
    const bytes = message.slice()
    change(bytes)
    bytes.fill(0, 22, 24)
    const sum = ~onesSum(bytes.subarray(20)) & 0xffff
    bytes[22] = sum >>> 8
    bytes[23] = sum
    expect(readPathError(bytes, AF_INET)).toBeNull()
  })
})

describe('RFC 4443 3.2 packet too big', () => {
  it('names the path, the MTU and the ESP packet', () => {
    expect(readPathError(tooBig6(1400, quotedUdp6(SENT6)), AF_INET6)).toEqual({
      protocol: 17,
      local: { address: '2001:db8::1', port: 4500 },
      remote: { address: '2001:db8:1::7', port: 4500 },
      mtuBytes: 1400,
      esp: { spi: 0x07000301, sequenceLow: 77 },
    })
  })

  it('N17 survives every truncation', () => {
    const message = tooBig6(1400, quotedUdp6(SENT6))
    for (let length = 0; length < 56; length++) expect(readPathError(message.subarray(0, length), AF_INET6)).toBeNull()
    expect(readPathError(message.subarray(0, 56), AF_INET6)?.esp).toBeNull()
  })
})
