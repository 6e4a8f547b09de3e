/**
 * scapy and our packet path, which share no code, about the same SAs: each opens what the other sealed. ESP of every cipher and AH of
 * every integrity algorithm that scapy has, in tunnel and transport mode, with and without extended sequence numbers, IPv4 and IPv6.
 *
 * What scapy 2.5 does not do: AES-GCM with an ICV below 16 octets, and ESN in ESP beside a separate integrity algorithm.
 */
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import {
  createDecapsulated,
  createEncapsulated,
  decapsulate,
  DROP_CODE_NAMES,
  DropCode,
  findOutbound,
  openAh,
  sealAhInto,
  sealInto,
} from '@culvert/esp'
import type { ChildKeys, ChildSaDescription, TrafficSelector } from '@culvert/ikev2'
import { peer } from '@culvert/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  createEnds,
  type Ends,
  ip4,
  ip6,
  range4,
  range6,
  type Suite,
  udp,
  withRoom,
} from '../../../packages/esp/test/packets.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'

const missing = await firstMissing('scapy')
const CONCENTRATOR = '192.0.2.1'
const DEVICE = '192.0.2.2'
const [CONCENTRATOR6, DEVICE6] = ['2001:db8::1', '2001:db8::2']
const SEQUENCE_HIGH = 7

interface Scapy {
  readonly cipher?: string
  readonly integrity?: string
}

interface Case {
  readonly title: string
  readonly suite: Suite
  readonly scapy: Scapy
  readonly protocol: 'esp' | 'ah'
  readonly mode: 'tunnel' | 'transport'
  readonly esn: boolean
  readonly version: 4 | 6
  readonly options: readonly number[]
}

interface Ask {
  readonly kind: 'seal' | 'open'
  readonly packet: string
  readonly [field: string]: unknown
}

function suite(name: string, encr: ChildKeys['encr'], integ: number | null, sizes: readonly [number, number]): Suite {
  return {
    name,
    encr,
    integ: integ === null ? null : { type: 3, id: integ, keyBits: null },
    keyBytes: sizes[0],
    integKeyBytes: sizes[1],
  }
}
const encr = (id: number, keyBits: number | null): ChildKeys['encr'] => ({ type: 1, id, keyBits })

const ESP: readonly (readonly [Suite, Scapy])[] = [
  [suite('AES-128-GCM-16', encr(20, 128), null, [20, 0]), { cipher: 'AES-GCM' }],
  [suite('AES-256-GCM-16', encr(20, 256), null, [36, 0]), { cipher: 'AES-GCM' }],
  [suite('ChaCha20-Poly1305', encr(28, null), null, [36, 0]), { cipher: 'CHACHA20-POLY1305' }],
  [suite('AES-128-CBC, SHA2-256', encr(12, 128), 12, [16, 32]), { cipher: 'AES-CBC', integrity: 'SHA2-256-128' }],
  [suite('AES-256-CBC, SHA2-384', encr(12, 256), 13, [32, 48]), { cipher: 'AES-CBC', integrity: 'SHA2-384-192' }],
  [suite('AES-192-CBC, SHA2-512', encr(12, 192), 14, [24, 64]), { cipher: 'AES-CBC', integrity: 'SHA2-512-256' }],
  [suite('AES-128-CBC, SHA1', encr(12, 128), 2, [16, 20]), { cipher: 'AES-CBC', integrity: 'HMAC-SHA1-96' }],
  [suite('NULL, SHA2-256', encr(11, null), 12, [0, 32]), { cipher: 'NULL', integrity: 'SHA2-256-128' }],
]
const AH: readonly (readonly [Suite, Scapy])[] = [
  [suite('SHA2-256', encr(11, null), 12, [0, 32]), { integrity: 'SHA2-256-128' }],
  [suite('SHA2-384', encr(11, null), 13, [0, 48]), { integrity: 'SHA2-384-192' }],
  [suite('SHA2-512', encr(11, null), 14, [0, 64]), { integrity: 'SHA2-512-256' }],
  [suite('SHA1', encr(11, null), 2, [0, 20]), { integrity: 'HMAC-SHA1-96' }],
]
/** Of IPv4: router alert, which is covered, a timestamp, which is not, and padding. */
const OPTIONS = [148, 4, 0, 0, 68, 8, 5, 0, 1, 2, 3, 4, 1, 1, 1, 0]

const CASES: readonly Case[] = [...casesOf('esp', ESP, [[]]), ...casesOf('ah', AH, [[], OPTIONS])]

function casesOf(protocol: 'esp' | 'ah', suites: typeof ESP, options: readonly (readonly number[])[]): Case[] {
  return suites.flatMap(([one, scapy]) =>
    (['tunnel', 'transport'] as const).flatMap((mode) =>
      (protocol === 'esp' && one.integ !== null ? [false] : [false, true]).flatMap((esn) =>
        ([4, 6] as const).flatMap((version) =>
          (version === 4 ? options : [[]]).map((list) => {
            const title = `${protocol} ${one.name}, ${mode}, IPv${version}${esn ? ', ESN' : ''}${list.length > 0 ? ', options' : ''}`
            return { title, suite: one, scapy, protocol, mode, esn, version, options: list }
          }),
        ),
      ),
    ),
  )
}

/** One SA between concentrator and device whose numbers start in the middle. */
function endsOf({ suite: one, esn, protocol, mode, version }: Case): Ends {
  const at = (address: string): { address: string; port: number } => ({ address, port: 4500 })
  const [local, remote] = version === 4 ? [CONCENTRATOR, DEVICE] : [CONCENTRATOR6, DEVICE6]
  const inner: Pick<ChildSaDescription, 'tsLocal' | 'tsRemote'> =
    mode === 'transport'
      ? { tsLocal: [host(local)], tsRemote: [host(remote)] }
      : { tsLocal: [host('10.127.0.1'), host('fd7f::1')], tsRemote: [host('10.128.0.5'), host('fd80::5')] }
  const description = { protocol, mode, ...inner, path: { local: at(local), remote: at(remote) } }
  const ends = createEnds(one, esn, { description })
  if (esn) {
    for (const sa of [ends.concentratorSa, ends.deviceSa]) {
      sa.sequence.skipTo(SEQUENCE_HIGH, 99)
      sa.replayWindow.resume(SEQUENCE_HIGH, 99)
    }
  }
  return ends
}

function host(address: string): TrafficSelector {
  return address.includes(':') ? range6(address, address) : range4(address, address)
}

function packetOf({ mode, version, options }: Case, towards: 'device' | 'concentrator'): Uint8Array {
  const payload = udp(
    1000,
    2000,
    Uint8Array.from({ length: 37 }, (_, i) => i),
  )
  const four = mode === 'transport' ? [CONCENTRATOR, DEVICE] : ['10.127.0.1', '10.128.0.5']
  const six = mode === 'transport' ? [CONCENTRATOR6, DEVICE6] : ['fd7f::1', 'fd80::5']
  const [from, to] = towards === 'device' ? [0, 1] : [1, 0]
  if (version === 4) return ip4({ source: four[from]!, destination: four[to]!, options }, payload)
  return ip6({ source: groups(six[from]!), destination: groups(six[to]!), nextHeader: 17 }, payload)
}

function groups(address: string): number[] {
  const [head = '', tail = ''] = address.split('::')
  const parse = (part: string): number[] => part.split(':').map((group) => Number.parseInt(group, 16))
  const [first, last] = [parse(head), parse(tail)]
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}

/** What we send to the device, as it would stand on the wire: ESP behind an IP header of protocol 50. */
function sealed(one: Case, ends: Ends): Uint8Array {
  const packet = packetOf(one, 'device')
  const slice = { bytes: withRoom(packet), offset: 0, length: packet.length }
  const out = createEncapsulated()
  out.buffer = new Uint8Array(600)
  expect(findOutbound(ends.concentrator, slice, out)).toBe(DropCode.none)
  expect(one.protocol === 'ah' ? sealAhInto(slice, out) : sealInto(slice, out)).toBe(DropCode.none)
  const bytes = out.buffer.slice(0, out.length)
  if (one.protocol === 'ah') return bytes
  return one.version === 4
    ? ip4({ source: CONCENTRATOR, destination: DEVICE, protocol: 50 }, bytes)
    : ip6({ source: groups(CONCENTRATOR6), destination: groups(DEVICE6), nextHeader: 50 }, bytes)
}

function ask(one: Case, kind: 'seal' | 'open', packet: Uint8Array): Ask {
  const {
    suite: { keyBytes, integKeyBytes },
    protocol,
    esn,
    mode,
    version,
    scapy,
  } = one
  const [src, dst] = version === 4 ? [DEVICE, CONCENTRATOR] : [DEVICE6, CONCENTRATOR6]
  const outbound = kind === 'seal'
  const { concentratorSa } = endsOf(one)
  // As in the keys of the concentrator's end: 1 is inbound, 2 is outbound.
  const fill = (length: number, value: number): string => Buffer.alloc(length, value).toString('hex')
  return {
    kind,
    packet: Buffer.from(packet).toString('hex'),
    protocol,
    spi: outbound ? concentratorSa.spiIn : concentratorSa.spiOut,
    sequence: esn ? 100 : 1,
    sequenceHigh: SEQUENCE_HIGH,
    esn,
    ...scapy,
    key: fill(keyBytes, outbound ? 1 : 2),
    integrityKey: fill(integKeyBytes, outbound ? 101 : 102),
    ...(mode === 'tunnel' ? { tunnel: { src, dst } } : {}),
  }
}

describe.skipIf(missing)(`scapy agrees about ESP and AH${noteOf(missing)}`, () => {
  const answers = new Map<string, { readonly packet?: string; readonly error?: string }>()

  beforeAll(async () => {
    const { root, env } = await peer('scapy')
    const asks = CASES.flatMap((one) => [
      { key: `open ${one.title}`, ask: ask(one, 'open', sealed(one, endsOf(one))) },
      { key: `seal ${one.title}`, ask: ask(one, 'seal', packetOf(one, 'concentrator')) },
    ])
    const modules = root === null ? {} : { PYTHONPATH: path.join(root, 'usr/lib/python3/dist-packages') }
    const lines = execFileSync('/usr/bin/python3', [path.join(import.meta.dirname, 'packets.py')], {
      env: { ...env, ...modules, PYTHONDONTWRITEBYTECODE: '1' },
      input: asks.map(({ ask: one }) => JSON.stringify(one)).join('\n'),
      encoding: 'utf8',
      timeout: 120_000,
      stdio: ['pipe', 'pipe', 'ignore'],
    }).trim()
    for (const [index, line] of lines.split('\n').entries()) answers.set(asks[index]!.key, JSON.parse(line) as object)
  })

  it.each(CASES)('scapy verifies and opens ours: $title', (one) => {
    const { packet, error } = answers.get(`open ${one.title}`)!
    expect(error).toBeUndefined()
    const opened = Uint8Array.from(Buffer.from(packet!, 'hex'))
    const expected = packetOf(one, 'device')
    const headerBytes = one.version === 4 ? 20 + one.options.length : 40
    expect(opened.subarray(headerBytes)).toEqual(expected.subarray(headerBytes))
    expect(opened.subarray(one.version === 4 ? 12 : 8, headerBytes)).toEqual(
      expected.subarray(one.version === 4 ? 12 : 8, headerBytes),
    )
  })

  it.each(CASES)('we verify and open those of scapy: $title', (one) => {
    const { packet, error } = answers.get(`seal ${one.title}`)!
    expect(error).toBeUndefined()
    const bytes = Uint8Array.from(Buffer.from(packet!, 'hex'))
    const ends = endsOf(one)
    const out = createDecapsulated()
    const code =
      one.protocol === 'ah'
        ? openAh(ends.concentrator, bytes, out)
        : decapsulate(ends.concentrator, bytes.subarray(one.version === 4 ? 20 : 40), out)
    expect(DROP_CODE_NAMES[code]).toBe('none')
    const expected = packetOf(one, 'concentrator')
    const transport = one.version === 4 ? 20 + one.options.length : 40
    expect(out.buffer.subarray(out.offset + transport, out.offset + out.length)).toEqual(expected.subarray(transport))
    const damaged = bytes.slice()
    damaged[damaged.length - 1]! ^= 1
    const again = endsOf(one).concentrator
    const refused =
      one.protocol === 'ah'
        ? openAh(again, damaged, out)
        : decapsulate(again, damaged.subarray(one.version === 4 ? 20 : 40), out)
    expect(DROP_CODE_NAMES[refused]).toBe('badIcv')
  })
})
