/**
 * A NAT with one public address: each inner address and port gets a public port, which `rebind` changes.
 */
import type { SocketAddress } from '@culvert/ikev2'
import type { Network, Packet, Receiver } from './network.ts'

const FIRST_PUBLIC_PORT = 20_000

export class Nat implements Receiver {
  readonly address: string
  readonly #network: Network
  readonly #inner = new Map<string, Receiver>()
  #publicPorts = new Map<string, number>()
  #innerOf = new Map<number, SocketAddress>()
  #nextPort = FIRST_PUBLIC_PORT

  constructor(network: Network, address: string) {
    this.address = address
    this.#network = network
    network.attach(this)
  }

  attach(receiver: Receiver): void {
    this.#inner.set(receiver.address, receiver)
  }

  detach(address: string): void {
    this.#inner.delete(address)
  }

  /** From inside to outside. */
  send(packet: Packet): void {
    this.#network.send({ ...packet, from: { address: this.address, port: this.#publicPortOf(packet.from) } })
  }

  /** From outside to inside; what has no mapping is dropped. */
  receive(packet: Packet): void {
    const inner = this.#innerOf.get(packet.to.port)
    if (inner !== undefined) this.#inner.get(inner.address)?.receive({ ...packet, to: inner })
  }

  /** Forgets all mappings: the next packets get new ports, and old ports lead nowhere. */
  rebind(): void {
    this.#publicPorts = new Map()
    this.#innerOf = new Map()
  }

  #publicPortOf(inner: SocketAddress): number {
    const name = `${inner.address}/${inner.port}`
    const known = this.#publicPorts.get(name)
    if (known !== undefined) return known
    const port = this.#nextPort
    this.#nextPort += 1
    this.#publicPorts.set(name, port)
    this.#innerOf.set(port, inner)
    return port
  }
}
