/**
 * A pair whose messages a test carries by hand, one after the other: so every order in which they can cross can be written down.
 *
 * Messages are named as in the transcript, `CREATE_CHILD_SA request 0, SK {SA, N, KE}`. Ids count from the first request after
 * attaching. A message on another IKE SA than the first one is followed by the name of that one: `(con 2)` is the second IKE SA
 * that the concentrator was the original initiator of.
 *
 * After every message that is not expected to cut traffic, packets of the tunnel still arrive in both directions.
 */
import { type IkeSpi, peekHeader } from '@culvert/ikev2'
import type { Packet } from '../network.ts'
import type { Node } from '../node.ts'
import { attachedPair, type Pair, type PairOptions } from '../pair.ts'
import { checkTraffic } from '../traffic.ts'
import { describe } from '../transcript.ts'

export const REKEY_IKE = 'SK {SA, N, KE}'
export const REKEY_CHILD = 'SK {N(REKEY_SA), SA, N, KE, TSi, TSr}'
export const CHILD = 'SK {SA, N, KE, TSi, TSr}'
export const DELETE_IKE = 'SK {D(IKE)}'
export const DELETE_CHILD = 'SK {D(1 ESP)}'
export const EMPTY = 'SK {}'
export const TEMPORARY_FAILURE = 'SK {N(TEMPORARY_FAILURE)}'
export const CHILD_SA_NOT_FOUND = 'SK {N(CHILD_SA_NOT_FOUND)}'
export const INVALID_KE_PAYLOAD = 'SK {N(INVALID_KE_PAYLOAD)}'

export interface Letter {
  readonly from: Node
  readonly packet: Packet
  readonly text: string
}

export type Side = 'device' | 'concentrator'

export interface ByHandOptions extends PairOptions {
  /** Who is `a`; the device when left out. */
  readonly a?: Side
}

export class ByHand {
  readonly pair: Pair
  readonly a: Node
  readonly b: Node
  /** Whether tunnel traffic must go through after every delivery. */
  mindsTraffic = true
  readonly #held: Letter[] = []
  readonly #firstSpi: IkeSpi
  /** Of the device's next request. */
  readonly #firstId: number

  constructor(options: ByHandOptions = {}) {
    const pair = attachedPair(options)
    const { device, concentrator, network } = pair
    this.pair = pair
    ;[this.a, this.b] = options.a === 'concentrator' ? [concentrator, device] : [device, concentrator]
    this.#firstSpi = spiOf(device.sent[0])
    this.#firstId = device.sent.reduce((id, { bytes }) => Math.max(id, idOf(bytes) + 1), 0)
    network.courier = (packet) => this.#hold(packet)
  }

  /** Takes the one message out that `from` sent and nobody carried yet. @throws when there is none. */
  take(from: Node, text: string): Letter {
    const at = this.#held.findIndex((letter) => letter.from === from && letter.text === text)
    const [letter] = at < 0 ? [] : this.#held.splice(at, 1)
    if (letter === undefined) throw new Error(`${from.name} sent no ${text}, but there is\n${this.#list()}`)
    return letter
  }

  deliver(letter: Letter): void {
    this.pair.network.deliver(letter.packet)
    if (this.mindsTraffic) this.#checkTraffic(letter)
  }

  /** Takes the message and delivers it. */
  pass(from: Node, text: string): void {
    this.deliver(this.take(from, text))
  }

  /** Nobody waits for a message. @throws otherwise. */
  checkEmpty(): void {
    if (this.#held.length > 0) throw new Error(`still under way:\n${this.#list()}`)
  }

  /** Time goes by and no message arrives. */
  wait(durationMs: number): void {
    this.pair.network.run(durationMs)
  }

  /** From now on messages travel by themselves, those that nobody carried first. */
  letGo(): void {
    const { network } = this.pair
    network.courier = null
    for (const { packet } of this.#held.splice(0)) network.send(packet)
  }

  #hold(packet: Packet): void {
    const { device, concentrator } = this.pair
    const from = packet.from.address === device.address ? device : concentrator
    this.#held.push({ from, packet, text: this.#textOf(from, packet) })
  }

  #textOf(from: Node, packet: Packet): string {
    const { device } = this.pair
    const spi = spiOf(packet)
    const text = describe(from.tap, packet.bytes)
    if (spi !== this.#firstSpi) return `${text} (${nameOf(spi)})`
    const header = peekHeader(packet.bytes)
    const isOfDevice = header.ok && header.value.isResponse !== (from === device)
    return isOfDevice ? text.replace(/ (\d+),/, (_, id: string) => ` ${Number(id) - this.#firstId},`) : text
  }

  #checkTraffic({ from, text }: Letter): void {
    try {
      checkTraffic(this.pair)
    } catch (cause) {
      throw new Error(`traffic was cut by ${from.name}: ${text}`, { cause })
    }
  }

  #list(): string {
    return this.#held.map(({ from, text }) => `${from.name}: ${text}`).join('\n')
  }
}

function spiOf(packet: Packet | undefined): IkeSpi {
  const header = peekHeader(packet?.bytes ?? new Uint8Array(0))
  if (!header.ok) throw new Error('not an IKE message')
  return header.value.spiI
}

function idOf(bytes: Uint8Array): number {
  const header = peekHeader(bytes)
  return header.ok ? header.value.messageId : 0
}

/** SPIs of the simulation are four letters and a number. */
function nameOf(spi: IkeSpi): string {
  const letters = Buffer.from(spi.slice(0, 8), 'hex').toString('latin1').replaceAll('_', '')
  return `${letters} ${Number.parseInt(spi.slice(8), 16)}`
}
