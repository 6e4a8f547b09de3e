/**
 * One IKE endpoint in the simulated network, together with the data plane and the driver it needs.
 *
 * The data plane is a model that knows which inbound SPIs are allocated and installed and throws when one is given back twice,
 * never, or before it was there. Questions are answered after `askDelayMs` by functions a test may replace.
 */
import {
  type Answer,
  type AttachmentKey,
  type ChildSaDescription,
  type Command,
  createEndpoint,
  defaultEspSuites,
  defaultIkeSuites,
  type EapSession,
  type Effect,
  type Env,
  type EndpointConfig,
  type EndpointTiming,
  fromCidr,
  type Identity,
  ID_TYPE,
  type IkeEndpoint,
  type IkeEvent,
  type IkeSpi,
  type Input,
  type ProposalPolicy,
  type Question,
  type SocketAddress,
  type TicketVault,
  type Spi,
  toText,
  type TrafficSelector,
  type TransitionObserver,
} from '@culvert/ikev2'
import type { CryptoProvider } from '@culvert/crypto'
import { Stopwatch } from '../fuzz/cost.ts'
import type { Nat } from './nat.ts'
import type { Network, Packet } from './network.ts'
import { type Data, openData, sealData } from './data.ts'
import { createTap, type Tap } from './tap.ts'
import type { Transcript } from './transcript.ts'

const NONCE_BYTES = 32

export const TIMING: EndpointTiming = {
  livenessMs: 0,
  retransmit: { firstMs: 1_000, factor: 2, tries: 4 },
  halfOpenMs: 30_000,
  ikeRekeyMs: 0,
  childRekeyMs: 0,
  natKeepaliveMs: 0,
}

export type Overrides = Partial<Omit<EndpointConfig, 'timing'>> & { readonly timing?: Partial<EndpointTiming> }

/** The member of the union that has this kind, also where two kinds share a member. */
type EventOf<K extends IkeEvent['kind'], E = IkeEvent> = E extends { readonly kind: infer Kinds }
  ? K extends Kinds
    ? E
    : never
  : never

/** One step of the core, for whoever watches. */
export interface Step {
  readonly input: Input
  readonly effects: readonly Effect[]
  /** Other work of the machine and collecting garbage may be in it, so only the least of several runs tells. */
  readonly tookMs: number
  readonly keyExchanges: number
  /** Rows of the transition table that were acted upon, with the phase that followed. */
  readonly transitions: readonly string[]
}

export interface NodeOptions {
  readonly name: string
  readonly address: string
  readonly nat?: Nat
  readonly transcript?: Transcript
  readonly config?: Overrides
  /** Number of the first IKE SPI; a node that starts anew goes on where it ended. */
  readonly firstIkeSpi?: number
  /** Left out for true: `sent`, `events` and `questions` hold everything since the start. */
  readonly keepsHistory?: boolean
  /** Left out for that of production. */
  readonly crypto?: CryptoProvider
}

export function fqdn(name: string): Identity {
  return { type: ID_TYPE.FQDN, data: new TextEncoder().encode(name) }
}

export function selectors(...cidrs: readonly string[]): TrafficSelector[] {
  return cidrs.map((cidr) => {
    const selector = fromCidr(cidr)
    if (selector === null) throw new Error(`not a prefix: ${cidr}`)
    return selector
  })
}

export class Node {
  readonly name: string
  readonly address: string
  readonly endpoint: IkeEndpoint
  readonly tap: Tap
  readonly events: IkeEvent[] = []
  readonly questions: Question[] = []
  /** Child SAs in the data plane by inbound SPI, with `outbound` as it is now. */
  readonly children = new Map<Spi, ChildSaDescription>()
  /** Every datagram this node sent, in order. */
  readonly sent: Packet[] = []
  keepalives = 0
  /** Whether the last move of a Child SA was to where the peer is known to be. */
  confirmed = true
  /** A NAT that is on the way now; null for none. */
  route: Nat | null
  /** EAP runs the core gave up. */
  readonly endedEap: EapSession[] = []
  askDelayMs = 0
  answerTo: (question: Question) => Answer
  /** Told of every event after it was recorded. */
  onEvent: (event: IkeEvent) => void = () => undefined
  /** Told of every packet of the tunnel that arrived and was accepted. */
  onData: (text: string, child: ChildSaDescription) => void = () => undefined
  /** Told of every step before its effects are applied; null for nobody. */
  onStep: ((step: Step) => void) | null = null
  freeChildSpis = Infinity
  /** Seals resumption tickets; null for a node that gives none. */
  vault: TicketVault | null = null
  /** First octet of every nonce drawn from now on, so that a test decides which one is the lowest; null for a random one. */
  nonceStart: number | null = null
  /** Inbound SPIs of the Child SAs that may send, as the data plane prefers them: activated last first. */
  readonly senders: Spi[] = []
  readonly #allocated = new Set<Spi>()
  readonly #owners = new Map<Spi, AttachmentKey>()
  readonly #keepsHistory: boolean
  readonly #network: Network
  readonly #config: { -readonly [K in keyof EndpointConfig]: EndpointConfig[K] }
  readonly #transcript: Transcript | null
  #nextIkeSpi: number
  #nextSpi: number
  #armedMs: number | null = null
  #isStopped = false
  #transitions: string[] = []
  #attachmentKey: AttachmentKey | null = null

  constructor(network: Network, options: NodeOptions) {
    this.name = options.name
    this.address = options.address
    this.#network = network
    this.route = options.nat ?? null
    this.#transcript = options.transcript ?? null
    this.#nextIkeSpi = options.firstIkeSpi ?? 1
    this.#keepsHistory = options.keepsHistory ?? true
    this.tap = createTap(this.#keepsHistory, options.crypto)
    this.#nextSpi = 0x1000_0000 + network.random.below(0x1000_0000)
    this.#config = endpointConfig(options)
    this.endpoint = createEndpoint(this.#config, this.#observe)
    this.answerTo = () => ({ kind: 'credential', found: null })
    ;(this.route ?? network).attach(this)
  }

  receive(packet: Packet): void {
    const data = openData(packet.bytes)
    if (data !== null) {
      this.#receiveData(data, packet)
      return
    }
    const path = { local: packet.to, remote: packet.from }
    // A copy that is destroyed afterwards: the core may not keep what it was lent.
    const bytes = packet.bytes.slice()
    this.input({ kind: 'datagram', bytes, path })
    bytes.fill(0xee)
  }

  /** Sends a packet of the tunnel with the Child SA that leads to `inner`, as the data plane chooses it. @returns false when there is none. */
  sendData(inner: string, text: string): boolean {
    const child = this.senderTo(inner)
    if (child === null) return false
    const { local, remote } = child.path
    this.inject(local, remote, sealData(child.spiOut, text))
    return true
  }

  #receiveData({ spi, text }: Data, { from }: Packet): void {
    const child = this.children.get(spi)
    const key = this.#owners.get(spi)
    if (child === undefined || key === undefined) return
    this.command({ kind: 'inboundTraffic', key })
    const { remote } = child.path
    if (remote.address !== from.address || remote.port !== from.port)
      this.command({ kind: 'peerMoved', key, remote: from })
    this.onData(text, child)
  }

  /** The process dies: nothing it has leaves, nothing reaches it. */
  stop(): void {
    this.#isStopped = true
  }

  command(command: Command): void {
    this.input({ kind: 'command', command })
  }

  /** Sends octets as they are, from a port of this node. */
  inject(from: SocketAddress, to: SocketAddress, bytes: Uint8Array): void {
    ;(this.route ?? this.#network).send({ from, to, bytes })
  }

  /** From now on this node offers and takes something else, as a peer does whose policy was edited. */
  changeProposals(proposals: ProposalPolicy): void {
    this.#config.proposals = proposals
  }

  /** No timer runs. */
  get isIdle(): boolean {
    return this.#armedMs === null
  }

  input(input: Input): void {
    if (this.#isStopped) return
    const { effects, wakeAtMs } = this.onStep === null ? this.#step(input) : this.#watchedStep(input, this.onStep)
    for (const effect of effects) this.#apply(effect)
    this.#arm(wakeAtMs)
  }

  eventsOf<K extends IkeEvent['kind']>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind)
  }

  /** The key of the attachment established last. @throws when there is none. */
  get key(): AttachmentKey {
    const event = this.eventsOf('established').at(-1)
    if (event === undefined) throw new Error(`${this.name} has no attachment`)
    return event.key
  }

  /** The key of the attachment that stands; null without. */
  get attachmentKey(): AttachmentKey | null {
    return this.#attachmentKey
  }

  /** The one Child SA. @throws when there are none or several. */
  get child(): ChildSaDescription {
    const [child, ...others] = this.children.values()
    if (child === undefined || others.length > 0) throw new Error(`${this.name} has ${this.children.size} Child SAs`)
    return child
  }

  /** The Child SA the data plane sends with now; null when it has nowhere to send. */
  get sender(): ChildSaDescription | null {
    return this.#firstSender(() => true)
  }

  /** Likewise, for packets to or from the inner address of a device. */
  senderTo(inner: string): ChildSaDescription | null {
    const [wanted] = selectors(inner).map(toText)
    return this.#firstSender(({ tsLocal, tsRemote }) => [...tsLocal, ...tsRemote].some((ts) => toText(ts) === wanted))
  }

  /** Child SAs of one attachment. */
  childrenOf(key: AttachmentKey): number {
    return [...this.#owners.values()].filter((owner) => owner === key).length
  }

  #firstSender(isRight: (child: ChildSaDescription) => boolean): ChildSaDescription | null {
    for (const spi of this.senders) {
      const child = this.children.get(spi)
      if (child !== undefined && isRight(child)) return child
    }
    return null
  }

  /** The inbound SPI allocated last. */
  get newestSpi(): Spi {
    return (this.#nextSpi - 1) as Spi
  }

  /** Inbound SPIs that are allocated but not installed. */
  get pendingSpis(): number {
    return this.#allocated.size
  }

  #step(input: Input): ReturnType<IkeEndpoint['step']> {
    return this.endpoint.step(input, this.#env())
  }

  #watchedStep(input: Input, watch: (step: Step) => void): ReturnType<IkeEndpoint['step']> {
    const { keyExchanges } = this.tap
    this.#transitions = []
    const stopwatch = new Stopwatch()
    const result = this.#step(input)
    const { tookMs } = stopwatch
    watch({
      input,
      effects: result.effects,
      tookMs,
      keyExchanges: this.tap.keyExchanges - keyExchanges,
      transitions: this.#transitions,
    })
    return result
  }

  /** The next phase is one of those the transition table gives. */
  readonly #observe: TransitionObserver = (row, next) => {
    if (!row.next.includes(next)) throw new Error(`${row.handler} in ${row.phase} led to ${next}`)
    if (this.onStep !== null) this.#transitions.push(`${row.handler} in ${row.phase} to ${next}`)
  }

  #env(): Env {
    return {
      nowMs: this.#network.nowMs,
      rng: (length) => this.#draw(length),
      crypto: this.tap.provider,
      incarnation: 0x0a0b0c,
      allocateIkeSpi: () => this.#allocateIkeSpi(),
      allocateChildSpi: () => this.#allocateChildSpi(),
      ...(this.vault === null ? {} : { tickets: this.vault }),
    }
  }

  #draw(length: number): Uint8Array {
    const bytes = this.#network.random.bytes(length)
    if (this.nonceStart !== null && length === NONCE_BYTES) bytes[0] = this.nonceStart
    return bytes
  }

  #allocateIkeSpi(): IkeSpi {
    const number = this.#nextIkeSpi
    this.#nextIkeSpi += 1
    const tag = Buffer.from(this.name.padEnd(4, '_').slice(0, 4)).toString('hex')
    return `${tag}${number.toString(16).padStart(8, '0')}` as IkeSpi
  }

  #allocateChildSpi(): ReturnType<Env['allocateChildSpi']> {
    if (this.freeChildSpis <= 0) return null
    this.freeChildSpis -= 1
    const spi = this.#nextSpi as Spi
    this.#nextSpi += 1
    this.#allocated.add(spi)
    return spi
  }

  #apply(effect: Effect): void {
    switch (effect.kind) {
      case 'send': {
        const packet = { from: effect.path.local, to: effect.path.remote, bytes: effect.bytes }
        if (this.#keepsHistory) this.sent.push(packet)
        this.#transcript?.note(this, effect.bytes)
        ;(this.route ?? this.#network).send(packet)
        break
      }
      case 'keepalive':
        this.keepalives += 1
        break
      case 'ask':
        if (this.#keepsHistory) this.questions.push(effect.question)
        this.#network.at(this.#network.nowMs + this.askDelayMs, () => {
          this.input({ kind: 'answer', ticket: effect.ticket, answer: this.answerTo(effect.question) })
        })
        break
      case 'installChildSa':
        this.#take(effect.child.spiIn)
        this.children.set(effect.child.spiIn, effect.child)
        this.#owners.set(effect.child.spiIn, effect.key)
        if (effect.child.outbound) this.#sendWith(effect.child.spiIn)
        break
      case 'activateOutbound':
        this.#change(effect.spiIn, { outbound: true })
        this.#sendWith(effect.spiIn)
        break
      case 'moveChildSa':
        {
          const { path, peerBehindNat, udpEncap } = effect
          this.#change(effect.spiIn, { path, peerBehindNat, udpEncap })
        }
        this.confirmed = effect.isConfirmed
        break
      case 'removeChildSa':
        if (!this.children.delete(effect.spiIn)) throw new Error(`${this.name}: removed a Child SA that is not there`)
        this.#stopSending(effect.spiIn)
        this.#owners.delete(effect.spiIn)
        break
      case 'releaseSpi':
        this.#take(effect.spiIn)
        break
      case 'endEap':
        this.endedEap.push(effect.session)
        break
      case 'event':
        if (this.#keepsHistory) this.events.push(effect.event)
        this.#noteAttachment(effect.event)
        this.onEvent(effect.event)
        break
    }
  }

  #sendWith(spiIn: Spi): void {
    this.#stopSending(spiIn)
    this.senders.unshift(spiIn)
  }

  #stopSending(spiIn: Spi): void {
    const at = this.senders.indexOf(spiIn)
    if (at >= 0) this.senders.splice(at, 1)
  }

  #noteAttachment(event: IkeEvent): void {
    if (event.kind === 'established') this.#attachmentKey = event.key
    else if (event.kind === 'closed' && event.key === this.#attachmentKey) this.#attachmentKey = null
  }

  #take(spiIn: Spi): void {
    if (!this.#allocated.delete(spiIn)) throw new Error(`${this.name}: SPI ${spiIn.toString(16)} is not allocated`)
  }

  #change(spiIn: Spi, change: Partial<ChildSaDescription>): void {
    const child = this.children.get(spiIn)
    if (child === undefined) throw new Error(`${this.name}: no Child SA ${spiIn.toString(16)}`)
    this.children.set(spiIn, { ...child, ...change })
  }

  #arm(wakeAtMs: number | null): void {
    if (wakeAtMs === null || (this.#armedMs !== null && this.#armedMs <= wakeAtMs)) return
    this.#armedMs = wakeAtMs
    this.#network.at(Math.max(wakeAtMs, this.#network.nowMs), () => {
      this.#armedMs = null
      this.input({ kind: 'wake' })
    })
  }
}

function endpointConfig({ name, config = {} }: NodeOptions): EndpointConfig {
  const { timing, ...rest } = config
  return {
    localId: fqdn(`${name}.test`),
    proposals: { ike: defaultIkeSuites, esp: defaultEspSuites },
    cookieThreshold: 100,
    maxHalfOpen: 200,
    maxIkeSas: 1_000,
    fragmentBytes: 1_280,
    forceUdpEncap: false,
    ...rest,
    timing: { ...TIMING, ...timing },
  }
}
