import { describe, expect, it } from 'vitest'
import { quotedUdp4, quotedUdp6, type SentPacket, tooBig4, tooBig6 } from '../../../test/router-errors.ts'
import type { NativeSa } from '../sa/native-sa.ts'
import { AF_INET, AF_INET6, PacketMemory } from '../../foreign/index.ts'
import { readPathError } from './path-error.ts'
import { PathMtus } from './path-mtus.ts'
import { SA_LINE_FIELDS, SaField, SharedState } from '../shared-memory/shared-state.ts'
import { encodeSocketAddress, SOCKADDR_BYTES } from '../sockets/socket-address.ts'

const GCM = { ivBytes: 8, icvBytes: 16, alignBytes: 4 }
const MINUTE_MS = 60_000
const SENT: SentPacket = {
  local: ['192.0.2.1', 4500],
  remote: ['198.51.100.7', 31_000],
  spi: 0x0700_0301,
  sequenceLow: 100_000,
}
const SENT6: SentPacket = { ...SENT, local: ['2001:db8::1', 4500], remote: ['2001:db8:1::7', 4500] }

describe('RFC 4301 8.2 path MTU of an SA', () => {
  it('begins as the route is, less what ESP in UDP adds', () => {
    const { mtu, paths, record } = scene()
    expect(mtu()).toBe(1500)
    // 1500 - 20 IP - 8 UDP - 8 ESP - 8 IV - 16 ICV = 1440, less pad length and next header
    expect(paths.largestInner(record)).toBe(1438)
  })

  it.each([
    ['tunnel', null, 1500 - 20 - 28],
    ['transport', {}, 1500 - 28],
  ])('of AH in %s mode is less its header, and the outer one if there is one', (_mode, transport, most) => {
    const { paths, record } = scene()
    const sa = { ah: { sealer: { icvBytes: 16 } }, transport } as unknown as NativeSa['sa']
    expect(paths.largestInner({ ...record, sa })).toBe(most)
  })

  it('is unlimited where nobody knows the route', () => {
    const { paths, record } = scene({ route: 0 })
    expect(paths.largestInner(record)).toBe(65_535)
  })

  it('is lowered by a router that quotes a recent packet, never raised', () => {
    const { mtu, hear } = scene()
    expect(hear(1300)).toBe(true)
    expect(mtu()).toBe(1300)
    expect(hear(1400)).toBe(false)
    expect(mtu()).toBe(1300)
    expect(hear(1000)).toBe(true)
    expect(mtu()).toBe(1000)
  })

  it('N17 never falls below 576 over IPv4, whatever a router says', () => {
    const { mtu, hear } = scene()
    expect(hear(68)).toBe(true)
    expect(mtu()).toBe(576)
  })

  it('RFC 8201 4 ignores messages below 1280 over IPv6', () => {
    const { mtu, hear } = scene({ sent: SENT6 })
    expect(hear(1279)).toBe(false)
    expect(hear(1280)).toBe(true)
    expect(mtu()).toBe(1280)
  })

  it('believes a router that quotes too little for a proof down to 1280', () => {
    const { mtu, hear } = scene()
    expect(hear(600, { quotedBytes: 28 })).toBe(true)
    expect(mtu()).toBe(1280)
  })

  it('RFC 1191 5 guesses when an old router names no MTU', () => {
    const { mtu, hear } = scene()
    hear(0)
    expect(mtu()).toBe(1280)
    hear(0)
    expect(mtu()).toBe(576)
  })

  it.each<[string, Partial<SentPacket>]>([
    ['of another SPI', { spi: 0x0700_0302 }],
    ['never sent', { sequenceLow: 100_001 }],
    ['sent long ago', { sequenceLow: 100_000 - 0x10000 }],
    ['from another port of ours', { local: ['192.0.2.1', 500] }],
    ['from another address', { local: ['192.0.2.9', 4500] }],
    ['to another peer', { remote: ['198.51.100.8', 31_000] }],
    ['to another port', { remote: ['198.51.100.7', 31_001] }],
  ])('N17 does not believe who quotes a packet %s', (_what, change) => {
    const { mtu, hear } = scene()
    expect(hear(1300, change)).toBe(false)
    expect(mtu()).toBe(1500)
  })

  it('RFC 1191 6.3 forgets after ten minutes', () => {
    const { mtu, hear, paths } = scene()
    hear(1300)
    paths.advanceTo(10 * MINUTE_MS - 1)
    expect(mtu()).toBe(1300)
    paths.advanceTo(10 * MINUTE_MS)
    expect(mtu()).toBe(1500)
  })

  it('asks for the route again when the kernel refused a datagram, and then believes less than 1280', () => {
    const { mtu, paths, record, state } = scene()
    state.route = 900
    paths.noteRefused(record, 0)
    expect(mtu()).toBe(900)
  })

  it('a refused datagram forgets nothing that a router has said', () => {
    const { mtu, hear, paths, record } = scene()
    hear(1000)
    paths.noteRefused(record, 0) // the route still says 1500
    expect(mtu()).toBe(1000)
  })

  it('belongs to the address: a move begins anew, and the former address has no say any more', () => {
    const { mtu, hear, paths, record, memory } = scene()
    hear(1300)
    paths.remove(record)
    encodeSocketAddress({ address: '203.0.113.5', port: 4500 }, memory.bytes, record.destination)
    paths.add(record)
    expect(mtu()).toBe(1500)
    expect(hear(1300)).toBe(false)
    expect(hear(1300, { remote: ['203.0.113.5', 4500] })).toBe(true)
    paths.remove(record)
    expect(hear(1200, { remote: ['203.0.113.5', 4500] })).toBe(false)
  })
})

function scene(given: { route?: number; sent?: SentPacket } = {}) {
  const { sent = SENT } = given
  const isIpv4 = sent.local[0].includes('.')
  const memory = new PacketMemory(1 << 16)
  const shared = SharedState.create(4)
  const state = { route: given.route ?? 1500 }
  const locals = [{ address: sent.local[0], port: 4500 }]
  const paths = new PathMtus({ memory, shared, locals, routeMtu: () => state.route })
  const destination = memory.allocate(SOCKADDR_BYTES)
  encodeSocketAddress({ address: sent.remote[0], port: sent.remote[1] }, memory.bytes, destination)
  const sa = { spiOut: sent.spi, sequence: { lastLow: sent.sequenceLow }, udpEncap: true, ah: null, transport: null }
  const record = { sa, sealer: GCM, destination, line: SA_LINE_FIELDS } as unknown as NativeSa
  paths.add(record)
  const hear = (mtuBytes: number, change: Partial<SentPacket> & { quotedBytes?: number } = {}): boolean => {
    const packet = { ...sent, ...change }
    const quoted = (isIpv4 ? quotedUdp4(packet) : quotedUdp6(packet)).subarray(0, change.quotedBytes)
    const message = isIpv4 ? tooBig4(mtuBytes, quoted) : tooBig6(mtuBytes, quoted)
    return paths.noteRouterError(readPathError(message, isIpv4 ? AF_INET : AF_INET6)!, 0)
  }
  return { memory, paths, record, state, hear, mtu: () => shared.sas[record.line + SaField.pathMtu] }
}
