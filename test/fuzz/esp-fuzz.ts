/**
 * Fuzzes the inbound and outbound ESP path: datagrams without keys, and the inside of ESP as a device that holds keys could send it.
 *
 * What must hold for every input: nothing throws; a datagram that was not sealed with the SA's key never passes and changes neither the
 * replay window nor a counter; what passes lies inside its plaintext and matches the selectors; a packet passes once; what the
 * policy of the concentrator lets in goes to a dial address. Without the flow of the seeds nothing gets in at all.
 */
import {
  classifyDatagram,
  clampMss,
  createDecapsulated,
  createEncapsulated,
  decapsulate,
  type Decapsulated,
  DeviceIsolation,
  DROP_CODE_NAMES,
  DropCode,
  encapsulate,
  type InnerPacket,
} from '@culvert/esp'
import {
  ACK,
  createEnds,
  echo,
  type Ends,
  fragment6,
  icmpError,
  ip4,
  ip6,
  number4,
  octets4,
  octets6,
  parsed,
  SUITES,
  SYN,
  tcp,
  udp,
  withRoom,
} from '../../packages/esp/test/packets.ts'
import { broken } from './broken.ts'
import { CostRank, type Costly } from './cost.ts'
import { mutate } from './mutate.ts'
import { type SeededRandom, seededRandom } from './random.ts'

export interface EspTally {
  readonly inputs: number
  /** Sealed packets that passed decapsulation, and those that the policy let in as well. */
  readonly passed: number
  readonly admitted: number
  /** How often each drop was seen, by entry and name. */
  readonly drops: ReadonlyMap<string, number>
  readonly costly: readonly Costly[]
}

const DIAL = '10.127.0.1'
const DEVICE = '10.128.0.5'
const DIAL6 = 'fd7f::1'
const DEVICE6 = 'fd80::5'
const TO_DIAL = { source: DEVICE, destination: DIAL }

/**
 * @param costly how many of the costliest inputs are told
 * @throws Error with the input in hexadecimal as soon as one rule is broken.
 */
export function fuzzEsp(seed: number, iterations: number, costly = 0): EspTally {
  const random = seededRandom(seed)
  const cost = new CostRank(costly)
  const drops = new Map<string, number>()
  let [passed, admitted] = [0, 0]
  let bench = createBench(random)
  for (let index = 0; index < iterations; index++) {
    if (random.oneIn(200)) bench = createBench(random)
    const entry = random.oneIn(3) ? 'sealed' : 'datagram'
    const input = entry === 'sealed' ? makePlaintext(random) : makeDatagram(random, bench)
    const code = cost.measure(index, input, () =>
      guarded(entry, input, () => (entry === 'sealed' ? checkSealed(input, bench) : checkForged(input, bench))),
    )
    if (code === 'admitted') admitted++
    if (code === 'admitted' || code === 'kept out') passed++
    drops.set(`${entry} ${code}`, (drops.get(`${entry} ${code}`) ?? 0) + 1)
  }
  return { inputs: iterations, passed, admitted, drops, costly: cost.costly }
}

interface Bench {
  readonly ends: Ends
  readonly out: Decapsulated
  readonly isolation: DeviceIsolation
  readonly stranger: DeviceIsolation
  /** Packets that the device really sent and that were accepted: to damage and to repeat. */
  readonly genuine: readonly Uint8Array[]
}

function createBench(random: SeededRandom): Bench {
  const ends = createEnds(random.pick(SUITES), random.oneIn(2))
  const options = { maxFlows: 64, hashSeed: random.below(2 ** 31) }
  const isolation = new DeviceIsolation([octets4(DIAL), octets6(DIAL6)], options)
  const stranger = new DeviceIsolation([octets4(DIAL), octets6(DIAL6)], options)
  const questions = [
    ip4({ source: DIAL, destination: DEVICE, protocol: 6 }, tcp(4000, 80, SYN)),
    ip4({ source: DIAL, destination: DEVICE }, udp(4000, 53)),
    ip4({ source: DIAL, destination: DEVICE, protocol: 1 }, echo(8, 9)),
    ip6({ ...FROM_DIAL6, nextHeader: 6 }, tcp(4000, 80, SYN)),
    ip6({ ...FROM_DIAL6, nextHeader: 17 }, udp(4000, 53)),
    ip6({ ...FROM_DIAL6, nextHeader: 58 }, echo(128, 9)),
  ]
  for (const question of questions)
    must(isolation.admitOutbound(question, parsed(question)) === 0, 'a question is refused')
  const out = createDecapsulated()
  const genuine = ANSWERS.map((answer) => sealGenuine(answer, ends))
  for (const packet of genuine)
    must(decapsulate(ends.concentrator, packet, out) === DropCode.none, 'an answer is refused')
  return { ends, out, isolation, stranger, genuine }
}

const TO_DIAL6 = { source: DEVICE6, destination: DIAL6 }
const FROM_DIAL6 = { source: DIAL6, destination: DEVICE6 }
const ANSWERS: readonly Uint8Array[] = [
  ip4({ ...TO_DIAL, protocol: 6 }, tcp(80, 4000, SYN | ACK, [2, 4, 5, 0xb4, 1, 3, 3, 7])),
  ip4({ ...TO_DIAL }, udp(53, 4000)),
  ip4({ ...TO_DIAL, protocol: 1 }, echo(0, 9)),
  ip4(
    { ...TO_DIAL, protocol: 1 },
    icmpError(3, ip4({ source: DIAL, destination: DEVICE, protocol: 6 }, tcp(4000, 80, SYN))),
  ),
  ip4({ ...TO_DIAL, options: [7, 7, 4, 0, 0, 0, 0, 1] }, udp(53, 4000)),
  ip6({ ...TO_DIAL6, nextHeader: 6 }, tcp(80, 4000, SYN | ACK, [2, 4, 5, 0xa0, 1, 3, 3, 7])),
  ip6({ ...TO_DIAL6, nextHeader: 17 }, udp(53, 4000)),
  ip6({ ...TO_DIAL6, nextHeader: 58 }, echo(129, 9)),
  ip6({ ...TO_DIAL6, nextHeader: 58 }, icmpError(2, ip6({ ...FROM_DIAL6, nextHeader: 17 }, udp(4000, 53)))),
  ip6(
    { ...TO_DIAL6, nextHeader: 60 },
    Uint8Array.from([44, 0, 1, 4, 0, 0, 0, 0, ...fragment6(6, 0, tcp(80, 4000, ACK))]),
  ),
]

/** A datagram from somebody without keys. */
function makeDatagram(random: SeededRandom, { ends, genuine }: Bench): Uint8Array {
  if (random.oneIn(10)) return random.bytes(random.below(120))
  if (random.oneIn(20)) return random.pick(genuine) // a replay
  const damaged = mutate(random.pick(genuine), random, genuine)
  if (damaged.length >= 8 && !random.oneIn(4)) {
    // Most damage would end at the SPI or the replay check: aim behind them.
    const view = new DataView(damaged.buffer)
    view.setUint32(0, ends.concentratorSa.spiIn)
    view.setUint32(4, 1 + random.below(random.pick([80, 2000, 2 ** 31])))
  }
  return damaged
}

function checkForged(datagram: Uint8Array, { ends, out }: Bench): string {
  const { concentratorSa: sa } = ends
  const before = stateOf(ends)
  classifyDatagram(datagram, 0, datagram.length)
  const code = decapsulate(ends.concentrator, datagram, out)
  must(code !== DropCode.none, 'passed without keys')
  must(out.sa === null && !out.hasAdvanced, 'counts as authentic without keys')
  must(stateOf(ends) === before, 'changed the SA without keys')
  must(sa.replayWindow.topHigh === 0, 'moved to another subspace')
  return DROP_CODE_NAMES[code] ?? 'unnamed'
}

/** What a key-holding device puts inside: answers, damaged, and random octets, with a trailer. */
function makePlaintext(random: SeededRandom): Uint8Array {
  const inner = random.oneIn(8)
    ? random.bytes(random.below(80))
    : mended(mutate(random.pick(ANSWERS), random, ANSWERS), random)
  const padBytes = (16 - ((inner.length + 2) % 16)) % 16
  const nextHeader = random.oneIn(12) ? random.pick([random.below(256), 59]) : (inner[0] ?? 0) >>> 4 === 6 ? 41 : 4
  const padLength = random.oneIn(12) ? random.below(256) : padBytes
  return Uint8Array.from([...inner, ...random.bytes(padBytes), padLength, nextHeader])
}

/** Puts the version, the lengths and the addresses right in most inputs, so that damage behind them is reached. */
function mended(inner: Uint8Array, random: SeededRandom): Uint8Array {
  if (inner.length < 40 || random.oneIn(4)) return inner
  const view = new DataView(inner.buffer, inner.byteOffset)
  if (inner[0]! >>> 4 === 6) {
    view.setUint16(4, inner.length - 40)
    inner.set(octets6(DEVICE6), 8)
    inner.set(octets6(DIAL6), 24)
  } else {
    if (inner[0] !== 0x47) inner[0] = 0x45
    view.setUint16(2, inner.length)
    view.setUint32(12, number4(DEVICE))
    view.setUint32(16, number4(DIAL))
  }
  return inner
}

function checkSealed(plaintext: Uint8Array, bench: Bench): string {
  const { ends, out, isolation, stranger } = bench
  const datagram = sealPlaintext(plaintext, ends)
  const code = decapsulate(ends.concentrator, datagram, out)
  must(out.sa === ends.concentratorSa, 'an authentic packet does not count as one')
  if (code === DropCode.none) checkPassed(plaintext, bench)
  const { inner } = out
  const entered = code === DropCode.none ? isolation.admitInbound(out.buffer, inner, ends.concentratorSa) : code
  if (code === DropCode.none) {
    must(stranger.admitInbound(out.buffer, inner, ends.concentratorSa) !== DropCode.none, 'got in without a flow')
    clampMss(out.buffer, inner, 1400)
  }
  if (entered === DropCode.none) must(isAddress(DIAL, DIAL6, inner, 'destination'), 'got in to no dial address')
  must(decapsulate(ends.concentrator, datagram, createDecapsulated()) === DropCode.replayed, 'accepted twice')
  if (code !== DropCode.none) return DROP_CODE_NAMES[code] ?? 'unnamed'
  return entered === DropCode.none ? 'admitted' : 'kept out'
}

function checkPassed(plaintext: Uint8Array, { out, ends }: Bench): void {
  const { inner, offset, length } = out
  must(length === inner.totalBytes && offset + length <= plaintext.length - 2, 'reaches behind its plaintext')
  must(inner.transportOffset <= offset + length, 'the transport header starts behind the packet')
  must(isAddress(DEVICE, DEVICE6, inner, 'source'), 'comes from another address')
  must(ends.concentratorSa.tsLocal.matchesDestination(inner), 'goes outside the selectors')
}

function isAddress(ip4Text: string, ip6Text: string, inner: InnerPacket, side: 'source' | 'destination'): boolean {
  if (inner.version === 4) return inner[`${side}4`] === number4(ip4Text)
  const octets = new DataView(octets6(ip6Text).buffer)
  return inner[`${side}6`].every((word, i) => word === octets.getUint32(4 * i))
}

function sealGenuine(inner: Uint8Array, ends: Ends): Uint8Array {
  const out = createEncapsulated()
  out.buffer = new Uint8Array(inner.length + 128)
  must(encapsulate(ends.device, { bytes: withRoom(inner), offset: 0, length: inner.length }, out) === 0, 'not sealed')
  return out.buffer.slice(0, out.length)
}

function sealPlaintext(plaintext: Uint8Array, { deviceSa: sa }: Ends): Uint8Array {
  sa.sequence.take()
  const datagram = new Uint8Array(8 + sa.sealer.ivBytes + plaintext.length + sa.sealer.icvBytes)
  const view = new DataView(datagram.buffer)
  view.setUint32(0, sa.spiOut)
  view.setUint32(4, sa.sequenceLow)
  sa.sealer.seal(plaintext, datagram, 0, 0)
  return datagram
}

function stateOf({ concentratorSa: sa }: Ends): string {
  const { replayWindow: window, packetsIn, bytesIn } = sa
  const seen = Array.from({ length: 70 }, (_, i) => Number(window.check(0, Math.max(1, window.topLow - i)))).join('')
  return [window.topHigh, window.topLow, packetsIn, bytesIn, seen].join(' ')
}

function must(condition: boolean, rule: string): void {
  if (!condition) throw new Error(rule)
}

function guarded(entry: string, input: Uint8Array, check: () => string): string {
  try {
    return check()
  } catch (cause) {
    throw broken(entry, [input], cause)
  }
}
