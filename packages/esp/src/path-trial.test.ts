import { beforeEach, describe, expect, it } from 'vitest'
import { describeSa, installIn, ip4, SAD_OPTIONS, udp } from '../test/packets.ts'
import type { ChildSa } from './child-sa.ts'
import { DropCode } from './drop-code.ts'
import { createEncapsulated, encapsulate } from './encapsulate.ts'
import { earnPathCredit, spendPathCredit } from './path-trial.ts'
import { Sad } from './sad.ts'
import { composeSpi } from './spi.ts'

const SPI = composeSpi(1, 1, 0)
const path = (port: number) => ({
  local: { address: '192.0.2.1', port: 4500 },
  remote: { address: '198.51.100.9', port },
})

describe('a path on trial (RFC 7296 2.23)', () => {
  let sad: Sad
  let sa: ChildSa
  beforeEach(() => {
    sad = new Sad(SAD_OPTIONS)
    sa = installIn(sad, describeSa(SPI))
  })
  const move = (port: number, isConfirmed: boolean): void =>
    sad.move(SPI, path(port), { peerBehindNat: true, isConfirmed })

  it('RFC 7296 2.23 sends at most three times what came from an unconfirmed address', () => {
    expect(spendPathCredit(sa, 1e9)).toBe(true)
    move(5, false)
    expect(spendPathCredit(sa, 1)).toBe(false)
    earnPathCredit(sa, 100)
    expect([spendPathCredit(sa, 200), spendPathCredit(sa, 101), spendPathCredit(sa, 100)]).toEqual([true, false, true])
    expect(spendPathCredit(sa, 1)).toBe(false)
  })

  it('RFC 7296 2.23 ends the limit when the address is confirmed', () => {
    move(5, false)
    move(5, true)
    expect(spendPathCredit(sa, 1e9)).toBe(true)
  })

  it('RFC 7296 2.23 keeps what was earned when the same address is told again, and nothing of another', () => {
    move(5, false)
    earnPathCredit(sa, 100)
    move(5, false)
    expect(spendPathCredit(sa, 200)).toBe(true)
    move(6, false)
    expect(spendPathCredit(sa, 1)).toBe(false)
  })

  it('RFC 7296 2.23 loses no sequence number to a packet that must wait', () => {
    const packet = ip4({ source: '10.127.0.1', destination: '10.128.0.5' }, udp(1, 2))
    const send = (): DropCode => {
      const bytes = new Uint8Array(packet.length + 18)
      bytes.set(packet)
      const out = createEncapsulated()
      out.buffer = new Uint8Array(200)
      return encapsulate(sad, { bytes, offset: 0, length: packet.length }, out)
    }
    move(5, false)
    expect([send(), sa.sequenceLow, sa.packetsOut]).toEqual([DropCode.pathUnconfirmed, 0, 0])
    earnPathCredit(sa, 50)
    expect([send(), send(), send(), sa.sequenceLow]).toEqual([
      DropCode.none,
      DropCode.none,
      DropCode.pathUnconfirmed,
      2,
    ])
  })
})
