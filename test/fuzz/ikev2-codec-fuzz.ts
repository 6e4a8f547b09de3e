/**
 * Fuzzes the IKEv2 codec: whole datagrams, and the inside of SK as a peer that holds keys could send it.
 *
 * Inputs are recorded messages, damaged, and random octets. What must hold for every input: nothing throws; what is refused has an
 * error code and an offset inside the input; what is decoded holds no more members than its octets can pay for, encodes again, and
 * decodes to the same; proposals and selectors that were decoded can be negotiated.
 */
import { isDeepStrictEqual } from 'node:util'
import { concatBytes } from '@culvert/bytes'
import { opensslProvider } from '@culvert/crypto'
import {
  type AddedFragment,
  addFragment,
  decodeMessage,
  decodePayloads,
  defaultEspSuites,
  defaultIkeSuites,
  encodeMessage,
  encodePayloads,
  EXCHANGE,
  fromCidr,
  narrow,
  openMessage,
  PAYLOAD,
  type Payload,
  type Proposal,
  PROTOCOL,
  selectProposal,
  toText,
  type TrafficSelector,
} from '@culvert/ikev2'
import { ikeMessageOf, loadDatagrams, loadIkeSas, scenarioNames } from '../vectors/capture-scenario.ts'
import { broken } from './broken.ts'
import { CostRank, type Costly } from './cost.ts'
import { mutate } from './mutate.ts'
import { type SeededRandom, seededRandom } from './random.ts'

export interface CodecSeeds {
  readonly datagrams: readonly Uint8Array[]
  readonly insides: readonly Inside[]
}

/** The plaintext of an SK payload. */
export interface Inside {
  readonly firstType: number
  readonly bytes: Uint8Array
}

export interface CodecTally {
  readonly inputs: number
  readonly decoded: number
  /** How often each refusal was seen, by entry, code and payload type. */
  readonly refusals: ReadonlyMap<string, number>
  readonly costly: readonly Costly[]
}

export interface CodecFuzzOptions {
  readonly seeds?: CodecSeeds
  readonly observe?: Observer
  readonly costly?: number
}

/** What one input came to: `ok`, or the code and payload type of the refusal. */
export type Outcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly payloadType: number }

/** Told of every input; the corpus is made with it. */
export type Observer = (entry: 'datagram' | 'inside', input: Inside, outcome: Outcome) => void

/** @throws Error with the input in hexadecimal as soon as one rule is broken. */
export function fuzzIkev2Codec(seed: number, iterations: number, options: CodecFuzzOptions = {}): CodecTally {
  const { seeds = loadSeeds(), observe } = options
  const random = seededRandom(seed)
  const cost = new CostRank(options.costly ?? 0)
  const refusals = new Map<string, number>()
  let decoded = 0
  for (let index = 0; index < iterations; index++) {
    const entry = random.oneIn(2) ? 'datagram' : 'inside'
    const input = entry === 'datagram' ? makeDatagram(random, seeds) : makeInside(random, seeds)
    const outcome = cost.measure(index, input.bytes, () =>
      entry === 'datagram' ? checkDatagram(input.bytes) : checkInside(input),
    )
    observe?.(entry, input, outcome)
    if (outcome.ok) decoded++
    else {
      const key = `${entry} ${outcome.code} ${outcome.payloadType}`
      refusals.set(key, (refusals.get(key) ?? 0) + 1)
    }
  }
  return { inputs: iterations, decoded, refusals, costly: cost.costly }
}

/** Every IKE message of the recorded scenarios, and the plaintext of every one that their keys open. */
export function loadSeeds(): CodecSeeds {
  const datagrams: Uint8Array[] = []
  const insides: Inside[] = []
  for (const name of scenarioNames()) {
    const sas = loadIkeSas(name, opensslProvider)
    let fragments: AddedFragment['set'] = null
    for (const octets of loadDatagrams(name).map(ikeMessageOf)) {
      if (octets === null) continue
      datagrams.push(octets)
      const message = decodeMessage(octets)
      if (!message.ok || message.value.sealed === null) continue
      const { header, sealed } = message.value
      const directions = sas
        .filter(({ spiI, spiR }) => spiI === header.spiI && spiR === header.spiR)
        .map(({ initiator, responder }) => (header.fromOriginalInitiator ? initiator : responder))
      const opened = directions.map((keys) => openMessage(octets, message.value, keys)).find(({ ok }) => ok)
      if (opened?.ok !== true) continue
      if (sealed.totalFragments === 0) insides.push({ firstType: sealed.innerType, bytes: opened.value })
      else {
        const added = addFragment(sealed.fragmentNumber === 1 ? null : fragments, sealed, opened.value)
        fragments = added.set
        if (added.complete !== null) insides.push({ firstType: added.complete.innerType, bytes: added.complete.bytes })
      }
    }
  }
  return { datagrams, insides }
}

export function checkDatagram(bytes: Uint8Array): Outcome {
  return guarded('datagram', bytes, () => {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) return refusal(decoded.error, bytes)
    const { header, payloads, sealed } = decoded.value
    checkSize(payloads, bytes.length)
    if (sealed !== null) {
      must(sealed.bodyOffset <= bytes.length, 'the sealed body starts behind the datagram')
      must(sealed.fragmentNumber <= sealed.totalFragments, 'fragment number above the total')
      addFragment(null, sealed, bytes.subarray(sealed.bodyOffset))
    }
    const again = decodeMessage(encodeMessage(header, payloads))
    const same = { ok: true, value: { header, payloads, sealed: null } }
    must(isDeepStrictEqual(again, same), 'does not decode to the same after encoding')
    payloads.forEach(checkNegotiation)
    return { ok: true }
  })
}

export function checkInside(input: Inside): Outcome {
  return guarded(`inside from payload type ${input.firstType}`, input.bytes, () => {
    const decoded = decodePayloads(input.firstType, input.bytes)
    if (!decoded.ok) return refusal(decoded.error, input.bytes)
    checkSize(decoded.value, input.bytes.length)
    const { firstType, bytes } = encodePayloads(decoded.value)
    must(isDeepStrictEqual(decodePayloads(firstType, bytes), decoded), 'does not decode to the same after encoding')
    decoded.value.forEach(checkNegotiation)
    return { ok: true }
  })
}

function guarded(by: string, bytes: Uint8Array, check: () => Outcome): Outcome {
  try {
    return check()
  } catch (cause) {
    throw broken(by, [bytes], cause)
  }
}

function must(condition: boolean, rule: string): void {
  if (!condition) throw new Error(rule)
}

function refusal(error: { code: string; payloadType: number; offset: number }, bytes: Uint8Array): Outcome {
  must(error.offset >= 0 && error.offset <= bytes.length, `offset ${error.offset} outside the input`)
  return { ok: false, code: error.code, payloadType: error.payloadType }
}

/** Every member of every list costs at least four octets, so the work is at most linear. */
function checkSize(payloads: readonly Payload[], length: number): void {
  const members = payloads.reduce((sum, payload) => sum + 1 + membersOf(payload), 0)
  must(members * 4 <= length, `${members} members in ${length} octets`)
}

function membersOf(payload: Payload): number {
  switch (payload.kind) {
    case 'sa':
      return payload.proposals.reduce((sum, proposal) => sum + 1 + proposal.transforms.length, 0)
    case 'tsI':
    case 'tsR':
      return payload.selectors.length
    case 'cp':
      return payload.attributes.length
    case 'delete':
      return payload.spis.length
    default:
      return 0
  }
}

const allowed = ['10.0.0.0/8', 'fd00::/8'].map(fromCidr).filter((selector) => selector !== null)

function checkNegotiation(payload: Payload): void {
  if (payload.kind === 'sa') checkSelection(payload.proposals)
  if (payload.kind === 'tsI' || payload.kind === 'tsR') checkNarrowing(payload.selectors)
}

/** The choice must be made of what was offered, one of each type. */
function checkSelection(offered: readonly Proposal[]): void {
  const ike = { protocolId: PROTOCOL.IKE, kePolicy: 'required', keGroupOffered: 31 } as const
  const esp = { protocolId: PROTOCOL.ESP, kePolicy: 'optional', keGroupOffered: null } as const
  const selections = [selectProposal(offered, defaultIkeSuites, ike), selectProposal(offered, defaultEspSuites, esp)]
  for (const selected of selections) {
    if (selected === null) continue
    const { number, transforms } = selected.proposal
    const source = offered.find((proposal) => proposal.number === number)
    must(
      transforms.every((transform) => source?.transforms.includes(transform) === true),
      'chose what was not offered',
    )
    must(new Set(transforms.map(({ type }) => type)).size === transforms.length, 'chose two of one type')
    must(selected.encr !== null, 'chose no encryption')
  }
}

function checkNarrowing(offered: readonly TrafficSelector[]): void {
  const agreed = narrow(offered, allowed) ?? []
  must(agreed.length <= 32, 'too many selectors agreed')
  for (const selector of [...offered, ...agreed]) must(toText(selector).length < 120, 'endless text')
}

function makeDatagram(random: SeededRandom, { datagrams }: CodecSeeds): Inside {
  if (random.oneIn(10)) return { firstType: 0, bytes: mended(random.bytes(random.below(200)), random) }
  const seed = random.pick(datagrams)
  const isClear = seed[18] === EXCHANGE.IKE_SA_INIT
  if (!isClear || random.oneIn(2)) return { firstType: 0, bytes: mended(mutate(seed, random, datagrams), random) }
  const { firstType, bytes } = rechained({ firstType: seed[16] ?? 0, bytes: seed.subarray(HEADER_BYTES) }, random)
  const header = seed.slice(0, HEADER_BYTES)
  header[16] = firstType
  return { firstType: 0, bytes: mended(concatBytes(header, bytes), random) }
}

/** Most damage would stop at the header, so its version and length are put right in most inputs. */
function mended(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  if (bytes.length < HEADER_BYTES || random.oneIn(12)) return bytes
  bytes[17] = 0x20
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(24, bytes.length)
  return bytes
}

const HEADER_BYTES = 28
const TYPES = [...Object.values(PAYLOAD), 1, 13, 49, 54, 200, 255]

function makeInside(random: SeededRandom, { insides }: CodecSeeds): Inside {
  if (random.oneIn(10)) return randomInside(random)
  const seed = random.pick(insides)
  if (!random.oneIn(3)) return rechained(seed, random)
  const others = [random.pick(insides).bytes, random.pick(insides).bytes]
  const firstType = random.oneIn(10) ? random.pick(TYPES) : seed.firstType
  return { firstType, bytes: mutate(seed.bytes, random, others) }
}

/** Damages bodies, order and number of the payloads, and keeps the chain of generic headers whole. */
function rechained(inside: Inside, random: SeededRandom): Inside {
  const pieces = piecesOf(inside)
  if (pieces.length === 0) return inside
  const times = 1 + random.below(2)
  for (let count = 0; count < times; count++) {
    const at = random.below(pieces.length)
    const piece = pieces[at] ?? { type: 0, body: new Uint8Array(0) }
    const others = pieces.map(({ body }) => body)
    const way = random.below(8)
    if (way === 0) pieces.splice(at, 1, { ...piece, type: random.pick(TYPES) })
    else if (way === 1) pieces.splice(random.below(pieces.length), random.below(2), piece)
    else pieces.splice(at, 1, { ...piece, body: mutate(piece.body, random, others) })
  }
  const chunks = pieces.flatMap(({ body }, index) => {
    const length = body.length + 4
    return [Uint8Array.of(pieces[index + 1]?.type ?? 0, 0, length >>> 8, length), body]
  })
  return { firstType: pieces[0]?.type ?? 0, bytes: concatBytes(...chunks) }
}

/** The payloads of a recorded, so well-formed, chain. */
function piecesOf({ firstType, bytes }: Inside): { type: number; body: Uint8Array }[] {
  const pieces: { type: number; body: Uint8Array }[] = []
  let type = firstType
  let offset = 0
  while (type !== PAYLOAD.NONE) {
    const length = ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0)
    pieces.push({ type, body: bytes.subarray(offset + 4, offset + length) })
    type = bytes[offset] ?? 0
    offset += length
  }
  return pieces
}

/** One payload with a true length and a random body of small numbers, which is what lists are made of. */
function randomInside(random: SeededRandom): Inside {
  const bytes = random.bytes(4 + random.below(80)).map((octet) => (random.oneIn(3) ? octet : octet % 9))
  new DataView(bytes.buffer).setUint16(2, bytes.length)
  bytes[0] = 0
  return { firstType: random.pick(TYPES), bytes }
}
