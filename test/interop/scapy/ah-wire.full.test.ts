/**
 * AH as a running data plane sends it, captured between two namespaces: scapy verifies the ICV of every packet and finds in it what
 * was sent. What the wire may do to such packets, the other end counts and drops.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { composeSpi, type DropCode } from '@culvert/esp'
import { peer, waitFor } from '@culvert/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectDatagrams } from '../../../packages/dataplane/test/pair-transfers.ts'
import { type PairOptions, PlanePair } from '../../../packages/dataplane/test/plane-pair.ts'
import { createClosings, type Closings } from '../../support/closings.ts'
import { firstMissing, noteOf } from '../../support/missing.ts'

const missing = await firstMissing('scapy', 'tcpdump')
const SIZES = [64, 600, 1233, 1300]
const ETHERNET_BYTES = 14
const INTEGRITY_KEY_BYTES = 32

const PAIR: PairOptions = {
  encr: { id: 11, keyBits: null, keyBytes: 0 },
  integ: { id: 12, keyBytes: INTEGRITY_KEY_BYTES },
  ah: true,
  esn: false,
  rungs: ['native', 'native'],
  singleDatagrams: false,
  inner: 'ipv4',
  outer: 'ipv4',
  wireMtuBytes: 1500,
}
const CASES: readonly (readonly [title: string, mark: string, options: PairOptions])[] = [
  ['RFC 4302 3.1.2 tunnel mode', 'cvw1', PAIR],
  [
    'RFC 4302 3.1.1 transport mode, IPv6 with extended numbers',
    'cvw2',
    { ...PAIR, outer: 'ipv6', inner: 'ipv6', betweenHosts: true, esn: true },
  ],
]

/** Sends whole IPv4 packets, hexadecimal, as they are. */
const SEND_RAW = `import socket, sys
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for packet in sys.argv[2:]: raw.sendto(bytes.fromhex(packet), (sys.argv[1], 0))`

describe.skipIf(missing)(`scapy about AH on the wire${noteOf(missing)}`, () => {
  describe.each(CASES)('%s', (_title, mark, options) => {
    let closings: Closings
    let pair: PlanePair
    let packets: Buffer[]

    beforeAll(async () => {
      closings = createClosings()
      const folder = await closings.folder()
      pair = await PlanePair.create(`${mark}-${process.pid}`, options)
      closings.add(() => pair.close())
      packets = await captured(path.join(folder, 'wire.pcap'))
    })
    afterAll(() => closings?.close())

    async function captured(file: string): Promise<Buffer[]> {
      const { env } = await peer('tcpdump')
      const words = [
        '-i',
        'v0',
        '-Z',
        'root',
        '-U',
        '--immediate-mode',
        '-s',
        '0',
        '-w',
        file,
        'ip proto 51 or ip6 proto 51',
      ]
      const tcpdump = spawn('ip', ['netns', 'exec', pair.namespaces[1], 'tcpdump', ...words], { env })
      const ended = once(tcpdump, 'exit')
      let said = ''
      tcpdump.stderr.on('data', (text) => (said += String(text)))
      await waitFor(() => said.includes('listening on'), { message: 'tcpdump' })
      await expectDatagrams(pair, '5002', SIZES)
      const frames = (): Buffer[] => framesOf(fs.readFileSync(file)).map((frame) => frame.subarray(ETHERNET_BYTES))
      await waitFor(() => frames().length >= 2 * SIZES.length, { message: 'the capture' })
      tcpdump.kill('SIGINT')
      await ended
      return frames()
    }

    it('every ICV is right, and what was sent is in it', async () => {
      const asks = packets.map((packet) => askOf(packet, options))
      const damaged = Buffer.from(packets[0]!)
      damaged[damaged.length - 1]! ^= 1
      const answers = await opened([...asks, askOf(damaged, options)])
      expect(answers.pop()?.error).toContain('IPSecIntegrityError')
      expect(answers.map(({ error }) => error)).toEqual(asks.map(() => undefined))
      const lengths = new Set(
        answers.map(({ packet = '' }) => packet.length / 2 - (options.inner === 'ipv4' ? 28 : 48)),
      )
      expect(lengths).toEqual(new Set(SIZES))
    })

    it.skipIf(options.outer === 'ipv6')(
      'N18 what was changed, repeated or cut on the way is counted and goes no further',
      async () => {
        const own = packets.filter((packet) => packet.readUInt32BE(12) === 0xc0000201)
        const changed = (edit: (packet: Buffer) => void): Buffer => {
          const packet = Buffer.from(own.at(-1)!)
          packet.writeUInt32BE(0x7fffffff, 28) // far ahead, so that the replay check lets it through to the ICV
          edit(packet)
          return packet
        }
        const before = await countersOf(pair)
        const hostile = [
          own[0]!, // replayed
          changed(() => {}), // badIcv
          changed((packet) => packet.writeUInt8(packet[12]! ^ 1, 12)), // badIcv: AH covers the addresses
          changed((packet) => packet.writeUInt32BE(0x01020304, 24)), // unknownSpi
          changed((packet) => packet.writeUInt8(255, 21)), // badAuthHeader: longer than the packet
        ]
        const words = ['netns', 'exec', pair.namespaces[0], '/usr/bin/python3', '-c', SEND_RAW, '192.0.2.2']
        execFileSync('ip', [...words, ...hostile.map((packet) => packet.toString('hex'))])
        const expected: Partial<Record<keyof typeof DropCode, number>> = {
          replayed: 1,
          badIcv: 2,
          unknownSpi: 1,
          badAuthHeader: 1,
        }
        await expect
          .poll(async () => differenceOf(before.drops, (await countersOf(pair)).drops), { timeout: 30_000 })
          .toEqual(expected)
        expect((await countersOf(pair)).packetsIn).toBe(before.packetsIn)
      },
    )
  })
})

interface Counters {
  readonly packetsIn: number
  readonly drops: Readonly<Record<string, number>>
}

/** Of end 2. */
async function countersOf({ ends: [, end] }: PlanePair): Promise<Counters> {
  end.lines.length = 0
  end.say('counters')
  return JSON.parse(await end.hears('counters')) as Counters
}

function differenceOf(before: Counters['drops'], after: Counters['drops']): Record<string, number> {
  const names = Object.keys(after).filter((name) => after[name] !== before[name])
  return Object.fromEntries(names.map((name) => [name, after[name]! - before[name]!]))
}

function askOf(packet: Buffer, { esn, betweenHosts, outer }: PairOptions): Record<string, unknown> {
  const from = senderOf(packet, outer)
  const tunnel = { src: '192.0.2.1', dst: '192.0.2.2' }
  return {
    kind: 'open',
    packet: packet.toString('hex'),
    protocol: 'ah',
    spi: composeSpi(3 - from, 1, 1),
    sequence: 1,
    esn,
    integrity: 'SHA2-256-128',
    integrityKey: Buffer.alloc(INTEGRITY_KEY_BYTES, 0x44 + from).toString('hex'),
    ...(betweenHosts === true ? {} : { tunnel }),
  }
}

/** 1 or 2: the last octet of the source. */
function senderOf(packet: Buffer, outer: PairOptions['outer']): number {
  return packet[outer === 'ipv4' ? 15 : 23]!
}

async function opened(asks: readonly object[]): Promise<{ readonly packet?: string; readonly error?: string }[]> {
  const { root, env } = await peer('scapy')
  const modules = root === null ? {} : { PYTHONPATH: path.join(root, 'usr/lib/python3/dist-packages') }
  const lines = execFileSync('/usr/bin/python3', [path.join(import.meta.dirname, 'packets.py')], {
    env: { ...env, ...modules, PYTHONDONTWRITEBYTECODE: '1' },
    input: asks.map((ask) => JSON.stringify(ask)).join('\n'),
    encoding: 'utf8',
    timeout: 120_000,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { packet?: string; error?: string })
}

/** Whole frames of a classic pcap of this machine's octet order; one that is still being written is left out. */
function framesOf(capture: Buffer): Buffer[] {
  const frames: Buffer[] = []
  let at = 24
  while (at + 16 <= capture.length) {
    const length = capture.readUInt32LE(at + 8)
    if (at + 16 + length > capture.length) break
    frames.push(capture.subarray(at + 16, at + 16 + length))
    at += 16 + length
  }
  return frames
}
