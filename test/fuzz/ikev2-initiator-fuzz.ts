/**
 * Fuzzes our initiator against hostile gateways. Half of the inputs are damaged and random datagrams, from the gateway's address and
 * from elsewhere; the other half is sealed with true keys, by two kinds of gateway:
 *
 * - the impostor made keys in IKE_SA_INIT and can prove nothing: it does not know the secret and holds no key that is trusted. It has
 *   seen other conversations, and repeats what it heard from us.
 * - the traitor is who it says, and hostile.
 *
 * One class, because every kind of input acts on the same conversation.
 *
 * What must hold: nothing throws; every step is as `StepModel` says; nothing an impostor says attaches, installs a Child SA or leaves a
 * ticket; tables stay within their bounds, no inbound SPI leaks; an honest gateway is reached in the end.
 */
import type { CryptoProvider } from '@culvert/crypto'
import {
  type Answer,
  defaultEspSuites,
  defaultIkeSuites,
  EXCHANGE,
  type InitiatorConfig,
  KE,
  NOTIFY,
  type Payload,
  peekHeader,
  type ProposalPolicy,
  type Question,
} from '@culvert/ikev2'
import { forgeRaw, notify, type RawPlace } from '../sim/forge.ts'
import { granting } from '../sim/grants.ts'
import { Network, type Packet } from '../sim/network.ts'
import { Node, type Overrides, type Step } from '../sim/node.ts'
import { LOST, matches } from '../sim/packets.ts'
import { initiatorConfig, PSK } from '../sim/pair.ts'
import { keyPair, signer } from '../sim/signers.ts'
import { Vault } from '../sim/vault.ts'
import { broken } from './broken.ts'
import { CostRank, type Costly } from './cost.ts'
import { answersIn, authInside, type Inside, insideOf, lastId, payloadsOf } from './insides.ts'
import { mutate } from './mutate.ts'
import { quickProvider } from './quick-crypto.ts'
import { seededRandom, type SeededRandom } from './random.ts'
import { StepModel } from './step-model.ts'

const FEATURES = { mobike: true, childless: true, redirect: true, resumption: true, ppk: true }
const GRANT = { transportMode: true, ticketLifetimeMs: 3_600_000, authLifetimeMs: 3_600_000 }
/** The true cryptography: one run in so many. */
const TRUE_RUNS = 10
const HYBRID_RUNS = 4
const MOST_KEPT = 2_000
const MAX_CHILD_SAS = 8
/** Ids after which a traitor begins anew. */
const MOST_IDS = 4_000
/** Every attempt has ended after this, with the timing of the simulation. */
const REST_MS = 700_000
const ML_KEM = [KE.ML_KEM_768, KE.NONE].map((id) => ({ type: 6, id, keyBits: null }))
const HYBRID: ProposalPolicy = {
  ike: defaultIkeSuites.map((suite) => ({ ...suite, additionalKe: [ML_KEM] })),
  esp: defaultEspSuites.map((suite) => ({ ...suite, additionalKe: [ML_KEM] })),
}
const DEVICE = '198.51.100.1'
const [HONEST, IMPOSTOR, TRAITOR] = ['203.0.113.1', '203.0.113.2', '203.0.113.3'] as const
const GATEWAY_KEY = keyPair('ed25519', 'con')

export interface InitiatorTally {
  readonly inputs: number
  readonly authentic: number
  /** Attempts of the impostor that came to an end without an attachment, and attachments to the traitor. */
  readonly refused: number
  readonly attached: number
  readonly features: ReadonlyMap<string, Inside | null>
  readonly costly: readonly Costly[]
}

export interface InitiatorFuzzOptions {
  readonly insides?: readonly Inside[]
  readonly costly?: number
}

/** @throws on the first input that breaks a rule; the message holds the input. */
export function fuzzInitiator(seed: number, rounds: number, options: InitiatorFuzzOptions = {}): InitiatorTally {
  return new InitiatorFuzzer(seed, options).run(rounds)
}

/** Hands in every inside as it is, from an impostor and from the traitor. @throws as `fuzzInitiator` does. */
export function replayToInitiator(insides: readonly Inside[]): InitiatorTally {
  return new InitiatorFuzzer(0, { insides }).replay(insides)
}

class InitiatorFuzzer {
  readonly #network: Network
  readonly #random: SeededRandom
  readonly #shared: { readonly crypto?: CryptoProvider }
  readonly #config: Overrides
  readonly #device: Node
  readonly #model = new StepModel()
  readonly #features = new Map<string, Inside | null>()
  readonly #cost: CostRank
  readonly #insides: Inside[]
  /** What an IKE_AUTH response looks like, AUTH of another conversation included. */
  readonly #responses: readonly Inside[]
  readonly #datagrams: readonly Uint8Array[]
  #impostor: Node | null = null
  #traitor: Node
  /** Id of the traitor's next request. */
  #messageId = 0
  #hostility: 'none' | 'impostor' | 'traitor' = 'none'
  #inside: Inside | null = null
  #isAuthentic = true
  #inputs = 0
  #steps = 0
  #refused = 0
  #attached = 0

  constructor(seed: number, options: InitiatorFuzzOptions) {
    this.#network = new Network(seed)
    this.#random = seededRandom(seed)
    this.#cost = new CostRank(options.costly ?? 0)
    this.#shared = seed % TRUE_RUNS === 0 ? {} : { crypto: quickProvider }
    this.#config = { features: FEATURES, ...(seed % HYBRID_RUNS === 0 && { proposals: HYBRID }) }
    this.#device = this.#node('dev', DEVICE)
    this.#device.answerTo = (question) => trust(question)
    this.#device.onStep = (step) => this.#watch(step)
    const honest = this.#gateway('con', HONEST, PSK)
    this.#traitor = this.#gateway('con', TRAITOR, PSK)
    for (const proof of [this.#proof('psk'), this.#proof('signature')]) this.#initiate(honest, { proof })
    exercise(this.#network, this.#device, honest)
    const nodes = [honest, this.#device]
    this.#datagrams = nodes.flatMap(({ sent }) => sent.map(({ bytes }) => bytes.slice()))
    this.#insides = nodes.flatMap((node) => node.sent.flatMap((packet) => insideOf(node, packet)))
    this.#insides.push(...(options.insides ?? []))
    this.#responses = this.#responsesOf(honest)
    this.#letGo()
  }

  run(rounds: number): InitiatorTally {
    for (let round = 0; round < rounds; round += 1) {
      this.#inputs = round * 2
      this.#receiveOuter()
      this.#inputs += 1
      if (this.#random.oneIn(3)) this.#receiveImpostor()
      else this.#receiveTraitor()
      if (round % 50 === 0) this.#pass()
    }
    return this.#finish(rounds * 2, rounds)
  }

  replay(insides: readonly Inside[]): InitiatorTally {
    for (const inside of insides) {
      this.#impostor = null
      this.#pretend(inside)
      this.#betray({ exchangeType: inside.exchangeType, messageId: this.#messageId }, inside)
    }
    return this.#finish(insides.length * 2, insides.length * 2)
  }

  #finish(inputs: number, authentic: number): InitiatorTally {
    this.#checkBounds()
    this.#checkService()
    const [refused, attached, features] = [this.#refused, this.#attached, this.#features]
    return { inputs, authentic, refused, attached, features, costly: this.#cost.costly }
  }

  #watch(step: Step): void {
    this.#steps += 1
    this.#model.observe(step, this.#isAuthentic)
    for (const effect of step.effects) {
      const kind = effect.kind === 'event' ? effect.event.kind : effect.kind
      const isTrusting = kind === 'established' || kind === 'installChildSa' || kind === 'ticket'
      if (isTrusting && this.#hostility === 'impostor') throw new Error(`${kind} for an impostor`)
      if (kind === 'attemptFailed' && this.#hostility === 'impostor') this.#refused += 1
      if (kind === 'established' && this.#hostility === 'traitor') this.#attached += 1
    }
    for (const feature of [...step.transitions, ...answersIn(step, this.#device)]) this.#note(feature)
    if (step.keyExchanges === 0 && step.input.kind === 'datagram') {
      this.#cost.note(step.tookMs, { at: this.#inputs, step: this.#steps }, step.input.bytes)
    }
  }

  #note(feature: string): void {
    const known = this.#features.get(feature)
    const inside = this.#inside
    if (known !== undefined && (known !== null || inside === null)) return
    this.#features.set(feature, inside)
    if (inside !== null && this.#insides.length < MOST_KEPT) this.#insides.push(inside)
  }

  /** Hands it in as if it came from the network. What our own timers and answers do then is told apart by `hostility`. */
  #hand(packet: Packet, isAuthentic: boolean, inside: Inside | null): void {
    this.#isAuthentic = isAuthentic
    this.#inside = inside
    try {
      this.#device.receive(packet)
      // A question to the driver is answered at once.
      this.#network.run(0)
    } catch (cause) {
      throw broken(this.#hostility, [packet.bytes], cause)
    }
    this.#isAuthentic = true
    this.#inside = null
  }

  #receiveOuter(): void {
    const random = this.#random
    const { sent } = this.#impostor ?? this.#traitor
    const source = random.oneIn(2) && sent.length > 0 ? sent.map(({ bytes }) => bytes) : this.#datagrams
    const bytes = random.oneIn(10) ? random.bytes(random.below(200)) : mutate(random.pick(source), random, source)
    const address = random.oneIn(4) ? `192.0.2.${random.below(256)}` : random.pick([HONEST, IMPOSTOR, TRAITOR])
    const from = { address, port: random.pick([500, 4_500, 1_024]) }
    const isRepeated = source.some((octets) => Buffer.compare(octets, bytes) === 0)
    this.#hand({ from, to: { address: DEVICE, port: random.pick([500, 4_500]) }, bytes }, isRepeated, null)
  }

  /** An answer to IKE_AUTH, or something else, of somebody who proves nothing. */
  #receiveImpostor(): void {
    const random = this.#random
    const seeds = random.oneIn(3) ? this.#insides : this.#responses
    this.#pretend(this.#damage(random.oneIn(8) ? random.pick(EXCHANGES) : EXCHANGE.IKE_AUTH, seeds))
  }

  #pretend(inside: Inside): void {
    const random = this.#random
    this.#impostor ??= this.#newImpostor()
    const impostor = this.#impostor
    this.#hostility = 'impostor'
    const messageId = random.oneIn(8) ? random.below(4) : lastId(this.#device)
    const place = { exchangeType: inside.exchangeType, messageId, isResponse: !random.oneIn(8) }
    this.#forge(impostor, place, inside)
    const isOver = this.#device.eventsOf('attemptFailed').length > 0
    if (isOver || random.oneIn(10)) this.#dropImpostor()
    this.#hostility = 'none'
  }

  /** The device begins with it, and what it says honestly to IKE_AUTH is lost. */
  #newImpostor(): Node {
    this.#letGo()
    this.#hostility = 'impostor'
    const impostor = this.#gateway('con', IMPOSTOR, new TextEncoder().encode('not the secret of anybody'))
    const { fate } = this.#network
    this.#network.fate = (packet) =>
      matches(packet, { from: IMPOSTOR, exchange: 'IKE_AUTH', isResponse: true }) ? LOST : {}
    const kind = this.#random.pick(['psk', 'psk', 'signature'] as const)
    this.#initiate(impostor, {
      proof: this.#proof(kind),
      childless: this.#random.oneIn(4),
      requestTicket: true,
    })
    this.#network.fate = fate
    return impostor
  }

  #dropImpostor(): void {
    this.#network.detach(IMPOSTOR)
    this.#impostor?.stop()
    this.#impostor = null
    this.#hostility = 'impostor'
    this.#network.run(this.#random.oneIn(8) ? 40_000 : 100)
    this.#device.events.splice(0)
    this.#device.questions.splice(0)
  }

  /** A message of a gateway that proved to be the right one. */
  #receiveTraitor(): void {
    const random = this.#random
    if (random.oneIn(6)) this.#ask()
    const isResponse = random.oneIn(3)
    const inside = this.#damage(random.pick([EXCHANGE.CREATE_CHILD_SA, EXCHANGE.INFORMATIONAL]))
    const messageId = isResponse ? lastId(this.#device) : random.oneIn(10) ? random.below(6) : this.#messageId
    this.#betray({ exchangeType: inside.exchangeType, messageId, isResponse }, inside)
  }

  #betray(place: RawPlace, inside: Inside): void {
    if (this.#impostor !== null) this.#dropImpostor()
    if (!this.#isAttached() || this.#messageId > MOST_IDS) this.#attachToTraitor()
    this.#hostility = 'traitor'
    const before = this.#device.sent.length
    this.#forge(this.#traitor, place, inside)
    const isAnswered = this.#device.sent.slice(before).some(({ bytes }) => isResponseTo(bytes, this.#messageId))
    if (isAnswered) this.#messageId += 1
  }

  /** The device wants something of the traitor, whose true answer is lost. */
  #ask(): void {
    const [device, { attachmentKey }] = [this.#device, this.#device]
    if (attachmentKey === null) return
    const { fate } = this.#network
    this.#network.fate = (packet) => (packet.from.address === TRAITOR ? LOST : {})
    const child = [...device.children.values()].at(-1)
    const wishes = [
      () => device.command({ kind: 'checkLiveness', key: attachmentKey }),
      () => device.command({ kind: 'rekeyIke', key: attachmentKey }),
      () => child && device.command({ kind: 'rekeyChild', key: attachmentKey, spiIn: child.spiIn }),
      () => child && device.command({ kind: 'deleteChild', key: attachmentKey, spiIn: child.spiIn }),
      () => {
        const local = { address: DEVICE, port: this.#random.pick([4_500, 4_501]) }
        device.command({
          kind: 'moveTo',
          key: attachmentKey,
          path: { local, remote: { address: TRAITOR, port: 4_500 } },
        })
      },
      () => device.command({ kind: 'ownAddresses', addresses: this.#random.pick([[], [DEVICE, '2001:db8::7']]) }),
      () => {
        const { tsLocal, tsRemote } = child ?? { tsLocal: [], tsRemote: [] }
        if (child) device.command({ kind: 'createChild', key: attachmentKey, tsLocal, tsRemote })
      },
    ]
    this.#random.pick(wishes)()
    this.#network.run(30)
    this.#network.fate = fate
  }

  #attachToTraitor(): void {
    this.#letGo()
    this.#traitor.stop()
    this.#hostility = 'traitor'
    this.#traitor = this.#gateway('con', TRAITOR, PSK)
    this.#initiate(this.#traitor, { requestTicket: true, transportMode: this.#random.oneIn(4) })
    this.#messageId = 0
  }

  /** Nothing of the device stands any more, whatever it thought; the peer may not answer. */
  #letGo(): void {
    const device = this.#device
    this.#hostility = 'none'
    for (const { key } of device.eventsOf('established')) {
      device.command({ kind: 'deleteIke', key, reason: 'deletedLocally' })
    }
    this.#network.run(this.#random.oneIn(8) ? 40_000 : 100)
    for (const list of [device.events, device.questions, device.sent]) list.splice(0)
  }

  #damage(exchangeType: number, seeds: readonly Inside[] = this.#insides): Inside {
    const random = this.#random
    const chosen = random.pick(seeds)
    const others = [random.pick(this.#insides).bytes, random.pick(this.#insides).bytes]
    const bytes = random.oneIn(seeds === this.#insides ? 8 : 3) ? chosen.bytes : mutate(chosen.bytes, random, others)
    const innerType = random.oneIn(20) ? random.below(256) : chosen.innerType
    const isInPlace = chosen.exchangeType === exchangeType || random.oneIn(3)
    return { exchangeType: isInPlace ? exchangeType : chosen.exchangeType, innerType, bytes }
  }

  #forge(gateway: Node, place: RawPlace, inside: Inside): void {
    if (gateway.sent.length === 0) return // it took nothing of our offer
    const bytes = forgeRaw(gateway, place, inside.innerType, inside.bytes)
    const last = gateway.sent.at(-1)
    if (last !== undefined) this.#hand({ from: last.from, to: last.to, bytes }, true, inside)
  }

  #responsesOf(honest: Node): Inside[] {
    const genuine = honest.sent.filter((packet) => matches(packet, { exchange: 'IKE_AUTH', isResponse: true }))
    const own = this.#device.sent.filter((packet) => matches(packet, { exchange: 'IKE_AUTH', isResponse: false }))
    const sets: (readonly Payload[])[] = genuine.map((packet) => payloadsOf(honest, packet))
    // What we said ourselves comes back, our AUTH with the identity of the gateway.
    for (const packet of own) {
      const said = payloadsOf(this.#device, packet)
      const idR = said.filter(({ kind }) => kind === 'idR')
      const auth = said.filter(({ kind }) => kind === 'auth')
      const rest = (sets[0] ?? []).filter(({ kind }) => kind !== 'idR' && kind !== 'auth')
      sets.push(said, [...idR, ...auth, ...rest])
    }
    const [first = []] = sets
    sets.push(first.filter(({ kind }) => kind !== 'auth'))
    sets.push([...first, notify(NOTIFY.PPK_IDENTITY)])
    return sets.map(authInside)
  }

  #proof(kind: 'psk' | 'signature'): InitiatorConfig['proof'] {
    if (kind === 'psk') return { kind, secret: PSK.slice() }
    return { kind, ...signer('ed25519', 'dev') }
  }

  #initiate(gateway: Node, wishes: Partial<InitiatorConfig>): void {
    this.#device.command({ kind: 'initiate', peer: initiatorConfig(this.#device, gateway, wishes) })
    this.#network.run(200)
  }

  #node(name: string, address: string): Node {
    return new Node(this.#network, { ...this.#shared, name, address, config: { ...this.#config } })
  }

  #gateway(name: string, address: string, secret: Uint8Array): Node {
    const gateway = this.#node(name, address)
    gateway.vault = new Vault(this.#network)
    gateway.answerTo = (question) => grant(question, secret)
    return gateway
  }

  #isAttached(): boolean {
    const { key } = this.#device.eventsOf('established').at(-1) ?? {}
    return key !== undefined && this.#device.attachmentKey === key && !this.#hasRekeyed(key)
  }

  /** The forger knows the keys of the first IKE SA only. */
  #hasRekeyed(key: number): boolean {
    return this.#device.eventsOf('ikeRekeyed').some((event) => event.key === key)
  }

  #pass(): void {
    this.#hostility = this.#impostor === null ? 'traitor' : 'impostor'
    this.#network.run(this.#random.below(2_000))
    this.#checkBounds()
  }

  #checkBounds(): void {
    const { endpoint, children } = this.#device
    const { ikeSas, attachments, asks, timers } = endpoint.tableSizes
    if (attachments > 4_000) throw new Error(`${attachments} attachments`)
    if (children.size > Math.max(1, attachments) * MAX_CHILD_SAS) throw new Error(`${children.size} Child SAs`)
    if (asks > 64 || timers > ikeSas) throw new Error(`${asks} questions, ${timers} timers`)
  }

  /** What hostile gateways left behind is gone, every SPI was given back, and an honest one is reached. */
  #checkService(): void {
    const device = this.#device
    if (this.#impostor !== null) this.#dropImpostor()
    this.#letGo()
    for (const address of [TRAITOR, IMPOSTOR]) this.#network.detach(address)
    this.#network.run(REST_MS)
    const { ikeSas, attachments, asks } = device.endpoint.tableSizes
    const left = { ikeSas, attachments, asks, children: device.children.size, spis: device.pendingSpis }
    if (Object.values(left).some((count) => count !== 0)) throw new Error(`left over: ${JSON.stringify(left)}`)
    const honest = this.#gateway('con', HONEST, PSK)
    this.#initiate(honest, { proof: this.#proof('signature') })
    if (device.children.size !== 1) throw new Error('the honest gateway could not be reached')
  }
}

const EXCHANGES = Object.values(EXCHANGE)

/** The device trusts whoever holds the key of the gateway. */
function trust(question: Question): Answer {
  if (question.kind === 'trust') return { kind: 'trust', key: GATEWAY_KEY.verifying }
  return { kind: 'credential', found: null }
}

function grant(question: Question, secret: Uint8Array): Answer {
  if (question.kind !== 'credential') return granting(GRANT)(question)
  const { verifying } = keyPair('ed25519', 'dev')
  const candidates = [
    { kind: 'psk' as const, id: 'crd_1', secret },
    { kind: 'publicKey' as const, id: 'crd_2', key: verifying },
  ]
  // An impostor has a key of its own.
  const own = secret === PSK ? signer('ed25519', 'con') : signer('ed25519', 'impostor')
  return { kind: 'credential', found: { subject: 'dev.test', candidates, signer: own } }
}

/** Makes every kind of message once, from both ends, as material. */
function exercise(network: Network, device: Node, gateway: Node): void {
  for (const node of [device, gateway]) {
    const { attachmentKey: key } = node
    const [child] = node.children.values()
    if (key === null || child === undefined) continue
    node.command({ kind: 'rekeyChild', key, spiIn: child.spiIn })
    network.run(500)
    node.command({ kind: 'checkLiveness', key })
    network.run(500)
    node.command({ kind: 'redirect', key, to: { kind: 'ip4', address: HONEST } })
    node.command({ kind: 'rekeyIke', key })
    network.run(500)
  }
}

function isResponseTo(bytes: Uint8Array, messageId: number): boolean {
  const header = peekHeader(bytes)
  return header.ok && header.value.isResponse && header.value.messageId === messageId
}
