/**
 * Inbound ESP against recorded strongSwan peers: every ESP packet of every scenario goes through `decapsulate` and comes out as an
 * independent decoder saw it; a second time it is a replay.
 */
import { readFileSync } from 'node:fs'
import { nobleProvider, opensslProvider } from '@culvert/crypto'
import type { CryptoProvider } from '@culvert/crypto'
import {
  createDecapsulated,
  createTransformPair,
  decapsulate,
  DropCode,
  RandomPool,
  Sad,
  SPI_INDEX_COUNT,
  spiSlot,
} from '@culvert/esp'
import type { ChildKeys, ChildSaDescription, Spi, TrafficSelector } from '@culvert/ikev2'
import { describe, expect, it } from 'vitest'
import { hexBytes, loadDatagrams, loadDerivation, loadExpected, scenarioNames } from './capture-scenario.ts'

interface ExpectedEsp {
  readonly frame: number
  readonly kind: string
  readonly spi?: string
  readonly seq?: number
  readonly inner_packet?: string
}

const scenarios = scenarioNames()
  .map((name) => ({
    name,
    packets: (loadExpected(name) as readonly ExpectedEsp[]).filter(({ kind }) => kind === 'esp'),
  }))
  .filter(({ packets }) => packets.length > 0)

describe('ESP in the captures', () => {
  it('is in 42 scenarios, 258 packets', () => {
    expect([scenarios.length, scenarios.flatMap(({ packets }) => packets).length]).toEqual([42, 258])
  })
})

describe.each([opensslProvider, nobleProvider])('ESP in the captures with the $name provider', (provider) => {
  it.each(scenarios)('$name opens as another decoder saw it, once', ({ name, packets }) => {
    const datagrams = new Map(loadDatagrams(name).map((datagram) => [datagram.frame, datagram.payload]))
    const sads = createSads(name, packets, datagrams, provider)
    const seen = new Set<string>()
    for (const { frame, spi = '', seq, inner_packet: inner } of packets) {
      const sad = sads.get(spi)!
      const datagram = Uint8Array.from(datagrams.get(frame)!)
      const out = createDecapsulated()
      const isFirst = !seen.has(`${spi}/${seq}`)
      seen.add(`${spi}/${seq}`)
      expect(decapsulate(sad, datagram, out)).toBe(isFirst ? DropCode.none : DropCode.replayed)
      const opened = Buffer.from(out.buffer.subarray(0, out.length)).toString('hex')
      expect(opened).toBe(isFirst ? inner : '')
      expect(decapsulate(sad, datagram, out)).toBe(DropCode.replayed)
    }
  })
})

/** One database for each SPI: here both ends of every SA are "we". */
function createSads(
  name: string,
  packets: readonly ExpectedEsp[],
  datagrams: ReadonlyMap<number, Uint8Array>,
  provider: CryptoProvider,
): ReadonlyMap<string, Sad> {
  const table = new Map(tableKeys(name))
  const firstOf = new Map(packets.toReversed().map(({ spi = '', frame }) => [spi, datagrams.get(frame)!]))
  return new Map(
    [...firstOf].map(([spi, first]) => {
      const keys = table.get(spi) ?? chachaKeys(name).find((candidate) => opens(candidate, first, provider))
      if (keys === undefined) throw new Error(`no keys for SPI ${spi} in ${name}`)
      return [spi, createSad(Number.parseInt(spi, 16) as Spi, keys, provider)]
    }),
  )
}

function opens(keys: ChildKeys, datagram: Uint8Array, provider: CryptoProvider): boolean {
  const pair = createTransformPair(keys, transformContext(provider))
  return pair.ok && pair.value.opener.open(datagram, 0) !== null
}

function transformContext(provider: CryptoProvider): Parameters<typeof createTransformPair>[1] {
  return { provider, incarnation: 0, random: new RandomPool((length) => new Uint8Array(length)) }
}

function createSad(spiIn: Spi, keys: ChildKeys, provider: CryptoProvider): Sad {
  const sad = new Sad({
    nodeSlot: spiSlot(spiIn),
    maxSas: SPI_INDEX_COUNT,
    replayWindowPackets: 64,
    outboundBy: 'source',
  })
  const pair = createTransformPair(keys, transformContext(provider))
  if (!pair.ok) throw new Error(pair.error)
  expect(sad.install(description(spiIn, keys), pair.value, null)).toBeTypeOf('object')
  return sad
}

function description(spiIn: Spi, keys: ChildKeys): ChildSaDescription {
  const any = [anyAddress(7, 4), anyAddress(8, 16)]
  const end = { address: '192.0.2.1', port: 4500 }
  return {
    spiIn,
    spiOut: 1 as Spi,
    keys,
    path: { local: end, remote: end },
    udpEncap: true,
    peerBehindNat: false,
    mode: 'tunnel',
    tsLocal: any,
    tsRemote: any,
    outbound: false,
    replaces: null,
  }
}

function anyAddress(type: 7 | 8, bytes: number): TrafficSelector {
  const [startAddress, endAddress] = [new Uint8Array(bytes), new Uint8Array(bytes).fill(255)]
  return { type, protocol: 0, startPort: 0, endPort: 0xffff, startAddress, endAddress }
}

function inboundKeys(encr: ChildKeys['encr'], key: string, integ: ChildKeys['integ'], integKey: string): ChildKeys {
  return {
    encr,
    integ,
    esn: false,
    inboundKey: hexBytes(key),
    outboundKey: hexBytes(key),
    inboundIntegKey: hexBytes(integKey),
    outboundIntegKey: hexBytes(integKey),
  }
}

/** Rows of the dissector's table: family, source, destination, SPI, cipher, key, integrity, key. */
function tableKeys(name: string): [spi: string, keys: ChildKeys][] {
  const file = new URL(`./captures/${name}/keys/esp_sa`, import.meta.url)
  const rows = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return rows.map((row) => {
    const [, , , spi = '', cipher = '', key = '', integrity = '', integKey = ''] = row
      .split(',')
      .map((field) => field.replaceAll('"', ''))
    const isGcm = cipher.startsWith('AES-GCM')
    const hexKey = key.slice(2)
    const keyBits = (hexKey.length / 2 - (isGcm ? 4 : 0)) * 8
    const integ = integrity === 'HMAC-SHA-256-128 [RFC4868]' ? { type: 3, id: 12, keyBits: null } : null
    return [spi.slice(2), inboundKeys({ type: 1, id: isGcm ? 20 : 12, keyBits }, hexKey, integ, integKey.slice(2))]
  })
}

/** The table has no name for ChaCha20-Poly1305: all keys of the derivation, in no particular order of SPIs. */
function chachaKeys(name: string): ChildKeys[] {
  return loadDerivation(name)
    .filter(({ label }) => /^encryption (initiator|responder) key$/.test(label))
    .map(({ hex }) => inboundKeys({ type: 1, id: 28, keyBits: null }, hex, null, ''))
}
