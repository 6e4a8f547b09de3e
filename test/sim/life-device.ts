/**
 * One device of the simulated fleet: a node behind a NAT that attaches again whenever it is not attached, and the hardships it
 * meets.
 */
import type { IkeEvent } from '@culvert/ikev2'
import type { SeededRandom } from '../fuzz/random.ts'
import { addressOf, type FleetGate } from './life-gate.ts'
import { CONCENTRATOR, DAY, HEALING_MS, HOUR, LIFE_CONFIG, MINUTE } from './life-times.ts'
import { Nat } from './nat.ts'
import { LOST } from './packets.ts'
import type { Fate, Network } from './network.ts'
import { fqdn, Node, selectors } from './node.ts'

const FIRST_BACKOFF_MS = 2_000
const MOST_BACKOFF_MS = MINUTE
const SOON_MS = 10_000
/** Those that were replaced stay until nobody can ask on them any more. */
const MOST_IKE_SAS = 10
/** A rekey may be under way when we look: look again. */
const LOOK_AGAIN_MS = 15_000
const MOST_LOOKS = 3

/** @returns how long it takes, in milliseconds */
type Hardship = () => number

/** Where devices live. */
export interface World {
  readonly network: Network
  readonly random: SeededRandom
  readonly gate: FleetGate
  /** Devices by the address the network knows them under. */
  readonly deviceAt: Map<string, LivingDevice>
  /** When something that concerns all devices was over. */
  readonly disturbedAtMs: number
  /** No new hardship begins. */
  readonly isOver: boolean
  checks: number
  note(name: string): void
}

export class LivingDevice {
  readonly subject: string
  readonly inner: string
  readonly #life: World
  readonly #index: number
  readonly #peaceMs: number
  readonly #mobike: boolean
  #node: Node
  #nat: Nat
  #moves = 0
  #starts = 0
  #secretNumber = 0
  #isDark = false
  #isAttaching = false
  /** Percent of packets lost; the same share again is doubled, and three times as many come late. */
  #loss = 0
  #backoffMs = FIRST_BACKOFF_MS
  readonly #arrived = new Set<string>()

  constructor(life: World, index: number, peaceMs: number) {
    this.#life = life
    this.#index = index
    this.#peaceMs = peaceMs
    this.subject = `d${index}.test`
    this.inner = addressOf(this.subject)
    this.#mobike = index % 2 === 0
    this.#nat = this.#newNat()
    this.#addSecret()
    this.#node = this.#startNode()
  }

  begin(): void {
    this.#attach(this.#node)
    this.#after(HEALING_MS, () => this.#check())
  }

  /** Of the next packet to or from this device. */
  fate(): Fate {
    const { random } = this.#life
    if (this.#isDark || random.below(100) < this.#loss) return LOST
    if (this.#loss === 0) return {}
    const copies = random.below(100) < this.#loss ? 2 : 1
    return { copies, extraDelayMs: random.below(100) < this.#loss * 3 ? random.below(2_000) : 0 }
  }

  #sleep(): number {
    this.#isDark = true
    const durationMs = this.#life.random.below(6 * HOUR)
    this.#after(durationMs, () => (this.#isDark = false))
    return durationMs
  }

  #weather(): number {
    const { random } = this.#life
    this.#loss = 5 + random.below(40)
    const durationMs = random.below(HOUR)
    for (let rekeys = random.below(4); rekeys > 0; rekeys -= 1)
      this.#after(random.below(durationMs), () => this.#rekey())
    this.#after(durationMs, () => (this.#loss = 0))
    return durationMs
  }

  /** Either end, at any moment. */
  #rekey(): void {
    const { random, gate } = this.#life
    const own = random.oneIn(2)
    const node = own ? this.#node : gate.node
    const key = own ? this.#key : gate.keysOf(this.subject)[0]
    if (key === undefined || key === null) return
    const child = node.senderTo(this.inner)
    if (random.oneIn(2) || child === null) node.command({ kind: 'rekeyIke', key })
    else node.command({ kind: 'rekeyChild', key, spiIn: child.spiIn })
  }

  #rebind(): number {
    this.#nat.rebind()
    this.#node.sendData(this.inner, 'here')
    return 0
  }

  /** Another network: with MOBIKE the device says so, without it looks like a NAT that chose another address. */
  #move(): number {
    const { network, deviceAt } = this.#life
    this.#nat.detach(this.#node.address)
    network.detach(this.#nat.address)
    deviceAt.delete(this.#nat.address)
    this.#nat = this.#newNat()
    this.#nat.attach(this.#node)
    this.#node.route = this.#nat
    if (this.#mobike && this.#key !== null) {
      const path = { local: { address: this.#node.address, port: 4500 }, remote: { address: CONCENTRATOR, port: 4500 } }
      this.#node.command({ kind: 'moveTo', key: this.#key, path })
    }
    this.#node.sendData(this.inner, 'here')
    return 0
  }

  #reboot(): number {
    this.#node.stop()
    this.#node = this.#startNode()
    this.#isAttaching = false
    this.#attach(this.#node)
    return 0
  }

  /** Both secrets are good for a while; what the old one opened ends with it. */
  #rotate(): number {
    const { random } = this.#life
    this.#addSecret()
    if (random.oneIn(2) && this.#key !== null) {
      this.#node.command({ kind: 'deleteIke', key: this.#key, reason: 'deletedLocally' })
    }
    const overlapMs = random.below(DAY)
    this.#after(overlapMs, () => {
      const secrets = this.#life.gate.secrets.get(this.subject) ?? []
      this.#life.gate.secrets.set(this.subject, secrets.slice(-1))
      this.#life.gate.revoke(this.subject)
    })
    return overlapMs
  }

  /** Both ends rekey everything within a moment, again and again. */
  #hurry(): number {
    for (let count = 0; count < 8; count += 1) this.#after(this.#life.random.below(3_000), () => this.#rekey())
    return 3_000
  }

  /** With the time until everything works again when nothing else was wrong. */
  readonly #hardships: readonly (readonly [name: string, hardship: Hardship, healingMs: number])[] = [
    ['sleep', () => this.#sleep(), HEALING_MS],
    ['weather', () => this.#weather(), HEALING_MS],
    ['NAT rebinding', () => this.#rebind(), SOON_MS],
    ['another network', () => this.#move(), SOON_MS],
    ['reboot', () => this.#reboot(), SOON_MS],
    ['another secret', () => this.#rotate(), MINUTE],
    ['hurry', () => this.#hurry(), MINUTE],
  ]

  #nextHardship(isHealed: boolean): void {
    const { random, isOver } = this.#life
    if (isOver) return
    const [name, hardship, healingMs] = random.pick(this.#hardships)
    this.#life.note(name)
    const durationMs = hardship()
    // Some come in the middle of the healing of others.
    if (random.oneIn(5)) this.#after(durationMs + random.below(HEALING_MS), () => this.#nextHardship(false))
    else this.#after(durationMs + (isHealed ? healingMs : HEALING_MS), () => this.#check())
  }

  /** Everything works: then peace, then the next hardship. */
  #check(looks = 0): void {
    const { network, gate, random, disturbedAtMs } = this.#life
    if (network.nowMs < disturbedAtMs + HEALING_MS) {
      this.#after(HEALING_MS, () => this.#check())
      return
    }
    this.#arrived.clear()
    this.#node.sendData(this.inner, `up ${this.#index}`)
    gate.node.sendData(this.inner, `down ${this.#index}`)
    this.#after(1_000, () => {
      const fault = this.#fault()
      if (fault === null) {
        this.#life.checks += 1
        this.#after(random.below(this.#peaceMs), () => this.#nextHardship(true))
      } else if (looks < MOST_LOOKS) this.#after(LOOK_AGAIN_MS, () => this.#check(looks + 1))
      else throw new Error(`${this.subject} at ${network.nowMs} ms: ${fault}`)
    })
  }

  #fault(): string | null {
    const { gate } = this.#life
    const keys = gate.keysOf(this.subject)
    const { tableSizes, size } = this.#node.endpoint
    if (!this.#arrived.has(`down ${this.#index}`)) return 'nothing comes down'
    if (!gate.arrived.delete(`up ${this.#index}`)) return 'nothing comes up'
    if (keys.length !== 1) return `attached ${keys.length} times`
    if (gate.node.childrenOf(keys[0]!) !== 1) return `${gate.node.childrenOf(keys[0]!)} Child SAs at the concentrator`
    if (this.#node.children.size !== 1) return `${this.#node.children.size} Child SAs at the device`
    if (this.#node.pendingSpis !== 0) return `${this.#node.pendingSpis} SPIs leaked at the device`
    if (size.established !== 1 || tableSizes.attachments !== 1 || tableSizes.ikeSas > MOST_IKE_SAS)
      return `${tableSizes.ikeSas} IKE SAs at the device`
    return null
  }

  get #key() {
    return this.#node.attachmentKey
  }

  #attach(node: Node): void {
    if (node !== this.#node || this.#isAttaching || node.attachmentKey !== null) return
    this.#isAttaching = true
    const local = { address: node.address, port: 500 }
    node.command({
      kind: 'initiate',
      peer: {
        path: { local, remote: { address: CONCENTRATOR, port: 500 } },
        localId: fqdn(this.subject),
        remoteId: fqdn('con.test'),
        proof: { kind: 'psk', secret: this.#secret() },
        tsLocal: selectors('0.0.0.0/0'),
        tsRemote: selectors('0.0.0.0/0'),
        requestAddress: { ip4: true, ip6: false },
        label: this.subject,
      },
    })
  }

  #hear(node: Node, event: IkeEvent): void {
    if (node !== this.#node) return
    if (event.kind === 'established') this.#backoffMs = FIRST_BACKOFF_MS
    else if (event.kind !== 'closed' && event.kind !== 'attemptFailed') return
    this.#isAttaching = false
    if (event.kind === 'established') return
    const delayMs = this.#backoffMs
    this.#backoffMs = Math.min(MOST_BACKOFF_MS, this.#backoffMs * 2)
    this.#after(delayMs, () => this.#attach(node))
  }

  #startNode(): Node {
    this.#starts += 1
    const node = new Node(this.#life.network, {
      name: `d${this.#index}`,
      address: `192.168.${this.#index >>> 8}.${this.#index & 255}`,
      nat: this.#nat,
      config: { ...LIFE_CONFIG, features: { mobike: this.#mobike } },
      keepsHistory: false,
      firstIkeSpi: this.#starts * 1_000_000,
    })
    node.onEvent = (event) => this.#hear(node, event)
    node.onData = (text) => this.#arrived.add(text)
    return node
  }

  #newNat(): Nat {
    this.#moves += 1
    const address = `100.${64 + (this.#moves % 64)}.${this.#index >>> 8}.${this.#index & 255}`
    this.#life.deviceAt.set(address, this)
    return new Nat(this.#life.network, address)
  }

  #addSecret(): void {
    this.#secretNumber += 1
    const { secrets } = this.#life.gate
    const added = { id: `crd_${this.#secretNumber}`, secret: this.#secret() }
    secrets.set(this.subject, [...(secrets.get(this.subject) ?? []).slice(-1), added])
  }

  #secret(): Uint8Array {
    return new TextEncoder().encode(`secret ${this.#secretNumber} of ${this.subject}`)
  }

  #after(delayMs: number, run: () => void): void {
    const { network } = this.#life
    network.at(network.nowMs + delayMs, run)
  }
}
