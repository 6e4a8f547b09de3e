/**
 * Fuzzes EAP, both ends: conversations of an authenticator and a peer, in which either may lack the secret, and in which packets of one
 * of them are damaged on their way.
 *
 * Rules: no round rejects or throws; what comes out is EAP and small; a conversation ends within its bound of rounds; whoever lacks
 * the secret never gets in, and nobody's success is believed who lacks it; who gets in has the same MSK and is who it was; after the end
 * there is nothing but failure.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { toHex } from '@culvert/bytes'
import {
  createEapAuthenticator,
  createEapPeer,
  createMschapMethod,
  createMschapPeerMethod,
  createTlsMethod,
  createTlsPeerMethod,
  decodeEap,
  type EapAuthenticator,
  type EapMethod,
  type EapPeer,
  type EapPeerAnswer,
  type EapPeerMethod,
  type EapStep,
  ntHash,
  type TlsVersion,
} from '@culvert/eap'
import { broken } from './broken.ts'
import { CostRank, type Costly, Stopwatch } from './cost.ts'
import { mutate } from './mutate.ts'
import { seededRandom, type SeededRandom } from './random.ts'

const MOST_ROUNDS = 130
const MOST_PACKET_BYTES = 1100
const CERTIFICATES = new URL('../vectors/captures/08-eap-tls13/certs/', import.meta.url)
/** Of an authority that nobody here trusts. */
const STRANGE_CERTIFICATES = new URL('../vectors/captures/19-fail-cert-untrusted/certs/', import.meta.url)
const pem = (name: string, folder = CERTIFICATES): string => readFileSync(new URL(name, folder), 'utf8')
const authority = new X509Certificate(pem('ca.pem'))

const isOfAuthority = ([leaf]: readonly Uint8Array[]): boolean =>
  leaf !== undefined && new X509Certificate(leaf).verify(authority.publicKey)

const tlsServer = (folder: URL): EapMethod =>
  createTlsMethod({
    certificate: { chain: pem('gw.pem', folder), key: pem('gw.key', folder) },
    verifyChain: async (chain) => (isOfAuthority(chain) ? { subject: 'd1' } : null),
  })

const mschapServer = (password: string): EapMethod =>
  createMschapMethod({
    serverName: 'gw.example',
    secretFor: async (name) => (name === 'd1' ? ntHash(password) : null),
  })

/** The true authenticator, and one that has neither the key nor the password. */
const servers: readonly { readonly methods: readonly [EapMethod, EapMethod]; readonly isGenuine: boolean }[] = [
  { methods: [tlsServer(CERTIFICATES), mschapServer('secret')], isGenuine: true },
  { methods: [tlsServer(STRANGE_CERTIFICATES), mschapServer('nobody knows')], isGenuine: false },
]

const tlsDevice = (version: TlsVersion, hasKey: boolean): EapPeerMethod =>
  createTlsPeerMethod({
    certificate: hasKey ? { chain: pem('d1.pem'), key: pem('d1.key') } : null,
    versions: { least: version, most: version },
    verifyChain: async (chain) => isOfAuthority(chain),
  })

interface Device {
  readonly method: EapPeerMethod
  readonly hasSecret: boolean
}

const devices: readonly Device[] = [
  { method: tlsDevice('TLSv1.2', true), hasSecret: true },
  { method: tlsDevice('TLSv1.3', true), hasSecret: true },
  { method: tlsDevice('TLSv1.3', false), hasSecret: false },
  { method: createMschapPeerMethod({ userName: 'd1', password: 'secret' }), hasSecret: true },
  { method: createMschapPeerMethod({ userName: 'd1', password: 'guess' }), hasSecret: false },
  { method: createMschapPeerMethod({ userName: 'nobody', password: 'secret' }), hasSecret: false },
]

export interface EapTally {
  /** Conversations of several packets each. */
  readonly inputs: number
  readonly successes: number
  readonly reasons: ReadonlySet<string>
  /** Of rounds without public-key operations. */
  readonly costly: readonly Costly[]
}

/**
 * @param costly how many of the costliest rounds are told
 * @throws an error that shows seed, conversation and packet when a rule is broken
 */
export async function fuzzEap(seed: number, conversations: number, costly = 0): Promise<EapTally> {
  const random = seededRandom(seed)
  const cost = new CostRank(costly)
  const seen: Uint8Array[] = [Uint8Array.of(2, 0, 0, 5, 1)]
  const reasons = new Set<string>()
  let successes = 0
  for (let index = 0; index < conversations; index++) {
    const scene = { server: random.oneIn(4) ? servers[1]! : servers[0]!, device: random.pick(devices) }
    const { methods } = scene.server
    const rng = (length: number): Uint8Array => random.bytes(length)
    const server = createEapAuthenticator({
      methods: random.oneIn(2) ? methods : methods.toReversed(),
      askIdentity: random.oneIn(2),
      claimedIdentity: null,
      rng,
    })
    const peer = createEapPeer({ identity: 'd1', methods: [scene.device.method], rng })
    const at = { at: index, cost: scene.device.method.name === 'tls' ? null : cost }
    try {
      const end = await converse({ server, peer, random, seen, ...at })
      checkEnd(end, scene)
      if (end.step.outcome === 'success') successes += 1
      if (end.step.outcome === 'failure') reasons.add(end.step.reason)
    } catch (error) {
      throw broken(`packet of conversation ${index}, seed ${seed},`, [seen.at(-1) ?? seen[0]!], error)
    } finally {
      server.close()
      peer.close()
    }
  }
  return { inputs: conversations, successes, reasons, costly: cost.costly }
}

interface End {
  readonly step: EapStep
  /** What the peer came to, before the authenticator ended or with it. */
  readonly answer: EapPeerAnswer
}

interface Conversation {
  readonly server: EapAuthenticator
  readonly peer: EapPeer
  readonly random: SeededRandom
  readonly seen: Uint8Array[]
  readonly at: number
  readonly cost: CostRank | null
}

async function converse({ server, peer, random, seen, at, cost }: Conversation): Promise<End> {
  const damaged = random.below(9)
  const isStubborn = random.oneIn(4)
  const isHostileServer = random.oneIn(2)
  let step = await server.next(null)
  let believed: EapPeerAnswer | null = null
  const keep = (packet: Uint8Array): void => {
    seen.push(packet)
    if (seen.length > 64) seen.splice(0, 32)
  }
  for (let round = 0; round <= MOST_ROUNDS; round++) {
    checkPacket(step)
    const isDamaged = isStubborn ? random.oneIn(2) : round === damaged
    const request = isDamaged && isHostileServer ? damageRequest(step.packet, random, seen) : step.packet
    if (isHostileServer) keep(request)
    const answer: EapPeerAnswer = await timed(cost, { at, step: at * 1_000 + round * 2 }, request, () =>
      peer.next(request),
    )
    if (believed !== null && answer.outcome !== 'failure') throw new Error('the peer goes on after the end')
    if (answer.outcome === 'success') believed = answer
    if (step.outcome !== 'continue') {
      if ((await server.next(seen.at(-1)!)).outcome !== 'failure') throw new Error('goes on after the end')
      return { step, answer: believed ?? answer }
    }
    // a device that is done may still try something
    const honest = answer.outcome === 'continue' ? answer.packet : random.pick(seen)
    const packet = isDamaged && !isHostileServer ? damage(honest, step.packet, random, seen) : honest
    keep(packet)
    step = await timed(cost, { at, step: at * 1_000 + round * 2 + 1 }, packet, () => server.next(packet))
  }
  throw new Error('too many rounds')
}

async function timed<T>(
  cost: CostRank | null,
  place: Pick<Costly, 'at' | 'step'>,
  packet: Uint8Array,
  run: () => Promise<T>,
): Promise<T> {
  const watch = new Stopwatch()
  const result = await run()
  cost?.note(watch.tookMs, place, packet)
  return result
}

/** Among them a success or failure that comes too early. */
function damageRequest(request: Uint8Array, random: SeededRandom, seen: readonly Uint8Array[]): Uint8Array {
  if (random.oneIn(6)) return Uint8Array.of(random.pick([3, 4]), request[1] ?? 0, 0, 4)
  const packet = mutate(random.oneIn(8) ? random.pick(seen) : request, random, seen)
  if (packet.length >= 4 && !random.oneIn(4)) packet.set([packet.length >>> 8, packet.length & 255], 2)
  if (packet.length >= 1 && random.oneIn(2)) packet.set([1], 0)
  return packet
}

/** Half of the damaged packets have the right length, three quarters the right identifier: others do not come far. */
function damage(
  honest: Uint8Array,
  request: Uint8Array,
  random: SeededRandom,
  seen: readonly Uint8Array[],
): Uint8Array {
  const packet = mutate(random.oneIn(8) ? random.pick(seen) : honest, random, seen)
  if (packet.length >= 4 && random.oneIn(2)) packet.set([packet.length >>> 8, packet.length & 255], 2)
  if (packet.length >= 2 && !random.oneIn(4)) packet.set(request.subarray(1, 2), 1)
  return packet
}

function checkPacket(step: EapStep): void {
  const decoded = decodeEap(step.packet)
  const kind = step.outcome === 'continue' ? 'request' : step.outcome
  if (!decoded.ok || decoded.value.kind !== kind) throw new Error(`${step.outcome} with another packet`)
  if (step.packet.length > MOST_PACKET_BYTES) throw new Error('a packet beyond its bound')
}

function checkEnd({ step, answer }: End, { server, device }: Scene): void {
  if (answer.outcome === 'success') {
    if (!server.isGenuine) throw new Error('believed who lacks the secret')
    if (answer.msk.length !== 64) throw new Error('an MSK of another length')
  }
  if (step.outcome !== 'success') return
  if (!device.hasSecret) throw new Error('in without the secret')
  if (!server.isGenuine && device.method.name === 'mschapv2') throw new Error('in with a secret nobody has')
  if (step.identity !== 'd1' || step.msk.length !== 64) throw new Error('in as somebody else')
  if (answer.outcome === 'success' && toHex(answer.msk) !== toHex(step.msk)) throw new Error('in with another MSK')
}

interface Scene {
  readonly server: (typeof servers)[number]
  readonly device: Device
}
