/**
 * The life of a fleet in virtual time: devices attach, rekey, sleep, are given other addresses, lose packets, start anew, change
 * their secret; the concentrator starts anew as well, and is cut off from all of them.
 *
 * Each device meets one hardship after the other. When one is over and `HEALING_MS` have passed, packets of its tunnel arrive in
 * both directions, both ends hold exactly one IKE SA and one Child SA of it, and nothing is left of what was.
 */
import { seededRandom, type SeededRandom } from '../fuzz/random.ts'
import { LivingDevice, type World } from './life-device.ts'
import { FleetGate } from './life-gate.ts'
import { CONCENTRATOR, HEALING_MS, HOUR, LIFE_CONFIG } from './life-times.ts'
import { type Fate, Network, type Packet } from './network.ts'
import { Node } from './node.ts'
import { LOST } from './packets.ts'

export interface LifeOptions {
  readonly seed: number
  readonly devices: number
  /** Longest time without hardship for one device. */
  readonly peaceMs: number
  /** Longest time without something that concerns all of them; null for never. */
  readonly commonPeaceMs: number | null
}

export class Life implements World {
  readonly network: Network
  readonly random: SeededRandom
  readonly devices: readonly LivingDevice[]
  gate: FleetGate
  /** How often each hardship was met. */
  readonly seen = new Map<string, number>()
  checks = 0
  disturbedAtMs = 0
  readonly deviceAt = new Map<string, LivingDevice>()
  readonly #options: LifeOptions
  #starts = 0
  #isCut = false
  #isOver = false

  constructor(options: LifeOptions) {
    this.#options = options
    this.network = new Network(options.seed)
    this.random = seededRandom(options.seed ^ 0x11fe)
    this.gate = this.#startGate(new Map())
    this.network.fate = (packet) => this.#fateOf(packet)
    this.devices = Array.from({ length: options.devices }, (_, index) => new LivingDevice(this, index, options.peaceMs))
  }

  /** @throws as soon as an invariant does not hold. */
  live(durationMs: number): void {
    for (const device of this.devices) device.begin()
    this.#awaitCommonHardship()
    this.network.run(durationMs)
    this.#isOver = true
    this.network.run(3 * HEALING_MS + 12 * HOUR)
    this.#checkRest()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  note(name: string): void {
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1)
  }

  #awaitCommonHardship(): void {
    const { commonPeaceMs } = this.#options
    if (commonPeaceMs === null) return
    this.network.at(this.network.nowMs + this.random.below(commonPeaceMs), () => {
      if (this.#isOver) return
      if (this.random.oneIn(2)) this.#restartGate()
      else this.#cut()
      this.#awaitCommonHardship()
    })
  }

  /** The concentrator is killed and starts with nothing. */
  #restartGate(): void {
    this.note('concentrator starts anew')
    this.gate.node.stop()
    this.gate = this.#startGate(this.gate.secrets)
    this.disturbedAtMs = this.network.nowMs
  }

  #cut(): void {
    this.note('concentrator is cut off')
    this.#isCut = true
    const durationMs = this.random.below(HOUR)
    this.disturbedAtMs = this.network.nowMs + durationMs
    this.network.at(this.disturbedAtMs, () => (this.#isCut = false))
  }

  #startGate(secrets: FleetGate['secrets']): FleetGate {
    this.#starts += 1
    const node = new Node(this.network, {
      name: 'con',
      address: CONCENTRATOR,
      config: { ...LIFE_CONFIG, features: { mobike: true } },
      keepsHistory: false,
      firstIkeSpi: this.#starts * 1_000_000,
    })
    return new FleetGate(node, secrets)
  }

  #fateOf(packet: Packet): Fate {
    if (this.#isCut) return LOST
    const device = this.deviceAt.get(packet.from.address) ?? this.deviceAt.get(packet.to.address)
    return device?.fate() ?? {}
  }

  /** Nothing but the devices is left, in any table. */
  #checkRest(): void {
    const { node } = this.gate
    const { ikeSas, attachments, asks, timers } = node.endpoint.tableSizes
    const count = this.devices.length
    const found = { ikeSas, attachments, asks, timers, children: node.children.size, spis: node.pendingSpis }
    const expected = { ikeSas: count, attachments: count, asks: 0, timers: count, children: count, spis: 0 }
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`left over: ${JSON.stringify(found)}`)
    // A wake that was put off is still in the queue.
    if (this.network.scheduled > 100 * count) throw new Error(`${this.network.scheduled} events are left`)
  }
}
