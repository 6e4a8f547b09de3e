/**
 * Fuzzes a whole IKEv2 endpoint that serves devices. Half of the inputs are damaged and random datagrams from anywhere; the other
 * half is sealed with true keys, of a device that is attached or of one that has not proven anything yet and may do so with a secret, a
 * signature or EAP, with an inside that is damaged or out of place.
 *
 * What must hold: nothing throws; every step is as `StepModel` says; every table stays within its bound and is empty in the end; no
 * inbound SPI leaks; a device that was left alone still gets its answers; a new device can attach.
 *
 * Insides that lead to a transition or an answer nobody saw before are kept and damaged further. One file: the fuzzer is one object,
 * whose state every kind of input changes.
 */
import {
  type Answer,
  decodeMessage,
  defaultEspSuites,
  defaultIkeSuites,
  EXCHANGE,
  KE,
  NOTIFY,
  type Payload,
  peekHeader,
  type ProposalPolicy,
  type Question,
  type Transform,
} from '@culvert/ikev2'
import { toHex } from '@culvert/bytes'
import type { CryptoProvider } from '@culvert/crypto'
import { forgeRaw, notify, type RawPlace } from '../sim/forge.ts'
import { Network, type Packet } from '../sim/network.ts'
import { Node, type Overrides, type Step } from '../sim/node.ts'
import { EapScript, eapResponse } from '../sim/eap-script.ts'
import { granting } from '../sim/grants.ts'
import { grantEverything, initiatorConfig, PSK } from '../sim/pair.ts'
import { LOST, matches } from '../sim/packets.ts'
import { keyPair, signer } from '../sim/signers.ts'
import { innerPayloads } from '../sim/transcript.ts'
import { Vault } from '../sim/vault.ts'
import { broken } from './broken.ts'
import { CostRank, type Costly } from './cost.ts'
import { answers, answersIn, authInside, type Inside, insideOf, lastId, payloadsOf } from './insides.ts'
import { mutate } from './mutate.ts'
import { quickProvider } from './quick-crypto.ts'
import { seededRandom, type SeededRandom } from './random.ts'
import { StepModel } from './step-model.ts'

const MAX_HALF_OPEN = 64
const MAX_IKE_SAS = 40
const MAX_CHILD_SAS = 8
const FEATURES = { mobike: true, childless: true, redirect: true, resumption: true, ppk: true }
/** Whatever a peer may ask for beyond a Child SA. */
const GRANT = { transportMode: true, ticketLifetimeMs: 3_600_000 }
const ML_KEM: readonly Transform[] = [KE.ML_KEM_768, KE.NONE].map((id) => ({ type: 6, id, keyBits: null }))
/** With IKE_INTERMEDIATE and IKE_FOLLOWUP_KE, which cost many key exchanges: for one run in so many. */
const HYBRID: ProposalPolicy = {
  ike: defaultIkeSuites.map((suite) => ({ ...suite, additionalKe: [ML_KEM] })),
  esp: defaultEspSuites.map((suite) => ({ ...suite, additionalKe: [ML_KEM] })),
}
const HYBRID_RUNS = 4
/** With the true key exchanges, which cost more than everything else together: one run in so many. */
const TRUE_RUNS = 10
const EXCHANGES = Object.values(EXCHANGE)
/** Strangers have addresses that end in this and above; who they are, and how they may prove it, is drawn by lot. */
const FIRST_STRANGE = 50
/** Signs the same octets the same way each time. */
const SIGNER = signer('ed25519', 'con')
/** Everything has expired after this, with the timing of the simulation. */
const REST_MS = 700_000
const MOST_KEPT = 2_000

export interface EndpointTally {
  readonly inputs: number
  /** Sealed with true keys. */
  readonly authentic: number
  readonly answered: number
  readonly attachmentsMade: number
  /** Transitions and answers seen, with the first inside that led there; null for a datagram without. */
  readonly features: ReadonlyMap<string, Inside | null>
  /** The costliest steps without a key exchange, most expensive first. */
  readonly costly: readonly Costly[]
}

export interface EndpointFuzzOptions {
  /** Insides to begin with, beside those the scene makes itself. */
  readonly insides?: readonly Inside[]
  /** How many of the costliest steps are told. */
  readonly costly?: number
}

/** @throws on the first input that breaks a rule; the message holds the input. */
export function fuzzEndpoint(seed: number, rounds: number, options: EndpointFuzzOptions = {}): EndpointTally {
  return new EndpointFuzzer(seed, options).run(rounds)
}

/** Hands in every inside as it is, from a device that is attached and from one that is not. @throws as `fuzzEndpoint` does. */
export function replayInsides(insides: readonly Inside[]): EndpointTally {
  return new EndpointFuzzer(0, { insides }).replay(insides)
}

class EndpointFuzzer {
  readonly #network: Network
  readonly #random: SeededRandom
  readonly #concentrator: Node
  /** Left alone. */
  readonly #witness: Node
  /** Its keys are used to forge. */
  #traitor: Node
  /** Knows the keys of an IKE SA that is not authenticated. */
  #stranger: Node | null = null
  /** Id of the stranger's next request. */
  #strangeId = 1
  #strangeStart = 1
  #strangers = 0
  /** Of those, without an answer to IKE_SA_INIT. */
  #turnedAway = 0
  readonly #eap = new EapScript()
  readonly #model = new StepModel()
  readonly #datagrams: readonly Uint8Array[]
  readonly #genuine: ReadonlySet<string>
  readonly #insides: Inside[]
  /** Of IKE_AUTH with a secret, and with EAP. */
  readonly #beginnings: readonly Inside[]
  readonly #continuations: readonly Inside[]
  readonly #features = new Map<string, Inside | null>()
  readonly #cost: CostRank
  readonly #proposals: Overrides
  readonly #crypto: { readonly crypto?: CryptoProvider }
  #current: { readonly isAuthentic: boolean; readonly inside: Inside | null } = { isAuthentic: true, inside: null }
  #lastInside: Inside | null = null
  #steps = 0
  #round = 0
  #answered = 0
  #attached = 0
  #messageId = 2

  constructor(seed: number, options: EndpointFuzzOptions) {
    this.#network = new Network(seed)
    this.#random = seededRandom(seed)
    this.#cost = new CostRank(options.costly ?? 0)
    const limits = { maxHalfOpen: MAX_HALF_OPEN, maxIkeSas: MAX_IKE_SAS, cookieThreshold: MAX_HALF_OPEN }
    this.#proposals = seed % HYBRID_RUNS === 0 ? { proposals: HYBRID } : {}
    this.#crypto = seed % TRUE_RUNS === 0 ? {} : { crypto: quickProvider }
    const config = { ...limits, ...this.#proposals, timing: { livenessMs: 15_000 }, features: FEATURES }
    this.#concentrator = new Node(this.#network, {
      ...this.#crypto,
      name: 'con',
      address: '203.0.113.1',
      config,
    })
    this.#concentrator.vault = new Vault(this.#network)
    this.#concentrator.answerTo = (question) => this.#answer(question)
    this.#concentrator.onStep = (step) => this.#watch(step)
    this.#witness = this.#newDevice('witness', '198.51.100.1')
    this.#traitor = this.#newDevice('traitor', '198.51.100.2')
    for (const node of [this.#witness, this.#traitor]) this.#attach(node)
    exercise(this.#network, this.#traitor)
    const nodes = [this.#witness, this.#traitor, this.#concentrator]
    this.#datagrams = nodes.flatMap(({ sent }) => sent.map(({ bytes }) => bytes.slice()))
    this.#genuine = new Set(this.#datagrams.map(toHex))
    this.#insides = nodes.flatMap((node) => node.sent.flatMap((packet) => insideOf(node, packet)))
    this.#insides.push(...(options.insides ?? []))
    const proven = payloadsOf(
      this.#witness,
      this.#witness.sent.find((packet) => matches(packet, { exchange: 'IKE_AUTH' })),
    )
    const unproven = proven.filter(({ kind }) => kind !== 'auth')
    const eapOnly: Payload[] = [...unproven, notify(NOTIFY.EAP_ONLY_AUTHENTICATION)]
    this.#beginnings = [proven, unproven, eapOnly].map(authInside)
    const auth = proven.filter(({ kind }) => kind === 'auth')
    this.#continuations = [[eapResponse(1)], [eapResponse(2)], [eapResponse(3)], auth].map(authInside)
  }

  run(rounds: number): EndpointTally {
    this.#reattach()
    for (let round = 0; round < rounds; round += 1) {
      this.#round = round
      this.#receiveOuter()
      if (this.#random.oneIn(4)) this.#receiveStrange()
      else this.#receiveInner()
      if (round % 50 === 0) {
        this.#network.run(this.#random.below(2_000))
        this.#checkBounds()
      }
    }
    return this.#finish(rounds * 2, rounds)
  }

  replay(insides: readonly Inside[]): EndpointTally {
    this.#reattach()
    for (const inside of insides) {
      const { exchangeType } = inside
      const stranger = this.#newStranger()
      if (stranger) this.#forge(stranger, { exchangeType, messageId: this.#strangeId }, inside)
      this.#forgeNext({ exchangeType, messageId: this.#messageId }, inside)
    }
    return this.#finish(insides.length * 2, insides.length * 2)
  }

  #finish(inputs: number, authentic: number): EndpointTally {
    this.#network.run(120_000)
    this.#checkBounds()
    this.#checkService()
    this.#checkRest()
    if (this.#turnedAway * 10 > this.#strangers + 10) throw new Error('strangers are not let in')
    const [answered, attachmentsMade] = [this.#answered, this.#attached]
    return { inputs, authentic, answered, attachmentsMade, features: this.#features, costly: this.#cost.costly }
  }

  #watch(step: Step): void {
    const { isAuthentic } = this.#current
    // What an answer leads to was begun by the message that made us ask.
    const inside = step.input.kind === 'answer' ? this.#lastInside : this.#current.inside
    this.#steps += 1
    this.#model.observe(step, isAuthentic)
    for (const effect of step.effects) {
      if (effect.kind === 'send') this.#answered += 1
      if (effect.kind === 'event' && effect.event.kind === 'established') this.#attached += 1
    }
    for (const feature of [...step.transitions, ...answersIn(step, this.#concentrator)]) this.#note(feature, inside)
    if (step.keyExchanges === 0 && step.input.kind === 'datagram') {
      this.#cost.note(step.tookMs, { at: this.#round * 2 + 1, step: this.#steps }, step.input.bytes)
    }
  }

  #note(feature: string, inside: Inside | null): void {
    const known = this.#features.get(feature)
    if (known !== undefined && (known !== null || inside === null)) return
    this.#features.set(feature, inside)
    if (inside !== null && this.#insides.length < MOST_KEPT) this.#insides.push(inside)
  }

  /** Hands it in as if it came from the network. */
  #hand(packet: Packet, isAuthentic: boolean, inside: Inside | null): void {
    this.#current = { isAuthentic, inside }
    this.#lastInside = inside
    try {
      this.#concentrator.receive(packet)
    } catch (cause) {
      throw broken(isAuthentic ? 'authentic' : 'strange', [packet.bytes], cause)
    }
    this.#current = { isAuthentic: true, inside: null }
  }

  /** A damaged or random datagram from anywhere. */
  #receiveOuter(): void {
    const random = this.#random
    const bytes = random.oneIn(10)
      ? random.bytes(random.below(200))
      : mutate(random.pick(this.#datagrams), random, this.#datagrams)
    const from = { address: `192.0.2.${random.below(256)}`, port: random.below(65_536) }
    const to = { address: this.#concentrator.address, port: random.pick([500, 4_500]) }
    this.#hand({ from, to, bytes }, this.#genuine.has(toHex(bytes)), null)
  }

  /** A message of the traitor. */
  #receiveInner(): void {
    const random = this.#random
    const inside = this.#damage(random.pick([EXCHANGE.CREATE_CHILD_SA, EXCHANGE.INFORMATIONAL]))
    const messageId = random.oneIn(10) ? random.below(6) : this.#messageId
    this.#forgeNext({ exchangeType: inside.exchangeType, messageId, isResponse: random.oneIn(10) }, inside)
  }

  /** The traitor sends it, and starts over when that cost it its IKE SA. */
  #forgeNext(place: RawPlace, inside: Inside): void {
    const before = this.#concentrator.sent.length
    this.#forge(this.#traitor, place, inside)
    const isAnswered = this.#concentrator.sent.slice(before).some((packet) => answers(packet, place.messageId))
    if (isAnswered && place.messageId === this.#messageId && place.isResponse !== true) this.#messageId += 1
    if (!this.#isTraitorAttached()) this.#reattach()
  }

  /** A message of somebody who made keys in IKE_SA_INIT and has proven nothing. */
  #receiveStrange(): void {
    const random = this.#random
    if (this.#stranger === null || random.oneIn(10)) this.#stranger = this.#newStranger()
    if (this.#stranger === null) return
    const isBegun = this.#strangeId > this.#strangeStart
    const seeds = random.oneIn(3) ? this.#insides : isBegun ? this.#continuations : this.#beginnings
    const inside = this.#damage(random.oneIn(8) ? random.pick(EXCHANGES) : EXCHANGE.IKE_AUTH, seeds)
    const messageId = random.oneIn(6) ? random.below(4) : this.#strangeId
    const before = this.#concentrator.sent.length
    this.#forge(this.#stranger, { exchangeType: inside.exchangeType, messageId }, inside)
    if (!random.oneIn(4)) this.#network.run(random.below(30))
    const answer = this.#concentrator.sent.slice(before).find((packet) => answers(packet, this.#strangeId))
    if (answer === undefined) return
    this.#strangeId += 1
    // Only a round of EAP leaves something to go on with.
    if (!this.#isRoundOfEap(answer)) this.#stranger = null
  }

  #isRoundOfEap({ bytes }: Packet): boolean {
    const message = decodeMessage(bytes)
    if (!message.ok) return false
    return innerPayloads(this.#concentrator.tap, message.value, bytes).some(({ kind }) => kind === 'eap')
  }

  #answer(question: Question): Answer {
    if (question.kind === 'eap') return this.#eap.answer(question)
    if (question.kind === 'resume') return { kind: 'resume', isAllowed: this.#random.oneIn(2) }
    const isStrange =
      Number(question.kind === 'trust' ? 0 : question.path.remote.address.split('.')[3]) >= FIRST_STRANGE
    if (question.kind !== 'credential' || !isStrange) return granting(GRANT)(question)
    const subject = 'dev.test'
    switch (this.#random.below(6)) {
      case 0:
        return { kind: 'credential', found: null }
      case 1:
      case 2: {
        const withoutOurProof = this.#random.oneIn(2)
        const candidates = [{ kind: 'eap' as const, id: null, withoutOurProof }]
        return { kind: 'credential', found: { subject: null, candidates, signer: SIGNER } }
      }
      case 3: {
        const { verifying } = keyPair('ed25519', 'dev')
        const candidates = [{ kind: 'publicKey' as const, id: 'crd_2', key: verifying }]
        return { kind: 'credential', found: { subject, candidates, signer: SIGNER } }
      }
      case 4: {
        const ppk = { id: Uint8Array.of(2, 112), secret: new Uint8Array(32), isRequired: this.#random.oneIn(2) }
        return {
          kind: 'credential',
          found: { subject, candidates: [{ kind: 'psk', id: 'crd_1', secret: PSK }], ppks: [ppk] },
        }
      }
      default:
        return grantEverything(question)
    }
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

  #forge(node: Node, place: RawPlace, inside: Inside): void {
    const bytes = forgeRaw(node, place, inside.innerType, inside.bytes)
    const from = { address: node.address, port: 500 }
    this.#hand({ from, to: { address: this.#concentrator.address, port: 500 }, bytes }, true, inside)
  }

  /**
   * Its IKE_AUTH is lost, so that its keys are good for one of our making.
   * @returns null when the budgets of its address had no place for it, which is rare.
   */
  #newStranger(): Node | null {
    const node = this.#newDevice('stranger', `198.51.100.${FIRST_STRANGE + this.#random.below(100)}`)
    const { fate } = this.#network
    const exchange = this.#random.oneIn(3) ? 'IKE_INTERMEDIATE' : 'IKE_AUTH'
    const isLost = (packet: Packet): boolean =>
      ['IKE_AUTH', exchange].some((lost) => matches(packet, { from: node.address, exchange: lost as typeof exchange }))
    this.#network.fate = (packet) => (isLost(packet) ? LOST : {})
    this.#attach(node)
    this.#strangeId = lastId(node)
    this.#strangeStart = this.#strangeId
    this.#network.fate = fate
    this.#network.detach(node.address)
    node.stop()
    this.#strangers += 1
    if (node.tap.hasKeys()) return node
    this.#turnedAway += 1
    return null
  }

  #newDevice(name: string, address: string): Node {
    return new Node(this.#network, {
      ...this.#crypto,
      name,
      address,
      config: { ...this.#proposals, features: FEATURES },
    })
  }

  #attach(node: Node): void {
    const wishes = { requestTicket: true, transportMode: this.#random.oneIn(4) }
    node.command({ kind: 'initiate', peer: initiatorConfig(node, this.#concentrator, wishes) })
    this.#network.run(500)
  }

  #isTraitorAttached(): boolean {
    const header = peekHeader(this.#traitor.sent.at(-1)?.bytes ?? new Uint8Array(0))
    if (!header.ok || this.#messageId > 4_000) return false
    const established = this.#concentrator.eventsOf('established').findLast(({ ike }) => ike.spiR === header.value.spiR)
    if (established === undefined) return false
    const isClosed = this.#concentrator.eventsOf('closed').some(({ key }) => key === established.key)
    return !isClosed && !this.#concentrator.eventsOf('ikeRekeyed').some(({ key }) => key === established.key)
  }

  /** The traitor starts over. */
  #reattach(): void {
    const [network, concentrator] = [this.#network, this.#concentrator]
    const { address } = this.#traitor
    for (const { ike, key } of concentrator.eventsOf('established')) {
      if (ike.path.remote.address !== address) continue
      concentrator.command({ kind: 'deleteIke', key, reason: 'superseded' })
    }
    // Mostly it says goodbye; sometimes it is gone, and the concentrator repeats itself in vain.
    if (this.#random.oneIn(8)) {
      network.detach(address)
      network.run(40_000)
    } else network.run(100)
    this.#traitor.stop()
    for (const list of [concentrator.events, concentrator.questions, concentrator.sent]) list.splice(0)
    this.#traitor = this.#newDevice('traitor', address)
    this.#attach(this.#traitor)
    this.#messageId = lastId(this.#traitor) + 1
  }

  #checkBounds(): void {
    const { endpoint, children } = this.#concentrator
    const { established, halfOpen } = endpoint.size
    const { ikeSas, asks, timers } = endpoint.tableSizes
    if (established > MAX_IKE_SAS) throw new Error(`${established} attachments`)
    if (halfOpen > MAX_HALF_OPEN) throw new Error(`${halfOpen} half-open SAs`)
    if (children.size > established * MAX_CHILD_SAS) throw new Error(`${children.size} Child SAs`)
    if (asks > MAX_HALF_OPEN || timers > ikeSas) throw new Error(`${asks} questions, ${timers} timers`)
  }

  /** The witness is answered, and a newcomer gets in; every SPI is in use or was given back. */
  #checkService(): void {
    const [network, witness] = [this.#network, this.#witness]
    const sent = witness.sent.length
    witness.command({ kind: 'checkLiveness', key: witness.key })
    network.run(500)
    // A question of the concentrator's own may cross its request: then it answers besides.
    const asked = witness.sent.slice(sent).map(({ bytes }) => toHex(bytes))
    if (asked.length === 0 || new Set(asked).size < asked.length) throw new Error('the witness had to repeat itself')
    const newcomer = this.#newDevice('newcomer', '198.51.100.3')
    this.#attach(newcomer)
    if (newcomer.children.size !== 1) throw new Error('a newcomer could not attach')
    if (this.#concentrator.pendingSpis !== 0) throw new Error(`${this.#concentrator.pendingSpis} SPIs leaked`)
  }

  /** What hostile peers left behind is gone. */
  #checkRest(): void {
    this.#network.run(REST_MS)
    const { endpoint } = this.#concentrator
    const { established, halfOpen } = endpoint.size
    const { ikeSas, attachments, asks } = endpoint.tableSizes
    if (ikeSas !== established || attachments !== established || asks !== 0 || halfOpen !== 0) {
      throw new Error(`left over: ${JSON.stringify({ established, halfOpen, ikeSas, attachments, asks })}`)
    }
  }
}

/** Makes every kind of message once, as material. */
function exercise(network: Network, node: Node): void {
  const { key } = node
  node.command({ kind: 'rekeyChild', key, spiIn: node.child.spiIn })
  network.run(500)
  node.command({ kind: 'rekeyIke', key })
  network.run(500)
  node.command({ kind: 'checkLiveness', key })
  network.run(500)
}
